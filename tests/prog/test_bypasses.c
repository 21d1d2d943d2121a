/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets that walk through other filters, B1 to B24: same verdict as for the
 * plain packet of that source, or a reason of its own.
 */
#include <arpa/inet.h>

#include <bpf/bpf.h>

#include "moat/abi.h"
#include "tests/prog/sentence.h"

#define PASS	MOAT_VERDICT_PASS
#define DROP	MOAT_VERDICT_DROP
#define MONITOR MOAT_VERDICT_MONITOR

#define V4     .source = "192.0.2.1"
#define V6     .source = "2001:db8::1"
#define TCP(n) .protocol = PACKET_TCP, .port = n
#define UDP(n) .protocol = PACKET_UDP, .port = n

#define ALL4                                                                                       \
	{                                                                                          \
		{                                                                                  \
			"192.0.2.1", BOTNET                                                        \
		}                                                                                  \
	} /* drop whatever it sends */
#define ALL6                                                                                       \
	{                                                                                          \
		{                                                                                  \
			"2001:db8::1", BOTNET                                                      \
		}                                                                                  \
	}
#define SSH4                                                                                       \
	{                                                                                          \
		{                                                                                  \
			"192.0.2.1", BRUTEFORCE                                                    \
		}                                                                                  \
	} /* drop TCP to 22 and 3389 */
#define SSH6                                                                                       \
	{                                                                                          \
		{                                                                                  \
			"2001:db8::1", BRUTEFORCE                                                  \
		}                                                                                  \
	}
#define CLEAN4                                                                                     \
	{                                                                                          \
		{                                                                                  \
			"198.51.100.1", BOTNET                                                     \
		}                                                                                  \
	} /* somebody else */
#define CLEAN6                                                                                     \
	{                                                                                          \
		{                                                                                  \
			"2001:db8:bad::/48", BOTNET                                                \
		}                                                                                  \
	}

#define IS_DROPPED(c) .verdict = DROP, .reason = MOAT_LISTED, .category = c
#define PASSES(r)     .verdict = PASS, .reason = r

#define EXT(n, ...) .ext = { __VA_ARGS__ }, .exts = n
#define HOP                                                                                        \
	{                                                                                          \
		PACKET_HOPOPTS                                                                     \
	}
#define DST                                                                                        \
	{                                                                                          \
		PACKET_DSTOPTS                                                                     \
	}
#define EIGHT HOP, DST, DST, DST, DST, DST, DST, DST

