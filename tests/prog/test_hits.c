/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the program notes of listed sources: every packet while there is time,
 * the right number on average in a flood, at the prefix that decided, in a
 * table that stays as small as it is. Needs root.
 */
#include <sched.h>
#include <time.h>

#include <bpf/bpf.h>

#include "core/prefix.h"
#include "moat/abi.h"
#include "moat/hits.h"
#include "plane/object.h"
#include "tests/prog/sentence.h"

#define BOTNET_IS   MOAT_VERDICT_DROP, MOAT_LISTED, BOTNET
#define QUIET_TICKS 10
#define QUIET	    20 /* packets a tick: well below what is noted of each */
#define FLOOD	    20 /* runs of harness_time() */
#define SENDERS	    8
#define TURNS	    200000
#define CHI2_8DF    42.7 /* p = 0.000001 */
#define SMALL	    256	 /* entries of a table that is too small */
#define LIST	    60	 /* sources listed at once that hit it */

static const struct packet from4 = { .source = "192.0.2.1", .protocol = PACKET_TCP, .port = 80 };
static const struct packet from6 = { .source = "2001:db8::1", .protocol = PACKET_TCP, .port = 80 };

/* ---- tables and time ---- */

static int slot(void)
{
	return harness_fd(sentence_harness(), MOAT_MAP_HIT_SLOT);
}

/* What is noted goes into a new table from now on. Returns its fd. */
static int new_table(uint32_t entries)
{
	struct problem why;
	uint32_t zero = 0;
	/* As moatd does: 6.1 takes into a slot only what has the BTF that was foreseen. */
	int table = object_make_table(MOAT_MAP_HITS, entries, &why);

	assert_true(table >= 0);
	assert_int_equal(bpf_map_update_elem(slot(), &zero, &table, BPF_ANY), 0);
	return table;
}

static struct moat_hit hit_of(int table, const char *source)
{
	struct moat_hit_key key = {};
	struct moat_hit hit = {};
	struct prefix p;

	assert_int_equal(prefix_parse(source, &p), 0);
	memcpy(key.addr, p.addr, sizeof(key.addr));
	key.family = p.family;
	key.len = p.len;
	if (bpf_map_lookup_elem(table, &key, &hit))
		return (struct moat_hit){};
	return hit;
}

static uint32_t entries_of(int table)
{
	struct moat_hit_key key, *after = NULL;
	uint32_t count = 0;

	for (; !bpf_map_get_next_key(table, after, &key); count++)
		after = &key;
	return count;
}

static struct timespec coarse(void)
{
	struct timespec now;

	assert_int_equal(clock_gettime(CLOCK_MONOTONIC_COARSE, &now), 0);
	return now;
}

/* Waits until the timer of the kernel ticks: each CPU may note many again. */
static void next_tick(void)
{
	struct timespec begin = coarse(), now;

	do
		now = coarse();
	while (now.tv_sec == begin.tv_sec && now.tv_nsec == begin.tv_nsec);
}

static void list(const char *source, enum category category)
{
	_cleanup_(sentence_world_freep) struct reference *world = sentence_world();

	sentence_add(world, source, category, 0);
	install_plain(sentence_harness(), world, 1);
}

static size_t send_one(const struct packet *packet)
{
	static uint8_t frame[PACKET_MAX];
	size_t size = packet_build(packet, frame);
	struct harness_seen seen;

	assert_int_equal(harness_send(sentence_harness(), frame, size, &seen), 0);
	return size;
}

/* ---- which packets, and whose ---- */

static void a_quiet_source_is_noted_packet_by_packet(void **state)
{
	_cleanup_close_ int table = new_table(1024);
	uint32_t now = harness_now() >> MOAT_TICK_SHIFT;
	struct moat_hit hit;
	size_t size = 0;

	(void)state;
	list("192.0.2.1", BOTNET);
	for (int tick = 0; tick < QUIET_TICKS; tick++) {
		next_tick();
		for (int i = 0; i < QUIET; i++)
			size = send_one(&from4);
	}
	hit = hit_of(table, "192.0.2.1");
	assert_int_equal(hit.packets, QUIET_TICKS * QUIET);
	assert_int_equal(hit.bytes, QUIET_TICKS * QUIET * size);
	assert_int_equal(hit.sampled, 0);
	assert_true(hit.first >= now && hit.last >= hit.first);
	assert_true(hit.last <= harness_now() >> MOAT_TICK_SHIFT);
	assert_int_equal(entries_of(table), 1);
}

