/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Answers to what this host opened, and what only looks like one.
 */
#include <bpf/bpf.h>

#include "moat/abi.h"
#include "moat/flow.h"
#include "tests/prog/sentence.h"

#define HERE4  "203.0.113.1"
#define HERE6  "2001:db8:ffff::1"
#define THERE4 "192.0.2.1"
#define THERE6 "2001:db8::1"

#define TO4 .source = HERE4, .destination = THERE4
#define TO6 .source = HERE6, .destination = THERE6

/* A client's packets and a server's, of a connection from port 40000 to a port there. */
#define ASKS(to, kind, number) to, .protocol = PACKET_##kind, .port = number
#define ANSWERS(kind, number)  .protocol = PACKET_##kind, .from = number, .port = 40000
#define FROM4(kind, number)    .source = THERE4, ANSWERS(kind, number)
#define FROM6(kind, number)    .source = THERE6, ANSWERS(kind, number)
#define SYN		       .flags = PACKET_SYN
#define SYN_ACK		       .flags = PACKET_SYN | PACKET_ACK
#define ACK		       .flags = PACKET_ACK
#define FIN		       .flags = PACKET_FIN | PACKET_ACK
#define RST		       .flags = PACKET_RST | PACKET_ACK

#define LISTED4                                                                                    \
	{                                                                                          \
		{                                                                                  \
			THERE4, BOTNET                                                             \
		}                                                                                  \
	}
#define LISTED6                                                                                    \
	{                                                                                          \
		{                                                                                  \
			THERE6, BOTNET                                                             \
		}                                                                                  \
	}

#define ERRORS 16 /* of a flow until its next packet leaves */

#define IS_REPLY   .verdict = MOAT_VERDICT_PASS, .reason = MOAT_REPLY, .category = BOTNET
#define IS_DROPPED .verdict = MOAT_VERDICT_DROP, .reason = MOAT_LISTED, .category = BOTNET

static const struct packet asked_tcp4 = { ASKS(TO4, TCP, 443) };
static const struct packet asked_udp6 = { ASKS(TO6, UDP, 53) };
static const struct packet asked_ping4 = { TO4, .protocol = PACKET_ICMP, .port = 8, .from = 77 };
static const struct packet asked_other4 = { ASKS(TO4, TCP, 80) };

