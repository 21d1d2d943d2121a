/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the four actions do to packets, the tag in particular, and how limits,
 * phases and pauses go on with time.
 */
#include <arpa/inet.h>

#include "moat/abi.h"
#include "tests/prog/sentence.h"

#define PASS	MOAT_VERDICT_PASS
#define DROP	MOAT_VERDICT_DROP
#define TAG	MOAT_VERDICT_TAG
#define MONITOR MOAT_VERDICT_MONITOR

#define V4 .source = "192.0.2.1", .protocol = PACKET_TCP, .port = 80
#define V6 .source = "2001:db8::1", .protocol = PACKET_TCP, .port = 80

#define IS_TAGGED(c) .verdict = TAG, .reason = MOAT_TAGGED, .category = c
#define IS_WITHIN(c) .verdict = PASS, .reason = MOAT_WITHIN_LIMIT, .category = c
#define IS_OVER(c)   .verdict = DROP, .reason = MOAT_LIMIT, .category = c

/* clang-format off */
static const struct sentence rows[] = {
	{ "the last packet of a burst is within the limit",
	  { { "192.0.2.1", SCRAPER } }, { V4 }, SCRAPER_BURST - 1, IS_WITHIN(SCRAPER) },
	{ "the first packet after a burst is over the limit",
	  { { "192.0.2.1", SCRAPER } }, { V4 }, SCRAPER_BURST, IS_OVER(SCRAPER) },
	{ "the first packet after a burst of an IPv6 network is over the limit",
	  { { "2001:db8::/48", SCRAPER } }, { V6 }, SCRAPER_BURST, IS_OVER(SCRAPER) },
	{ "packets over the limit cost nothing: the fifth is over it like the fourth",
	  { { "192.0.2.1", SCRAPER } }, { V4 }, SCRAPER_BURST + 1, IS_OVER(SCRAPER) },
	{ "a limit by bits counts whole frames: 2 of 150 bytes are within 300",
	  { { "192.0.2.1", QUOTA } }, { V4, .payload = 150 - 54 }, 1, IS_WITHIN(QUOTA) },
	{ "a limit by bits counts whole frames: 3 of 150 bytes are over 300",
	  { { "192.0.2.1", QUOTA } }, { V4, .payload = 150 - 54 }, 2, IS_OVER(QUOTA) },
	{ "a limit by bits lets a frame longer than the burst never through",
	  { { "2001:db8::1", QUOTA } }, { V6, .payload = 300 }, 0, IS_OVER(QUOTA) },
	{ "a limit out of scope limits nothing",
	  { { "192.0.2.1", RESOLVER } }, { V4 }, 3, .verdict = PASS, .reason = MOAT_OUT_OF_SCOPE },
	{ "a limit in scope limits",
	  { { "192.0.2.1", RESOLVER } },
	  { .source = "192.0.2.1", .protocol = PACKET_UDP, .port = 53 }, 1,
	  IS_OVER(RESOLVER) },
	{ "a limit is not relieved by a weaker action that also fits",
	  { { "192.0.2.1", SCRAPER }, { "192.0.2.0/24", SCANNER } }, { V4 }, SCRAPER_BURST,
	  IS_OVER(SCRAPER) },

	{ "a tag marks and colours an IPv4 packet",
	  { { "192.0.2.1", SCANNER } }, { V4, .payload = 20 }, IS_TAGGED(SCANNER) },
	{ "a tag marks and colours an IPv6 packet",
	  { { "2001:db8::1", SCANNER } }, { V6, .payload = 20 }, IS_TAGGED(SCANNER) },
	{ "a tag can mark only",
	  { { "192.0.2.1", MARKED } }, { V4, .field = 0x2e }, IS_TAGGED(MARKED) },
	{ "a tag can colour only",
	  { { "2001:db8::1", COLOURED } }, { V6, .field = 0x03 }, IS_TAGGED(COLOURED) },
	{ "a tag colours behind three VLAN tags and IPv4 options",
	  { { "192.0.2.1", SCANNER } },
	  { .tag = { 0x88a8, 0x8100, 0x8100 }, V4, .options = 24, .option = 1, .field = 0xff },
	  IS_TAGGED(SCANNER) },
	{ "a tag colours behind three VLAN tags on IPv6",
	  { { "2001:db8::1", SCANNER } }, { .tag = { 0x88a8, 0x8100, 0x8100 }, V6, .field = 0xff },
	  IS_TAGGED(SCANNER) },
	{ "a tag keeps the ECN bits and the checksum right",
	  { { "192.0.2.1", COLOURED } }, { V4, .field = 0x01 }, IS_TAGGED(COLOURED) },
	{ "a DSCP that is there already changes nothing",
	  { { "192.0.2.1", COLOURED } }, { V4, .field = 46 << 2 | 2 }, IS_TAGGED(COLOURED) },
	{ "a wrong checksum stays wrong, for the stack to refuse",
	  { { "192.0.2.1", COLOURED } }, { V4, .wrong = 1 }, IS_TAGGED(COLOURED) },
	{ "a cut IPv4 header is marked, its DSCP left alone",
	  { { "192.0.2.1", SCANNER } }, { V4, .cut = 14 + 18 }, IS_TAGGED(SCANNER) },
	{ "a later fragment is tagged",
	  { { "192.0.2.1", SCANNER } }, { V4, .offset = 100, .headless = true, .payload = 40 },
	  IS_TAGGED(SCANNER) },

	{ "monitor passes, changes nothing and counts",
	  { { "192.0.2.1", RESEARCH } }, { V4, .field = 0xff },
	  .verdict = MONITOR, .reason = MOAT_MONITORED, .category = RESEARCH },
};
/* clang-format on */