static bool time_has_passed(uint32_t tick)
{
	return harness_now() >> MOAT_TICK_SHIFT > tick;
}

static void the_last_packet_moves_on_and_the_first_stays(void **state)
{
	_cleanup_close_ int table = new_table(1024);
	struct moat_hit before, after;

	(void)state;
	list("192.0.2.1", BOTNET);
	next_tick();
	send_one(&from4);
	before = hit_of(table, "192.0.2.1");
	while (!time_has_passed(before.last))
		sched_yield();
	next_tick();
	send_one(&from4);
	after = hit_of(table, "192.0.2.1");
	assert_int_equal(after.first, before.first);
	assert_true(after.last > before.last);
	assert_int_equal(after.packets, 2);
}

static void a_hit_goes_to_the_prefix_that_decided(void **state)
{
	static const struct {
		const char *source, *prefix;
	} rows[] = {
		{ "192.0.2.129", "192.0.2.128/25" },
		{ "192.0.2.1", "192.0.2.0/24" },
		{ "198.51.100.77", "198.51.0.0/17" },
		{ "203.0.113.9", "203.0.113.9" },
		{ "2001:db8::5:0:0:1", "2001:db8:0:0:5::/80" },
		{ "2001:db8:0:7:1::1", "2001:db8::/61" },
		{ "2001:db9::1", "2001:db9::/32" },
		{ "2001:db8:f::3", "2001:db8:f::3" },
		{ "2001:dba::1", "2001:dba::/64" },
	};
	_cleanup_(sentence_world_freep) struct reference *world = sentence_world();
	_cleanup_close_ int table = new_table(1024);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		sentence_add(world, rows[i].prefix, BOTNET, 0);
	install_plain(sentence_harness(), world, 1);
	next_tick();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct packet packet = { .source = rows[i].source, .protocol = PACKET_UDP };

		sentence_expect(sentence_harness(), &packet, BOTNET_IS);
		if (hit_of(table, rows[i].prefix).packets != 1)
			fail_msg("%s: not noted at %s", rows[i].source, rows[i].prefix);
	}
	assert_int_equal(entries_of(table), ARRAY_SIZE(rows));
}

static void whatever_a_policy_decides_is_a_hit(void **state)
{
	static const enum category categories[] = { BOTNET, SCRAPER, SCANNER, RESEARCH, ALLOW };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(categories); i++) {
		_cleanup_close_ int table = new_table(1024);

		list("2001:db8::/32", categories[i]);
		next_tick();
		send_one(&from6);
		if (hit_of(table, "2001:db8::/32").packets != 1)
			fail_msg("category %d: no hit", categories[i]);
	}
}

static void what_no_policy_decides_is_none(void **state)
{
	_cleanup_(sentence_world_freep) struct reference *world = sentence_world();
	_cleanup_close_ int table = new_table(1024);
	static const struct packet clean = { .source = "203.0.113.1", .protocol = PACKET_UDP };
	struct harness *h = sentence_harness();

	(void)state;
	sentence_add(world, "192.0.2.1", BRUTEFORCE, 0);
	sentence_add(world, "2001:db8::1", BOTNET, 2ULL << MOAT_TICK_SHIFT); /* long ago */
	install_plain(h, world, 1);
	next_tick();
	sentence_expect(h, &clean, MOAT_VERDICT_PASS, MOAT_CLEAN, 0);
	sentence_expect(h, &from4, MOAT_VERDICT_PASS, MOAT_OUT_OF_SCOPE, 0);
	sentence_expect(h, &from6, MOAT_VERDICT_PASS, MOAT_EXPIRED, 0);
	world->paused_until = REFERENCE_FOREVER;
	harness_switch(h, world);
	sentence_expect(h, &from4, MOAT_VERDICT_PASS, MOAT_PAUSED, 0);
	assert_int_equal(entries_of(table), 0);
}

static void without_a_table_nothing_is_noted_and_nothing_changes(void **state)
{
	int table = new_table(1024);
	uint32_t zero = 0;

	(void)state;
	list("192.0.2.1", BOTNET);
	assert_int_equal(bpf_map_delete_elem(slot(), &zero), 0);
	next_tick();
	sentence_expect(sentence_harness(), &from4, BOTNET_IS);
	assert_int_equal(entries_of(table), 0);
	close(table);
}

/* ---- floods ---- */