/* clang-format off */
static const struct sentence rows[] = {
	{ "the answer to a SYN passes",
	  LISTED4, { FROM4(TCP, 443), SYN_ACK }, .left = { { ASKS(TO4, TCP, 443) } }, IS_REPLY },
	{ "the answer to a SYN passes on IPv6",
	  LISTED6, { FROM6(TCP, 443), SYN_ACK }, .left = { { ASKS(TO6, TCP, 443) } }, IS_REPLY },
	{ "data of a connection opened here passes",
	  LISTED4, { FROM4(TCP, 443), ACK, .payload = 900 }, .left = { { ASKS(TO4, TCP, 443) }, { ASKS(TO4, TCP, 443), ACK } }, IS_REPLY },
	{ "a reset of a connection opened here passes",
	  LISTED4, { FROM4(TCP, 443), RST }, .left = { { ASKS(TO4, TCP, 443) } }, IS_REPLY },
	{ "with replies: judge the answer to a SYN is dropped",
	  LISTED4, { FROM4(TCP, 443), SYN_ACK }, .judge = true, .left = { { ASKS(TO4, TCP, 443) } }, IS_DROPPED },
	{ "an unsolicited SYN is dropped",
	  LISTED4, { .source = THERE4, .protocol = PACKET_TCP, .port = 22 }, IS_DROPPED },
	{ "a SYN on a connection opened here is no answer",
	  LISTED4, { FROM4(TCP, 443), SYN }, .left = { { ASKS(TO4, TCP, 443) } }, IS_DROPPED },
	{ "an answer from another port is dropped",
	  LISTED4, { FROM4(TCP, 444), SYN_ACK }, .left = { { ASKS(TO4, TCP, 443) } }, IS_DROPPED },
	{ "an answer to another port is dropped",
	  LISTED4, { .source = THERE4, .protocol = PACKET_TCP, .from = 443, .port = 40001, SYN_ACK },
	  .left = { { ASKS(TO4, TCP, 443) } }, IS_DROPPED },
	{ "an answer to another address of this host is dropped",
	  LISTED4, { .destination = "203.0.113.2", FROM4(TCP, 443), SYN_ACK }, .left = { { ASKS(TO4, TCP, 443) } },
	  IS_DROPPED },
	{ "an answer of another listed source is dropped",
	  { { "192.0.2.0/24", BOTNET } }, { .source = "192.0.2.2", ANSWERS(TCP, 443), SYN_ACK },
	  .left = { { ASKS(TO4, TCP, 443) } }, IS_DROPPED },
	{ "an answer by another protocol is dropped",
	  LISTED4, { FROM4(UDP, 443) }, .left = { { ASKS(TO4, TCP, 443) } }, IS_DROPPED },
	{ "what this host answers a connection of the peer with opens nothing",
	  LISTED4, { FROM4(TCP, 443), ACK }, .left = { { ASKS(TO4, TCP, 443), SYN_ACK }, { ASKS(TO4, TCP, 443), ACK } },
	  IS_DROPPED },
	{ "a connection that was not seen to open is not noted by its data",
	  LISTED4, { FROM4(TCP, 443), ACK }, .left = { { ASKS(TO4, TCP, 443), ACK } }, IS_DROPPED },
	{ "a SYN with RST opens nothing",
	  LISTED4, { FROM4(TCP, 443), SYN_ACK }, .left = { { ASKS(TO4, TCP, 443), .flags = PACKET_SYN | PACKET_RST } },
	  IS_DROPPED },
	{ "after a reset from here nothing passes",
	  LISTED4, { FROM4(TCP, 443), ACK }, .left = { { ASKS(TO4, TCP, 443) }, { ASKS(TO4, TCP, 443), RST } }, IS_DROPPED },
	{ "a connection that the peer opens on the same ports is the peer's",
	  LISTED4, { FROM4(TCP, 443), ACK }, .left = { { ASKS(TO4, TCP, 443) }, { ASKS(TO4, TCP, 443), SYN_ACK } },
	  IS_DROPPED },
	{ "the answer to a SYN passes after 119 seconds",
	  LISTED4, { FROM4(TCP, 443), SYN_ACK }, .left = { { ASKS(TO4, TCP, 443) } }, .later = 119, IS_REPLY },
	{ "the answer to a SYN is dropped after 121 seconds",
	  LISTED4, { FROM4(TCP, 443), SYN_ACK }, .left = { { ASKS(TO4, TCP, 443) } }, .later = 121, IS_DROPPED },
	{ "an open connection may be idle for 59 minutes",
	  LISTED6, { FROM6(TCP, 443), ACK }, .left = { { ASKS(TO6, TCP, 443) }, { ASKS(TO6, TCP, 443), ACK } }, .later = 3599,
	  IS_REPLY },
	{ "an open connection is forgotten after an hour",
	  LISTED6, { FROM6(TCP, 443), ACK }, .left = { { ASKS(TO6, TCP, 443) }, { ASKS(TO6, TCP, 443), ACK } }, .later = 3601,
	  IS_DROPPED },
	{ "after FIN the peer may go on for 119 seconds",
	  LISTED4, { FROM4(TCP, 443), ACK }, .left = { { ASKS(TO4, TCP, 443) }, { ASKS(TO4, TCP, 443), FIN } }, .later = 119,
	  IS_REPLY },
	{ "after FIN and 121 seconds nothing passes, whatever was acknowledged since",
	  LISTED4, { FROM4(TCP, 443), ACK },
	  .left = { { ASKS(TO4, TCP, 443) }, { ASKS(TO4, TCP, 443), FIN }, { ASKS(TO4, TCP, 443), ACK } }, .later = 121,
	  IS_DROPPED },

	{ "the answer to a datagram passes",
	  LISTED4, { FROM4(UDP, 53) }, .left = { { ASKS(TO4, UDP, 53) } }, IS_REPLY },
	{ "the answer to a datagram passes on IPv6",
	  LISTED6, { FROM6(UDP, 53) }, .left = { { ASKS(TO6, UDP, 53) } }, IS_REPLY },
	{ "the answer to a datagram passes after 59 seconds",
	  LISTED4, { FROM4(UDP, 53) }, .left = { { ASKS(TO4, UDP, 53) } }, .later = 59, IS_REPLY },
	{ "the answer to a datagram is dropped after 61 seconds",
	  LISTED4, { FROM4(UDP, 53) }, .left = { { ASKS(TO4, UDP, 53) } }, .later = 61, IS_DROPPED },
	{ "a server's datagram opens nothing",
	  LISTED4, { .source = THERE4, .protocol = PACKET_UDP, .from = 40000, .port = 53 },
	  .left = { { TO4, .protocol = PACKET_UDP, .from = 53, .port = 40000 } }, IS_DROPPED },
	{ "the first port of clients opens a flow",
	  LISTED4, { .source = THERE4, .protocol = PACKET_UDP, .from = 53, .port = 32768 },
	  .left = { { TO4, .protocol = PACKET_UDP, .from = 32768, .port = 53 } }, IS_REPLY },
	{ "the port before it opens nothing",
	  LISTED4, { .source = THERE4, .protocol = PACKET_UDP, .from = 53, .port = 32767 },
	  .left = { { TO4, .protocol = PACKET_UDP, .from = 32767, .port = 53 } }, IS_DROPPED },
	{ "the port after the last opens nothing",
	  LISTED6, { .source = THERE6, .protocol = PACKET_UDP, .from = 53, .port = 61000 },
	  .left = { { TO6, .protocol = PACKET_UDP, .from = 61000, .port = 53 } }, IS_DROPPED },
	{ "an unsolicited datagram is dropped",
	  LISTED4, { FROM4(UDP, 53) }, IS_DROPPED },

	{ "the answer to a ping passes",
	  LISTED4, { .source = THERE4, .protocol = PACKET_ICMP, .port = 0, .from = 77 },
	  .left = { { TO4, .protocol = PACKET_ICMP, .port = 8, .from = 77 } }, IS_REPLY },
	{ "the answer to a ping passes on IPv6",
	  LISTED6, { .source = THERE6, .protocol = PACKET_ICMPV6, .port = 129, .from = 77 },
	  .left = { { TO6, .protocol = PACKET_ICMPV6, .port = 128, .from = 77 } }, IS_REPLY },
	{ "the answer to another ping is dropped",
	  LISTED4, { .source = THERE4, .protocol = PACKET_ICMP, .port = 0, .from = 78 },
	  .left = { { TO4, .protocol = PACKET_ICMP, .port = 8, .from = 77 } }, IS_DROPPED },
	{ "a ping of the same number is dropped",
	  LISTED4, { .source = THERE4, .protocol = PACKET_ICMP, .port = 8, .from = 77 },
	  .left = { { TO4, .protocol = PACKET_ICMP, .port = 8, .from = 77 } }, IS_DROPPED },
	{ "this host's answer to a ping opens nothing",
	  LISTED4, { .source = THERE4, .protocol = PACKET_ICMP, .port = 0, .from = 77 },
	  .left = { { TO4, .protocol = PACKET_ICMP, .port = 0, .from = 77 } }, IS_DROPPED },
	{ "the answer to a ping is dropped after 31 seconds",
	  LISTED6, { .source = THERE6, .protocol = PACKET_ICMPV6, .port = 129, .from = 77 },
	  .left = { { TO6, .protocol = PACKET_ICMPV6, .port = 128, .from = 77 } }, .later = 31, IS_DROPPED },

	{ "an error about a connection of ours passes from a listed router",
	  LISTED4, { .source = THERE4, .protocol = PACKET_ICMP, .port = 3, .quoted = &asked_tcp4 },
	  .left = { { ASKS(TO4, TCP, 443) } }, IS_REPLY },
	{ "a packet that is too big is said to be so by a listed router",
	  LISTED6, { .source = "2001:db8::1", .protocol = PACKET_ICMPV6, .port = 2, .quoted = &asked_udp6, .payload = 1200 },
	  .left = { { ASKS(TO6, UDP, 53) } }, IS_REPLY },
	{ "an error about a ping of ours passes",
	  LISTED4, { .source = THERE4, .protocol = PACKET_ICMP, .port = 11, .quoted = &asked_ping4 },
	  .left = { { TO4, .protocol = PACKET_ICMP, .port = 8, .from = 77 } }, IS_REPLY },
	{ "an error about what was never sent is dropped",
	  LISTED4, { .source = THERE4, .protocol = PACKET_ICMP, .port = 3, .quoted = &asked_other4 },
	  .left = { { ASKS(TO4, TCP, 443) } }, IS_DROPPED },
	{ "a redirect is no error about a connection",
	  LISTED4, { .source = THERE4, .protocol = PACKET_ICMP, .port = 5, .quoted = &asked_tcp4 },
	  .left = { { ASKS(TO4, TCP, 443) } }, IS_DROPPED },
	{ "an error about a connection of ours that is sent to another address is dropped",
	  LISTED4, { .source = THERE4, .destination = "203.0.113.2", .protocol = PACKET_ICMP, .port = 3, .quoted = &asked_tcp4 },
	  .left = { { ASKS(TO4, TCP, 443) } }, IS_DROPPED },
	{ "an error that is sent to another address is dropped on IPv6",
	  LISTED6, { .source = THERE6, .destination = "2001:db8:ffff::2", .protocol = PACKET_ICMPV6, .port = 2, .quoted = &asked_udp6 },
	  .left = { { ASKS(TO6, UDP, 53) } }, IS_DROPPED },
	{ "a flow takes as many errors as one packet can have on its way",
	  LISTED4, { .source = THERE4, .protocol = PACKET_ICMP, .port = 11, .quoted = &asked_ping4 }, .before = ERRORS - 1,
	  .left = { { TO4, .protocol = PACKET_ICMP, .port = 8, .from = 77 } }, IS_REPLY },
	{ "more errors about a flow than that are dropped",
	  LISTED4, { .source = THERE4, .protocol = PACKET_ICMP, .port = 11, .quoted = &asked_ping4 }, .before = ERRORS,
	  .left = { { TO4, .protocol = PACKET_ICMP, .port = 8, .from = 77 } }, IS_DROPPED },
	{ "more errors about a flow are dropped on IPv6",
	  LISTED6, { .source = THERE6, .protocol = PACKET_ICMPV6, .port = 2, .quoted = &asked_udp6 }, .before = ERRORS,
	  .left = { { ASKS(TO6, UDP, 53) } }, IS_DROPPED },
	{ "errors do not count against answers",
	  LISTED4, { FROM4(TCP, 443), ACK }, .before = 5 * ERRORS, .left = { { ASKS(TO4, TCP, 443) } }, IS_REPLY },
	{ "an error cut before the ports it quotes is dropped",
	  LISTED4, { .source = THERE4, .protocol = PACKET_ICMP, .port = 3, .quoted = &asked_tcp4, .cut = 14 + 20 + 8 + 20 + 3 },
	  .left = { { ASKS(TO4, TCP, 443) } }, IS_DROPPED },

	{ "VLAN tags, options and extension headers on either way do not matter: IPv4",
	  LISTED4, { .tag = { 0x88a8, 0x8100 }, FROM4(UDP, 53), .options = 12, .option = 1 },
	  .left = { { .tag = { 0x8100 }, ASKS(TO4, UDP, 53), .options = 40, .option = 1 } }, IS_REPLY },
	{ "VLAN tags, options and extension headers on either way do not matter: IPv6",
	  LISTED6, { .tag = { 0x8100 }, FROM6(UDP, 53), .ext = { { PACKET_HOPOPTS }, { PACKET_DSTOPTS, 2 } }, .exts = 2 },
	  .left = { { ASKS(TO6, UDP, 53), .ext = { { PACKET_DSTOPTS, 1 } }, .exts = 1 } }, IS_REPLY },
	{ "the first fragment of an answer passes",
	  LISTED4, { FROM4(UDP, 53), .more = true, .payload = 64 }, .left = { { ASKS(TO4, UDP, 53) } }, IS_REPLY },
	{ "a later fragment has no ports and is dropped",
	  LISTED4, { FROM4(UDP, 53), .offset = 9, .headless = true, .payload = 64 }, .left = { { ASKS(TO4, UDP, 53) } },
	  IS_DROPPED },
	{ "an answer cut in its ports is dropped",
	  LISTED4, { FROM4(UDP, 53), .cut = 14 + 20 + 3 }, .left = { { ASKS(TO4, UDP, 53) } }, IS_DROPPED },
	{ "an answer cut before its TCP flags is dropped",
	  LISTED4, { FROM4(TCP, 443), ACK, .cut = 14 + 20 + 13 }, .left = { { ASKS(TO4, TCP, 443) } }, IS_DROPPED },
	{ "a packet that leaves and an answer that end with their TCP flags are enough",
	  LISTED4, { FROM4(TCP, 443), ACK, .cut = 14 + 20 + 14 }, .left = { { ASKS(TO4, TCP, 443), .cut = 14 + 20 + 14 } },
	  IS_REPLY },
	{ "a cut packet that leaves opens nothing",
	  LISTED4, { FROM4(TCP, 443), SYN_ACK }, .left = { { ASKS(TO4, TCP, 443), .cut = 14 + 20 + 13 } }, IS_DROPPED },
	{ "other protocols with ports have no replies",
	  LISTED4, { FROM4(SCTP, 443) }, .left = { { ASKS(TO4, SCTP, 443) } }, IS_DROPPED },

	{ "the answer of a source over its limit passes, by its category",
	  { { THERE4, SCRAPER } }, { FROM4(TCP, 443), ACK }, SCRAPER_BURST + 2, .left = { { ASKS(TO4, TCP, 443) } },
	  .verdict = MOAT_VERDICT_PASS, .reason = MOAT_REPLY, .category = SCRAPER },
	{ "the answer of a source that many people share is tagged, as all it sends",
	  { { THERE4, BOTNET }, { "192.0.2.0/24", CGNAT } }, { FROM4(TCP, 443), ACK }, .left = { { ASKS(TO4, TCP, 443) } },
	  .verdict = MOAT_VERDICT_TAG, .reason = MOAT_SHARED, .category = BOTNET },
	{ "the answer of a shared source over its limit passes",
	  { { THERE4, SCRAPER }, { "192.0.2.0/24", CGNAT } }, { FROM4(TCP, 443), ACK }, SCRAPER_BURST + 2,
	  .left = { { ASKS(TO4, TCP, 443) } }, .verdict = MOAT_VERDICT_PASS, .reason = MOAT_REPLY, .category = SCRAPER },
	{ "while paused an answer passes as paused",
	  LISTED4, { FROM4(TCP, 443), SYN_ACK }, .paused = 60, .left = { { ASKS(TO4, TCP, 443) } },
	  .verdict = MOAT_VERDICT_PASS, .reason = MOAT_PAUSED },
	{ "the answer of an allowed source is allowed",
	  { { THERE4, BOTNET }, { "192.0.2.0/24", ALLOW } }, { FROM4(TCP, 443), ACK }, .left = { { ASKS(TO4, TCP, 443) } },
	  .verdict = MOAT_VERDICT_PASS, .reason = MOAT_ALLOWED, .category = ALLOW },
	{ "the answer of a source within its limit is within it",
	  { { THERE4, SCRAPER } }, { FROM4(TCP, 443), ACK }, .left = { { ASKS(TO4, TCP, 443) } },
	  .verdict = MOAT_VERDICT_PASS, .reason = MOAT_WITHIN_LIMIT, .category = SCRAPER },
	{ "the answer of a tagged source is tagged",
	  { { THERE4, SCANNER } }, { FROM4(TCP, 443), ACK }, .left = { { ASKS(TO4, TCP, 443) } },
	  .verdict = MOAT_VERDICT_TAG, .reason = MOAT_TAGGED, .category = SCANNER },
	{ "the answer of a clean source is of a clean source",
	  LISTED4, { .source = "192.0.2.9", ANSWERS(TCP, 443), ACK }, .left = { { ASKS(TO4, TCP, 443) } },
	  .verdict = MOAT_VERDICT_PASS, .reason = MOAT_CLEAN },
	{ "a reply without enforcement is a reply",
	  LISTED4, { FROM4(TCP, 443), SYN_ACK }, .observe = true, .left = { { ASKS(TO4, TCP, 443) } }, IS_REPLY },
};
/* clang-format on */