static const struct packet from4 = { V4 };
static const struct packet from6 = { V6 };

static void install_one(const char *source, enum category category, uint64_t expires)
{
	_cleanup_(sentence_world_freep) struct reference *world = sentence_world();

	sentence_add(world, source, category, expires);
	install_plain(sentence_harness(), world, 1);
}

/* Sends until the packet leaves with a reason; fails if that takes 5 seconds. */
static void send_until(const struct packet *packet, enum moat_reason reason)
{
	struct harness *h = sentence_harness();
	_cleanup_free_ uint8_t *frame = calloc(1, PACKET_MAX);
	size_t size = packet_build(packet, frame);
	uint64_t deadline = harness_now() + 5 * SENTENCE_SECOND;
	struct reference_outcome counted;
	struct harness_seen seen;

	do {
		assert_true(harness_now() < deadline);
		harness_grown(h);
		assert_int_equal(harness_send(h, frame, size, &seen), 0);
		harness_cell_meaning(harness_grown(h), &counted);
	} while (counted.reason != reason);
	assert_true(harness_check_sum(h));
}

static void marks_bytes(void **state)
{
	_cleanup_free_ uint8_t *frame = calloc(1, PACKET_MAX);
	const struct packet packet = { V4, .field = 0x03, .payload = 8 };
	size_t size = packet_build(&packet, frame);
	struct harness_seen seen;

	(void)state;
	install_one("192.0.2.1", SCANNER, 0);
	assert_int_equal(harness_send(sentence_harness(), frame, size, &seen), 0);
	assert_true(harness_mark_is(&seen, true, 0x10));
	assert_int_equal(seen.size, size);
	assert_int_equal(seen.frame[14 + 1], 8 << 2 | 3);
	assert_int_equal(seen.frame[14 + 10] << 8 | seen.frame[14 + 11],
			 reference_checksum(seen.frame + 14, 20));
	assert_memory_equal(seen.frame, frame, 14 + 1);
	assert_memory_equal(seen.frame + 14 + 12, frame + 14 + 12, size - 26);
}

static void traffic_class_bytes(void **state)
{
	_cleanup_free_ uint8_t *frame = calloc(1, PACKET_MAX);
	const struct packet packet = { V6, .field = 0xfd };
	size_t size = packet_build(&packet, frame);
	struct harness_seen seen;

	(void)state;
	install_one("2001:db8::/32", COLOURED, 0);
	assert_int_equal(harness_send(sentence_harness(), frame, size, &seen), 0);
	assert_false(seen.marked);
	assert_int_equal(seen.frame[14], 0x60 | (46 << 2 | 1) >> 4);
	assert_int_equal(seen.frame[15], ((46 << 2 | 1) & 15) << 4 | 0x5);
	assert_memory_equal(seen.frame + 16, frame + 16, size - 16);
}

/* Every DSCP over every TOS byte, against a checksum summed anew. */
static void all_checksums(void **state)
{
	_cleanup_(sentence_world_freep) struct reference *world = sentence_world();
	_cleanup_free_ uint8_t *frame = calloc(1, PACKET_MAX);
	struct harness *h = sentence_harness();
	struct harness_seen seen;

	(void)state;
	sentence_add(world, "192.0.2.1", COLOURED, 0);
	for (unsigned int dscp = 0; dscp < 64; dscp++) {
		world->policy[COLOURED].dscp = dscp;
		install_plain(h, world, 1);
		for (unsigned int tos = 0; tos < 256; tos++) {
			struct packet packet = { V4, .field = tos };
			size_t size = packet_build(&packet, frame);

			assert_int_equal(harness_send(h, frame, size, &seen), 0);
			assert_int_equal(seen.frame[15], dscp << 2 | (tos & 3));
			assert_int_equal(seen.frame[24] << 8 | seen.frame[25],
					 reference_checksum(seen.frame + 14, 20));
		}
	}
	assert_true(harness_check_sum(h));
}