static void a_flood_is_counted_right_on_average(void **state)
{
	_cleanup_close_ int table = new_table(1024);
	_cleanup_free_ uint8_t *frame = calloc(1, PACKET_MAX);
	size_t size = packet_build(&from4, frame);
	double off, expected = 0;
	struct moat_hit hit;

	(void)state;
	list("192.0.2.1", BOTNET);
	for (int i = 0; i < FLOOD; i++) {
		harness_time(sentence_harness(), false, frame, size);
		expected += 100000;
	}
	hit = hit_of(table, "192.0.2.1");
	off = (double)hit.packets - expected;
	print_message("%.0f packets, counted about %.0f: %+.2f %%\n", expected, (double)hit.packets,
		      100 * off / expected);
	/* Six standard deviations of what is left to chance. */
	assert_true(off * off < 36 * expected * MOAT_HIT_CHANCE);
	assert_int_equal(hit.bytes, hit.packets * size);
	assert_int_equal(hit.sampled, 1);
}

/* Senders in strict turns: who takes every n-th packet would see some of them only. */
static void each_sender_of_a_flood_has_its_share(void **state)
{
	_cleanup_(sentence_world_freep) struct reference *world = sentence_world();
	_cleanup_close_ int table = new_table(1024);
	static uint8_t frame[SENDERS][256];
	double expected = (double)TURNS / SENDERS, chi2 = 0;
	char source[SENDERS][20];
	struct harness_seen seen;
	size_t size = 0;

	(void)state;
	for (int i = 0; i < SENDERS; i++) {
		struct packet packet = { .source = source[i], .protocol = PACKET_UDP };

		snprintf(source[i], sizeof(source[i]), "192.0.2.%d", i);
		sentence_add(world, source[i], BOTNET, 0);
		size = packet_build(&packet, frame[i]);
	}
	install_plain(sentence_harness(), world, 1);
	for (int i = 0; i < TURNS; i++)
		assert_int_equal(harness_send(sentence_harness(), frame[i % SENDERS], size, &seen),
				 0);
	for (int i = 0; i < SENDERS; i++) {
		double off = (double)hit_of(table, source[i]).packets - expected;

		chi2 += off * off / (expected * MOAT_HIT_CHANCE);
	}
	print_message("chi-square %.1f\n", chi2);
	assert_true(chi2 < CHI2_8DF);
}

/* One packet from each of LIST sources that are listed for it. */
static void hit_by_many(int group, char source[static 20])
{
	_cleanup_(sentence_world_freep) struct reference *world = sentence_world();

	for (int i = 0; i < LIST; i++) {
		snprintf(source, 20, "198.18.%d.%d", group, i);
		sentence_add(world, source, BOTNET, 0);
	}
	install_plain(sentence_harness(), world, 1);
	for (int i = 0; i < LIST; i++) {
		struct packet packet = { .source = source, .protocol = PACKET_UDP };

		if (i % QUIET == 0)
			next_tick();
		snprintf(source, 20, "198.18.%d.%d", group, i);
		send_one(&packet);
	}
}

static void a_full_table_forgets_who_was_not_seen_for_long(void **state)
{
	_cleanup_close_ int table = new_table(SMALL);
	char source[20];

	(void)state;
	for (int group = 0; group < 5; group++)
		hit_by_many(group, source);
	assert_true(entries_of(table) <= SMALL);
	assert_int_equal(hit_of(table, source).packets, 1); /* the last one */
	assert_int_equal(hit_of(table, "198.18.0.0").packets, 0);
	assert_true(harness_check_sum(sentence_harness()));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_quiet_source_is_noted_packet_by_packet),
		cmocka_unit_test(the_last_packet_moves_on_and_the_first_stays),
		cmocka_unit_test(a_hit_goes_to_the_prefix_that_decided),
		cmocka_unit_test(whatever_a_policy_decides_is_a_hit),
		cmocka_unit_test(what_no_policy_decides_is_none),
		cmocka_unit_test(without_a_table_nothing_is_noted_and_nothing_changes),
		cmocka_unit_test(a_flood_is_counted_right_on_average),
		cmocka_unit_test(each_sender_of_a_flood_has_its_share),
		cmocka_unit_test(a_full_table_forgets_who_was_not_seen_for_long),
	};
	cpu_set_t one;

	/* The pace is one CPU's. */
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		perror("sched_setaffinity");
	return sentence_run("hits", NULL, 0, tests, ARRAY_SIZE(tests));
}