/* ---- what is more than one sentence ---- */

static void build_and_leave(const struct packet *packet)
{
	_cleanup_free_ uint8_t *frame = calloc(1, PACKET_MAX);

	assert_int_equal(harness_leave(sentence_harness(), frame, packet_build(packet, frame)), 0);
}

static void world_of_one(void)
{
	_cleanup_(sentence_world_freep) struct reference *world = sentence_world();

	sentence_add(world, THERE4, BOTNET, 0);
	world->replies = true;
	install_plain(sentence_harness(), world, 1);
}

static void without_a_table_nothing_is_noted_and_nothing_is_a_reply(void **state)
{
	static const struct packet ask = { ASKS(TO4, UDP, 53) }, answer = { FROM4(UDP, 53) };
	struct harness *h = sentence_harness();
	int flows = harness_fd(h, MOAT_MAP_FLOWS), slot = harness_fd(h, MOAT_MAP_SLOT);
	struct moat_flow_key key;
	uint32_t zero = 0;

	(void)state;
	world_of_one();
	assert_int_equal(bpf_map_delete_elem(slot, &zero), 0);
	build_and_leave(&ask);
	sentence_expect(h, &answer, MOAT_VERDICT_DROP, MOAT_LISTED, BOTNET);
	assert_int_not_equal(bpf_map_get_next_key(flows, NULL, &key), 0);
	assert_int_equal(bpf_map_update_elem(slot, &zero, &flows, BPF_ANY), 0);
	build_and_leave(&ask);
	sentence_expect(h, &answer, MOAT_VERDICT_PASS, MOAT_REPLY, BOTNET);
	assert_true(harness_check_sum(h));
}