/* clang-format off */
static const struct sentence rows[] = {
	{ "B1: one 802.1Q tag does not let a listed IPv4 source through",
	  ALL4, { .tag = { 0x8100 }, V4, TCP(80) }, IS_DROPPED(BOTNET) },
	{ "B1: one 802.1Q tag does not let a listed IPv6 source through",
	  ALL6, { .tag = { 0x8100 }, V6, TCP(80) }, IS_DROPPED(BOTNET) },
	{ "B1: 802.1ad and 802.1Q tags do not let a listed source through",
	  ALL4, { .tag = { 0x88a8, 0x8100 }, V4, TCP(80) }, IS_DROPPED(BOTNET) },
	{ "B1: a port scope is read behind two tags",
	  SSH6, { .tag = { 0x88a8, 0x8100 }, V6, TCP(22) }, IS_DROPPED(BRUTEFORCE) },
	{ "B1: a clean source in two tags passes as clean",
	  CLEAN4, { .tag = { 0x88a8, 0x8100 }, V4, TCP(80) }, PASSES(MOAT_CLEAN) },
	{ "B2: next header 59 without payload: a listed source is dropped",
	  ALL6, { V6, .protocol = PACKET_NONE }, IS_DROPPED(BOTNET) },
	{ "B2: next header 59 without payload: a clean source passes",
	  CLEAN6, { V6, .protocol = PACKET_NONE }, PASSES(MOAT_CLEAN) },
	{ "B3: three tags: a listed source is dropped",
	  ALL4, { .tag = { 0x88a8, 0x8100, 0x8100 }, V4, TCP(80) }, IS_DROPPED(BOTNET) },
	{ "B3: three tags: a listed IPv6 source is dropped by its port",
	  SSH6, { .tag = { 0x88a8, 0x88a8, 0x8100 }, V6, TCP(22) }, IS_DROPPED(BRUTEFORCE) },
	{ "B3: four tags are counted as too deep",
	  ALL4, { .tag = { 0x88a8, 0x8100, 0x8100, 0x8100 }, V4, TCP(80) },
	  PASSES(MOAT_VLAN_DEPTH) },
	{ "B3: five tags are counted as too deep",
	  ALL4, { .tag = { 0x8100, 0x8100, 0x8100, 0x8100, 0x8100 }, V4, TCP(80) },
	  PASSES(MOAT_VLAN_DEPTH) },
	{ "B3: four tags drop where the configuration says so",
	  CLEAN4, { .tag = { 0x88a8, 0x8100, 0x8100, 0x8100 }, V4, TCP(80) },
	  .drop = BIT(MOAT_VLAN_DEPTH),
	  .verdict = DROP, .reason = MOAT_VLAN_DEPTH },
	{ "B4: a tag, then the end of the frame, is counted as truncated",
	  ALL4, { .tag = { 0x8100 }, V4, .cut = 14 + 3 }, PASSES(MOAT_TRUNCATED) },
	{ "B4: a whole tag and nothing behind it is counted as truncated",
	  ALL4, { .tag = { 0x8100 }, V4, .cut = 14 + 4 }, PASSES(MOAT_TRUNCATED) },
	{ "B4: the third tag cut off is counted as truncated",
	  ALL6, { .tag = { 0x88a8, 0x8100, 0x8100 }, V6, .cut = 14 + 8 }, PASSES(MOAT_TRUNCATED) },
	{ "B5: a hop-by-hop header does not let a listed source through",
	  ALL6, { V6, EXT(1, HOP), TCP(80) }, IS_DROPPED(BOTNET) },
	{ "B5: ports behind a hop-by-hop header fit a scope",
	  SSH6, { V6, EXT(1, { PACKET_HOPOPTS, .units = 3 }), TCP(22) }, IS_DROPPED(BRUTEFORCE) },
	{ "B5: ports behind destination options fit a scope",
	  SSH6, { V6, EXT(1, { PACKET_DSTOPTS, .units = 1 }), TCP(22) }, IS_DROPPED(BRUTEFORCE) },
	{ "B5: ports behind a routing header fit a scope",
	  SSH6, { V6, EXT(1, { PACKET_ROUTING, .units = 2 }), TCP(22) }, IS_DROPPED(BRUTEFORCE) },
	{ "B5: another port behind hop-by-hop, destination options and routing is out of scope",
	  SSH6, { V6, EXT(3, HOP, DST, { PACKET_ROUTING, .units = 2 }), TCP(80) },
	  PASSES(MOAT_OUT_OF_SCOPE) },
	{ "B5: mobility, HIP and Shim6 headers are walked",
	  SSH6, { V6, EXT(3, { PACKET_MOBILITY }, { PACKET_HIP, .units = 4 }, { PACKET_SHIM6 }),
	    TCP(22) },
	  IS_DROPPED(BRUTEFORCE) },
	{ "B6: eight extension headers are read through",
	  SSH6, { V6, EXT(8, EIGHT), TCP(80) }, PASSES(MOAT_OUT_OF_SCOPE) },
	{ "B6: nine extension headers: a listed source is dropped",
	  ALL6, { V6, EXT(9, EIGHT, DST), TCP(80) }, IS_DROPPED(BOTNET) },
	{ "B6: nine extension headers hide the ports, which then fit every scope",
	  SSH6, { V6, EXT(9, EIGHT, DST), UDP(80) }, IS_DROPPED(BRUTEFORCE) },
	{ "B6: nine extension headers of a clean source are counted as too many",
	  CLEAN6, { V6, EXT(9, EIGHT, DST), TCP(80) }, PASSES(MOAT_EXT_DEPTH) },
	{ "B6: eight extension headers of a clean source pass as clean",
	  CLEAN6, { V6, EXT(8, EIGHT), TCP(80) }, PASSES(MOAT_CLEAN) },
	{ "B6: too many extension headers drop where the configuration says so",
	  CLEAN6, { V6, EXT(12, EIGHT, DST, DST, DST, DST), TCP(80) }, .drop = BIT(MOAT_EXT_DEPTH),
	  .verdict = DROP, .reason = MOAT_EXT_DEPTH },
	{ "B7: the reserved byte of a fragment header is no length: the right port is read",
	  SSH6, { V6, EXT(1, { PACKET_FRAGMENT, .reserved = 1, .more = true }), TCP(22),
	    .payload = 64,
	    .fill = 0x50 }, IS_DROPPED(BRUTEFORCE) },
	{ "B7: the reserved byte of a fragment header is no length: no wrong port is read",
	  SSH6, { V6, EXT(1, { PACKET_FRAGMENT, .reserved = 2 }), TCP(80), .payload = 64,
	    .fill = 22 },
	  PASSES(MOAT_OUT_OF_SCOPE) },
	{ "B8: AH counts in 4 bytes: the right port is read behind it",
	  SSH6, { V6, EXT(1, { PACKET_AH, .units = 4 }), TCP(22) }, IS_DROPPED(BRUTEFORCE) },
	{ "B8: AH counts in 4 bytes: another port is out of scope",
	  SSH6, { V6, EXT(2, DST, { PACKET_AH, .units = 1 }), TCP(80), .payload = 64 },
	  PASSES(MOAT_OUT_OF_SCOPE) },
	{ "B8: AH does not let a listed source through",
	  ALL6, { V6, EXT(1, { PACKET_AH, .units = 4 }), TCP(80) }, IS_DROPPED(BOTNET) },
	{ "B9: the ports of an atomic fragment are real: in scope",
	  SSH6, { V6, EXT(1, { PACKET_FRAGMENT }), TCP(3389) }, IS_DROPPED(BRUTEFORCE) },
	{ "B9: the ports of an atomic fragment are real: out of scope",
	  SSH6, { V6, EXT(1, { PACKET_FRAGMENT }), TCP(443) }, PASSES(MOAT_OUT_OF_SCOPE) },
	{ "B9: the ports of a first IPv4 fragment are real",
	  SSH4, { V4, .more = true, TCP(443) }, PASSES(MOAT_OUT_OF_SCOPE) },
	{ "B10: a later fragment of a listed source is dropped",
	  ALL4, { V4, .offset = 185, .headless = true, TCP(0), .payload = 100 },
	  IS_DROPPED(BOTNET) },
	{ "B10: the payload of a later fragment is not read as ports: it fits the scope of its protocol",
	  SSH4, { V4, .offset = 185, .headless = true, TCP(0), .payload = 100, .fill = 0x50 },
	  IS_DROPPED(BRUTEFORCE) },
	{ "B10: a later fragment of another protocol is out of scope",
	  SSH4, { V4, .offset = 1, .headless = true, UDP(0), .payload = 100, .fill = 22 },
	  PASSES(MOAT_OUT_OF_SCOPE) },
	{ "B11: a later IPv6 fragment of a listed source is dropped",
	  ALL6, { V6, EXT(1, { PACKET_FRAGMENT, .offset = 181 }), .headless = true, TCP(0),
	    .payload = 60 },
	  IS_DROPPED(BOTNET) },
	{ "B11: the payload of a later IPv6 fragment is not read as ports",
	  SSH6, { V6, EXT(2, HOP, { PACKET_FRAGMENT, .offset = 181, .more = true }),
	    .headless = true, TCP(0),
	    .payload = 60, .fill = 0x50 }, IS_DROPPED(BRUTEFORCE) },
	{ "B11: a later IPv6 fragment of another protocol is out of scope",
	  SSH6, { V6, EXT(1, { PACKET_FRAGMENT, .offset = 1 }), .headless = true, UDP(0),
	    .payload = 60 },
	  PASSES(MOAT_OUT_OF_SCOPE) },
	{ "B11: a later IPv6 fragment that begins in an extension header fits every scope",
	  SSH6, { V6, EXT(2, { PACKET_FRAGMENT, .offset = 1 }, DST), UDP(80) },
	  IS_DROPPED(BRUTEFORCE) },
	{ "B12: a later fragment shorter than a transport header passes from a clean source",
	  CLEAN4, { V4, .offset = 185, .headless = true, TCP(0), .payload = 2 },
	  PASSES(MOAT_CLEAN) },
	{ "B12: a later IPv6 fragment shorter than a transport header passes from a clean source",
	  CLEAN6, { V6, EXT(1, { PACKET_FRAGMENT, .offset = 9 }), .headless = true, UDP(0),
	    .payload = 1 },
	  PASSES(MOAT_CLEAN) },
	{ "B13: IPv4 options do not let a listed source through",
	  ALL4, { V4, .options = 40, TCP(80) }, IS_DROPPED(BOTNET) },
	{ "B13: options that imitate a permitted port do not hide the right one",
	  SSH4, { V4, .options = 12, .option = 0x50, TCP(22) }, IS_DROPPED(BRUTEFORCE) },
	{ "B13: options that imitate a listed port do not add it",
	  { { "192.0.2.1", PINGER } },
	  { V4, .options = 4, .option = 8, .protocol = PACKET_ICMP, .port = 0 },
	  PASSES(MOAT_OUT_OF_SCOPE) },
	{ "B14: IHL below 5: a listed source is dropped",
	  ALL4, { V4, .ihl = 4, TCP(80) }, IS_DROPPED(BOTNET) },
	{ "B14: IHL below 5: an allowed source passes",
	  { { "192.0.2.1", ALLOW }, { "192.0.2.0/24", BOTNET } }, { V4, .ihl = 1, TCP(80) },
	  .verdict = PASS, .reason = MOAT_ALLOWED, .category = ALLOW },
	{ "B14: IHL below 5: a clean source is counted as a bad header",
	  CLEAN4, { V4, .ihl = 4, TCP(80) }, PASSES(MOAT_BAD_HEADER) },
	{ "B14: IHL below 5 leaves no readable port: it fits a scope of TCP",
	  SSH4, { V4, .ihl = 4, TCP(80) }, IS_DROPPED(BRUTEFORCE) },
	{ "B15: IHL beyond the frame: a listed source is dropped",
	  ALL4, { V4, .ihl = 15, .protocol = PACKET_TCP, .headless = true }, IS_DROPPED(BOTNET) },
	{ "B15: IHL beyond the frame: an allowed source passes",
	  { { "192.0.2.1", ALLOW } }, { V4, .ihl = 15, .protocol = PACKET_TCP, .headless = true },
	  .verdict = PASS, .reason = MOAT_ALLOWED, .category = ALLOW },
	{ "B15: IHL beyond the frame: a clean source is counted as a bad header",
	  CLEAN4, { V4, .ihl = 15, .protocol = PACKET_TCP, .headless = true },
	  PASSES(MOAT_BAD_HEADER) },
	{ "B15: bad headers drop where the configuration says so",
	  CLEAN4, { V4, .ihl = 15, .protocol = PACKET_TCP, .headless = true },
	  .drop = BIT(MOAT_BAD_HEADER),
	  .verdict = DROP, .reason = MOAT_BAD_HEADER },
	{ "B16: GRE of a listed source is dropped",
	  ALL4, { V4, .protocol = PACKET_GRE, .payload = 40 }, IS_DROPPED(BOTNET) },
	{ "B16: ESP of a listed IPv6 source is dropped",
	  ALL6, { V6, .protocol = PACKET_ESP, .payload = 40 }, IS_DROPPED(BOTNET) },
	{ "B16: SCTP of a listed source is dropped",
	  ALL4, { V4, .protocol = PACKET_SCTP, .port = 22 }, IS_DROPPED(BOTNET) },
	{ "B16: IPIP of a listed source is dropped",
	  ALL4, { V4, .protocol = PACKET_IPIP, .payload = 40 }, IS_DROPPED(BOTNET) },
	{ "B16: OSPF of a listed source is dropped",
	  ALL4, { V4, .destination = "224.0.0.5", .protocol = PACKET_OSPF, .payload = 44 },
	  IS_DROPPED(BOTNET) },
	{ "B16: GRE is out of a scope of TCP",
	  SSH4, { V4, .protocol = PACKET_GRE, .payload = 40, .fill = 22 },
	  PASSES(MOAT_OUT_OF_SCOPE) },
	{ "B17: ICMPv6 of a listed source is dropped",
	  ALL6, { V6, .protocol = PACKET_ICMPV6, .port = 128 }, IS_DROPPED(BOTNET) },
	{ "B17: an ICMPv6 echo request fits a scope of ICMP",
	  { { "2001:db8::1", PINGER } },
	  { V6, EXT(1, HOP), .protocol = PACKET_ICMPV6, .port = 128 },
	  IS_DROPPED(PINGER) },
	{ "B18: a TCP header cut to 8 bytes does not let a listed source through",
	  ALL4, { V4, TCP(80), .cut = 14 + 20 + 8 }, IS_DROPPED(BOTNET) },
	{ "B18: a TCP header cut to 8 bytes still has its ports",
	  SSH4, { V4, TCP(80), .cut = 14 + 20 + 8 }, PASSES(MOAT_OUT_OF_SCOPE) },
	{ "B18: a TCP header cut inside its ports fits every port of TCP",
	  SSH4, { V4, TCP(80), .cut = 14 + 20 + 3 }, IS_DROPPED(BRUTEFORCE) },
	{ "B18: a UDP header cut inside its ports does not fit a scope of TCP",
	  SSH6, { V6, UDP(22), .cut = 14 + 40 + 3 }, PASSES(MOAT_OUT_OF_SCOPE) },
	{ "B18: a cut TCP header of a clean source passes as clean",
	  CLEAN4, { V4, TCP(80), .cut = 14 + 20 + 1 }, PASSES(MOAT_CLEAN) },
	{ "B19: a short ARP frame passes", ALL4, { .type = 0x0806, .payload = 1 },
	  PASSES(MOAT_NOT_IP) },
	{ "B19: a short frame that is not IP passes", ALL4, { .type = 0x88cc },
	  PASSES(MOAT_NOT_IP) },
	{ "B20: an IPv4 header cut inside the source address is counted as truncated",
	  ALL4, { V4, TCP(80), .cut = 14 + 15 }, PASSES(MOAT_TRUNCATED) },
	{ "B20: an IPv4 header cut behind the source address: a listed source is dropped",
	  ALL4, { V4, TCP(80), .cut = 14 + 16 }, IS_DROPPED(BOTNET) },
	{ "B20: an IPv4 header cut behind the source address: a clean source is counted as truncated",
	  CLEAN4, { V4, TCP(80), .cut = 14 + 19 }, PASSES(MOAT_TRUNCATED) },
	{ "B20: an IPv4 header cut behind the protocol fits every port of it",
	  SSH4, { V4, TCP(80), .cut = 14 + 16 }, IS_DROPPED(BRUTEFORCE) },
	{ "B20: cut IPv4 headers drop where the configuration says so",
	  CLEAN4, { V4, TCP(80), .cut = 14 + 15 }, .drop = BIT(MOAT_TRUNCATED),
	  .verdict = DROP, .reason = MOAT_TRUNCATED },
	{ "B21: a listing that expired passes, and the expiry is visible",
	  { { "192.0.2.1", BOTNET, -2 } }, { V4, TCP(80) }, PASSES(MOAT_EXPIRED) },
	{ "B24: a frame of 9000 bytes from a listed source is dropped",
	  ALL4, { V4, UDP(80), .payload = 8972 }, IS_DROPPED(BOTNET) },
	{ "B24: a frame of 60,000 bytes from a listed IPv6 source is dropped by its port",
	  SSH6, { V6, EXT(1, HOP), TCP(22), .payload = 60000 }, IS_DROPPED(BRUTEFORCE) },
	{ "B24: a frame of 9000 bytes is tagged, whole",
	  { { "192.0.2.1", SCANNER } }, { V4, TCP(80), .payload = 8960 },
	  .verdict = MOAT_VERDICT_TAG, .reason = MOAT_TAGGED, .category = SCANNER },
	{ "B24: a frame of 9000 bytes from a clean source passes, counted whole",
	  CLEAN4, { V4, UDP(80), .payload = 8972 }, PASSES(MOAT_CLEAN) },
};
/* clang-format on */