/* So much metadata is before the frame already that no room is left for the tag. */
static void no_room_for_metadata(void **state)
{
	_cleanup_free_ uint8_t *frame = calloc(1, PACKET_MAX);
	_cleanup_(sentence_world_freep) struct reference *world = sentence_world();
	struct harness *h = sentence_harness();
	size_t size = packet_build(&from4, frame);
	struct reference_outcome counted, model;
	struct harness_seen seen;
	int err = -EINVAL;

	(void)state;
	sentence_add(world, "192.0.2.1", SCANNER, 0);
	world->no_metadata = true;
	install_plain(h, world, 1);
	harness_grown(h);
	for (size_t room = 252; room && err; room -= 4) /* the most this kernel takes */
		err = harness_send_behind(h, room, frame, size, &seen);
	if (err == -EOPNOTSUPP)
		skip();
	assert_int_equal(err, 0);
	harness_cell_meaning(harness_grown(h), &counted);
	assert_int_equal(counted.reason, MOAT_TAG_FAILED);
	assert_int_equal(counted.verdict, PASS);
	assert_int_equal(counted.category, SCANNER);
	assert_int_equal(seen.xdp, XDP_PASS);
	assert_false(seen.marked);
	reference_judge(world, harness_now(), frame, size, &model);
	assert_int_equal(model.reason, MOAT_TAG_FAILED);
	assert_memory_equal(seen.frame, frame, size); /* the DSCP is set all the same */
	assert_true(harness_check_sum(h));
}

static void mark_without_tag(void **state)
{
	_cleanup_free_ uint8_t *frame = calloc(1, PACKET_MAX);
	uint32_t mark = 0x77;
	int action = 0;

	(void)state;
	assert_int_equal(harness_send_tc(sentence_harness(), frame, packet_build(&from4, frame),
					 &mark, &action),
			 0);
	assert_int_equal(action, -1); /* TC_ACT_UNSPEC */
	assert_int_equal(mark, 0x77);
}

static void buckets_apart(void **state)
{
	_cleanup_(sentence_world_freep) struct reference *world = sentence_world();
	struct harness *h = sentence_harness();
	const struct packet other = { .source = "192.0.2.2", .protocol = PACKET_TCP };

	(void)state;
	sentence_add(world, "192.0.2.1", SCRAPER, 0);
	sentence_add(world, "192.0.2.2", SCRAPER, 0);
	sentence_add(world, "2001:db8::1", SCRAPER, 0);
	install_plain(h, world, 1);
	for (int i = 0; i < SCRAPER_BURST; i++)
		sentence_expect(h, &from4, PASS, MOAT_WITHIN_LIMIT, SCRAPER);
	sentence_expect(h, &from4, DROP, MOAT_LIMIT, SCRAPER);
	sentence_expect(h, &other, PASS, MOAT_WITHIN_LIMIT, SCRAPER);
	sentence_expect(h, &from6, PASS, MOAT_WITHIN_LIMIT, SCRAPER);
	sentence_expect(h, &from4, DROP, MOAT_LIMIT, SCRAPER);
	assert_true(harness_check_sum(h));
}

static void bucket_of_network(void **state)
{
	struct harness *h = sentence_harness();

	(void)state;
	install_one("192.0.2.0/24", SCRAPER, 0);
	for (unsigned int i = 1; i <= SCRAPER_BURST + 1; i++) {
		char source[INET_ADDRSTRLEN];
		const struct packet packet = { .source = source, .protocol = PACKET_UDP };

		snprintf(source, sizeof(source), "192.0.2.%u", i);
		if (i <= SCRAPER_BURST)
			sentence_expect(h, &packet, PASS, MOAT_WITHIN_LIMIT, SCRAPER);
		else
			sentence_expect(h, &packet, DROP, MOAT_LIMIT, SCRAPER);
	}
	assert_true(harness_check_sum(h));
}

static void limit_refills(void **state)
{
	_cleanup_(sentence_world_freep) struct reference *world = sentence_world();
	struct harness *h = sentence_harness();

	(void)state;
	world->policy[SCRAPER].period = SENTENCE_SECOND;
	world->policy[SCRAPER].burst = SENTENCE_SECOND + SENTENCE_SECOND / 2;
	sentence_add(world, "192.0.2.1", SCRAPER, 0);
	install_plain(h, world, 1);
	sentence_expect(h, &from4, PASS, MOAT_WITHIN_LIMIT, SCRAPER);
	send_until(&from4, MOAT_LIMIT);
	send_until(&from4, MOAT_WITHIN_LIMIT);
}