static void more_flows_than_there_is_room_for_stay_bounded_and_the_newest_is_known(void **state)
{
	struct harness *h = sentence_harness();
	int flows = harness_fd(h, MOAT_MAP_FLOWS);
	struct moat_flow_key key, *after = NULL;
	struct packet ask = { ASKS(TO4, TCP, 443) }, answer = { FROM4(TCP, 443), SYN_ACK };
	size_t count = 0;

	(void)state;
	world_of_one();
	for (unsigned int from = 1; from < 20000; from++) {
		ask.from = from;
		build_and_leave(&ask);
	}
	for (; bpf_map_get_next_key(flows, after, &key) == 0; after = &key)
		count++;
	assert_in_range(count, 1024, 4096);
	answer.port = ask.from;
	sentence_expect(h, &answer, MOAT_VERDICT_PASS, MOAT_REPLY, BOTNET);
	answer.port = 1;
	sentence_expect(h, &answer, MOAT_VERDICT_DROP, MOAT_LISTED, BOTNET);
}

static void a_flow_that_another_cpu_saw_a_moment_ahead_is_live(void **state)
{
	static const struct packet ask = { ASKS(TO4, UDP, 53) }, answer = { FROM4(UDP, 53) };
	struct harness *h = sentence_harness();
	int flows = harness_fd(h, MOAT_MAP_FLOWS);
	struct moat_flow_key key;
	struct moat_flow flow;

	(void)state;
	world_of_one();
	build_and_leave(&ask);
	assert_int_equal(bpf_map_get_next_key(flows, NULL, &key), 0);
	assert_int_equal(bpf_map_lookup_elem(flows, &key, &flow), 0);
	flow.seen += 2;
	assert_int_equal(bpf_map_update_elem(flows, &key, &flow, BPF_EXIST), 0);
	sentence_expect(h, &answer, MOAT_VERDICT_PASS, MOAT_REPLY, BOTNET);
}