static const struct packet from_listed = { V4, TCP(80) };

/* More bans than the map holds are refused one by one; nothing that is in is forgotten. */
static void full_map(void **state)
{
	struct harness *h = NULL;
	const struct harness_options small = { .capacity = { 64, 64 }, .phases = 16 };
	_cleanup_(sentence_world_freep) struct reference *world = sentence_world();
	struct moat_source value = { .class = 1 };
	unsigned int refused = 0;

	(void)state;
	sentence_add(world, "192.0.2.1", BOTNET, 0);
	assert_int_equal(harness_new(&small, &h), 0);
	install_plain(h, world, 1);
	for (uint32_t i = 0; i < 10 * 64; i++) {
		struct moat_key4 key = { .len = 32, .addr = htonl(0xc6120000 + i) };

		if (bpf_map_update_elem(harness_fd(h, MOAT_MAP_SOURCE4), &key, &value, BPF_ANY))
			refused++;
		sentence_expect(h, &from_listed, DROP, MOAT_LISTED, BOTNET);
	}
	assert_int_equal(refused, 10 * 64 - 63);
	assert_true(harness_check_sum(h));
	harness_free(h);
}

/*
 * Each interface has its own instance of the program, whatever ifindex its
 * packets carry: a bond's members change nothing.
 */