static void expires_while_watching(void **state)
{
	(void)state;
	install_one("192.0.2.1", BOTNET, harness_now() + SENTENCE_SECOND / 2);
	sentence_expect(sentence_harness(), &from4, DROP, MOAT_LISTED, BOTNET);
	send_until(&from4, MOAT_EXPIRED);
}

static void phases_while_watching(void **state)
{
	_cleanup_(sentence_world_freep) struct reference *world = sentence_world();
	uint64_t now = harness_now();

	(void)state;
	sentence_add(world, "2001:db8::1", BOTNET, now + SENTENCE_SECOND / 2);
	sentence_add(world, "2001:db8::/64", RESEARCH, now + SENTENCE_SECOND);
	sentence_add(world, "2001:db8::1", SCANNER, now + 3 * SENTENCE_SECOND / 2);
	install_plain(sentence_harness(), world, 1);
	sentence_expect(sentence_harness(), &from6, DROP, MOAT_LISTED, BOTNET);
	send_until(&from6, MOAT_TAGGED);
	send_until(&from6, MOAT_EXPIRED);
}

static void pause_ends(void **state)
{
	_cleanup_(sentence_world_freep) struct reference *world = sentence_world();
	struct harness *h = sentence_harness();

	(void)state;
	sentence_add(world, "192.0.2.1", BOTNET, 0);
	world->paused_until = harness_now() + SENTENCE_SECOND / 2;
	install_plain(h, world, 1);
	sentence_expect(h, &from4, PASS, MOAT_PAUSED, ALLOW);
	send_until(&from4, MOAT_LISTED);
	assert_true(harness_now() >= world->paused_until);

	world->paused_until = MOAT_PAUSE_FOREVER;
	harness_switch(h, world);
	sentence_expect(h, &from4, PASS, MOAT_PAUSED, ALLOW);
	world->paused_until = 0;
	harness_switch(h, world);
	sentence_expect(h, &from4, DROP, MOAT_LISTED, BOTNET);
}

static void unknown_class(void **state)
{
	struct harness *h = sentence_harness();
	struct moat_key4 key = { .len = 32, .addr = htonl(0xc0000201) };
	struct moat_source value = { .class = MOAT_CLASSES - 1 };

	(void)state;
	install_one("192.0.2.1", BOTNET, 0);
	harness_write(h, MOAT_MAP_SOURCE4, &key, &value);
	sentence_expect(h, &from4, PASS, MOAT_INTERNAL, ALLOW);
	value.class = UINT32_MAX; /* no such class at all */
	harness_write(h, MOAT_MAP_SOURCE4, &key, &value);
	sentence_expect(h, &from4, PASS, MOAT_INTERNAL, ALLOW);
	assert_true(harness_check_sum(h));
}

/* Before a daemon wrote anything: even the switch for enforcement is off. */
static void fresh_maps(void **state)
{
	const struct harness_options fresh = { .capacity = { 1, 1 }, .phases = 2 };
	struct harness *h = NULL;

	(void)state;
	assert_int_equal(harness_new(&fresh, &h), 0);
	sentence_expect(h, &from4, PASS, MOAT_EMPTY, ALLOW);
	sentence_expect(h, &from6, PASS, MOAT_EMPTY, ALLOW);
	assert_true(harness_check_sum(h));
	harness_free(h);
}

#define TEST(says, fn)                                                                             \
	{                                                                                          \
		says, fn, NULL, NULL, NULL                                                         \
	}

int main(void)
{
	static const struct CMUnitTest more[] = {
		TEST("a mark lies in the metadata, ECN stays, only TOS and checksum change",
		     marks_bytes),
		TEST("a DSCP on IPv6 leaves ECN and the flow label alone", traffic_class_bytes),
		TEST("the checksum is right for every DSCP over every TOS byte", all_checksums),
		TEST("a tag without room for metadata passes as tag_failed", no_room_for_metadata),
		TEST("moat_mark leaves a packet without tag alone", mark_without_tag),
		TEST("every limited source has a bucket of its own", buckets_apart),
		TEST("the hosts of a limited network share its bucket", bucket_of_network),
		TEST("a source over its limit is within it again with time", limit_refills),
		TEST("a listing expires while nobody writes", expires_while_watching),
		TEST("a source goes through its phases while nobody writes", phases_while_watching),
		TEST("a pause ends by itself, or when it is told to", pause_ends),
		TEST("a source of an unknown class passes as internal", unknown_class),
		TEST("with maps that nobody wrote every packet passes as empty", fresh_maps),
	};

	return sentence_run("actions", rows, ARRAY_SIZE(rows), more, ARRAY_SIZE(more));
}