static void a_packet_that_leaves_renews_the_errors_a_flow_takes(void **state)
{
	static const struct packet ask = { ASKS(TO4, TCP, 443) },
				   more = { ASKS(TO4, TCP, 443), ACK };
	static const struct packet error = {
		.source = THERE4, .protocol = PACKET_ICMP, .port = 3, .quoted = &asked_tcp4
	};
	struct harness *h = sentence_harness();

	(void)state;
	world_of_one();
	build_and_leave(&ask);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < ERRORS; i++)
			sentence_expect(h, &error, MOAT_VERDICT_PASS, MOAT_REPLY, BOTNET);
		for (int i = 0; i < 100; i++)
			sentence_expect(h, &error, MOAT_VERDICT_DROP, MOAT_LISTED, BOTNET);
		build_and_leave(&more);
	}
	assert_true(harness_check_sum(h));
}

static uint32_t cost(bool leaves, const struct packet *packet)
{
	_cleanup_free_ uint8_t *frame = calloc(1, PACKET_MAX);

	return harness_time(sentence_harness(), leaves, frame, packet_build(packet, frame));
}

static void the_cost_of_replies_is_for_listed_sources_and_outgoing_packets(void **state)
{
	static const struct packet clean = { .source = "192.0.2.9", ANSWERS(TCP, 443), ACK },
				   listed = { FROM4(TCP, 444), ACK },
				   reply = { FROM4(TCP, 443), ACK }, ask = { ASKS(TO4, TCP, 443) },
				   more = { ASKS(TO4, TCP, 443), ACK },
				   server = { TO4, .protocol = PACKET_TCP, .from = 443, .port = 9,
					      ACK };
	struct harness *h = sentence_harness();
	struct moat_iface judge = { .enforce = 1 };
	uint32_t zero = 0, cheap[2], dear[2];

	(void)state;
	world_of_one();
	build_and_leave(&ask);
	dear[0] = cost(false, &clean);
	dear[1] = cost(false, &listed);
	print_message("pass: clean %u ns, listed %u ns, reply %u ns\n", dear[0], dear[1],
		      cost(false, &reply));
	print_message("leaving: of a flow %u ns, of a server %u ns\n", cost(true, &more),
		      cost(true, &server));
	harness_write(h, MOAT_MAP_IFACE, &zero, &judge);
	cheap[0] = cost(false, &clean);
	cheap[1] = cost(false, &listed);
	print_message("judge: clean %u ns, listed %u ns\n", cheap[0], cheap[1]);
	/* Far from what a loaded machine may add, or an emulated one, and from what a mistake would. */
	assert_true(dear[0] < 2 * cheap[0] + 1000 && dear[1] < 8 * cheap[1] + 2000);
	assert_true(harness_check_sum(h));
}

int main(void)
{
	static const struct CMUnitTest more[] = {
		cmocka_unit_test(without_a_table_nothing_is_noted_and_nothing_is_a_reply),
		cmocka_unit_test(
			more_flows_than_there_is_room_for_stay_bounded_and_the_newest_is_known),
		cmocka_unit_test(a_flow_that_another_cpu_saw_a_moment_ahead_is_live),
		cmocka_unit_test(a_packet_that_leaves_renews_the_errors_a_flow_takes),
		cmocka_unit_test(the_cost_of_replies_is_for_listed_sources_and_outgoing_packets),
	};

	return sentence_run("replies", rows, ARRAY_SIZE(rows), more, ARRAY_SIZE(more));
}