static void per_interface(void **state)
{
	const struct harness_options alone = { .capacity = { 64, 64 }, .phases = 16 };
	struct harness *eth = NULL, *bond = NULL;
	struct harness_options shared = alone;
	_cleanup_(sentence_world_freep) struct reference *world = sentence_world();

	(void)state;
	sentence_add(world, "192.0.2.1", BOTNET, 0);
	assert_int_equal(harness_new(&alone, &eth), 0);
	shared.share = eth;
	assert_int_equal(harness_new(&shared, &bond), 0);
	install_plain(eth, world, 1);
	world->enforce = false;
	harness_switch(bond, world);

	sentence_expect(eth, &from_listed, DROP, MOAT_LISTED, BOTNET);
	sentence_expect(bond, &from_listed, MONITOR, MOAT_LISTED, BOTNET);
	sentence_expect(eth, &from_listed, DROP, MOAT_LISTED, BOTNET);
	assert_true(harness_check_sum(eth));
	assert_true(harness_check_sum(bond));
	harness_free(bond);
	harness_free(eth);
}

/* Where the kernel knows no fragments the same object loads without, and judges. */
static void without_frags(void **state)
{
	const struct harness_options linear = { .capacity = { 64, 64 },
						.phases = 16,
						.linear = true };
	_cleanup_(sentence_world_freep) struct reference *world = sentence_world();
	struct harness *h = NULL;

	(void)state;
	sentence_add(world, "192.0.2.0/24", BOTNET, 0);
	assert_int_equal(harness_new(&linear, &h), 0);
	install_plain(h, world, 1);
	sentence_expect(h, &from_listed, DROP, MOAT_LISTED, BOTNET);
	assert_false(harness_takes_frags(h));
	assert_true(harness_check_sum(h));
	harness_free(h);
}

int main(void)
{
	static const struct CMUnitTest more[] = {
		{ "B22: ten times the capacity of new bans do not let a listed source through",
		  full_map, NULL, NULL, NULL },
		{ "B23: the policy of an interface is its own, whatever carries the packet",
		  per_interface, NULL, NULL, NULL },
		{ "B24: loaded without fragments the program judges what one buffer holds",
		  without_frags, NULL, NULL, NULL },
	};

	return sentence_run("bypasses", rows, ARRAY_SIZE(rows), more, ARRAY_SIZE(more));
}
