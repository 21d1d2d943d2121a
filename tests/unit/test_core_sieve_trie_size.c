// SPDX-License-Identifier: BSD-2-Clause
/*
 * The sieve's IPv4 prefixes in numbers that occur: a full routing table, a
 * million nested ones, the default route over them.
 *
 * Oracle: the prefixes of each length in the order of their addresses, each
 * searched by halving. Bounds of time are of the processor's, and ten times
 * what is wanted: a busy machine does not fail the test.
 *
 * The routing table is no part of this tree: without $MOAT_SHARED/data
 * (../shared/data beside the tree) its tests are skipped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <endian.h>
#include <time.h>
#include <zlib.h>

#include "core/sieve_private.h"
#include "tests/unit/sieve_lab.h"

#define LISTED_MAX 1000000
#define ADDRESSES  100000
#define CLASSES	   60000
#define TOP_LEN	   12 /* of the nested ones: all of 12 to 31 bits in a /12, 2^20 - 1 */

static const uint32_t capacity[2] = { [MOAT_IPV4] = 1 << 20, [MOAT_IPV6] = 1000 };

static struct prefix *table; /* by length, then address */
static uint32_t count, first[33];

/* Of this process: others run beside it. */
static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static uint32_t host_of(const struct prefix *p)
{
	return (uint32_t)p->addr[0] << 24 | p->addr[1] << 16 | p->addr[2] << 8 | p->addr[3];
}

/* Any, but a function of the prefix. */
static uint32_t class_of(const struct prefix *p)
{
	return (host_of(p) * 2654435761U + p->len) % CLASSES;
}

static struct sieve_answer read_host(uint32_t host)
{
	return sieve_lab_read4(htobe32(host));
}

/* ---- the table and its oracle ---- */

static int by_length(const void *a, const void *b)
{
	const struct prefix *left = a, *right = b;

	return left->len != right->len ? left->len - right->len : prefix_compare(left, right);
}

/* Whether it is there. */
static bool read_table(void)
{
	const char *shared = getenv("MOAT_SHARED");
	char path[512], line[80];
	gzFile file;

	snprintf(path, sizeof(path), "%s/data/routing/bart-prefixes.txt.gz",
		 shared ? shared : "../shared");
	file = gzopen(path, "rb");
	if (!file) {
		print_message("# SKIP %s is not there: set MOAT_SHARED\n", path);
		return false;
	}
	table = calloc(LISTED_MAX, sizeof(*table));
	assert_non_null(table);
	count = 0;
	while (gzgets(file, line, sizeof(line))) {
		struct prefix p;

		line[strcspn(line, "\r\n")] = '\0';
		if (prefix_parse(line, &p) || p.family != MOAT_IPV4 || p.len == 32)
			continue;
		assert_true(count < LISTED_MAX);
		table[count++] = p;
	}
	gzclose(file);
	assert_true(count > 100000);
	return true;
}

static void sort_table(void)
{
	uint32_t at = 0;

	qsort(table, count, sizeof(*table), by_length);
	for (uint32_t len = 0; len <= 32; len++) {
		while (at < count && table[at].len < len)
			at++;
		first[len] = at;
	}
}

static const struct prefix *oracle(uint32_t host)
{
	for (uint32_t len = 31; len <= 31; len--) {
		uint32_t low = first[len], high = first[len + 1];
		uint32_t masked = len ? host & ~0U << (32 - len) : 0;

		while (low < high) {
			uint32_t middle = low + (high - low) / 2;

			if (host_of(&table[middle]) == masked)
				return &table[middle];
			if (host_of(&table[middle]) < masked)
				low = middle + 1;
			else
				high = middle;
		}
	}
	return NULL;
}

static void check_host(uint32_t host)
{
	struct sieve_answer got = read_host(host);
	const struct prefix *want = oracle(host);

	if (got.ask || got.listed != !!want ||
	    (want && (got.class != class_of(want) || got.len != want->len)))
		fail_msg("%08x: ask %d, listed %d, class %u, /%u; wanted /%d", host, got.ask,
			 got.listed, got.class, got.len, want ? want->len : -1);
}

static void check_table(uint64_t *state)
{
	for (uint32_t i = 0; i < ADDRESSES; i++)
		check_host(sieve_lab_random(state) >> 32);
	for (uint32_t i = 0; i < count; i += 61) {
		uint32_t host = host_of(&table[i]);

		check_host(host);
		check_host(host | (uint32_t)(UINT32_MAX >> table[i].len));
		check_host(host - 1);
	}
}

static void shuffle(uint64_t *state)
{
	for (uint32_t i = count - 1; i > 0; i--) {
		uint32_t other = (sieve_lab_random(state) >> 32) % (i + 1);
		struct prefix p = table[i];

		table[i] = table[other];
		table[other] = p;
	}
}

static double put_all(void)
{
	double start = seconds();

	for (uint32_t i = 0; i < count; i++)
		sieve_put(sieve_lab.sieve, &table[i], class_of(&table[i]), MOAT_NEVER);
	return seconds() - start;
}

static double delete_all(void)
{
	double start = seconds();

	for (uint32_t i = 0; i < count; i++) {
		sieve_delete(sieve_lab.sieve, &table[i]);
		if (sieve_wants_grace(sieve_lab.sieve))
			sieve_grace(sieve_lab.sieve);
	}
	return seconds() - start;
}

static struct sieve_numbers numbers(void)
{
	struct sieve_numbers n;

	sieve_numbers(sieve_lab.sieve, &n);
	return n;
}

static void check_empty(void)
{
	assert_int_equal(numbers().prefixes, 0);
	assert_int_equal(numbers().nodes, 0);
	assert_int_equal(numbers().asked, 0);
	for (uint32_t i = 0; i < MOAT_BLOCK_WORDS; i++)
		assert_int_equal(sieve_lab.maps.blocks[i], 0);
	for (uint32_t i = 0; i < 65536; i++)
		assert_int_equal(sieve_lab.maps.cells[i], 0);
}

/* ---- tests ---- */

static void a_routing_table_comes_and_goes_in_well_under_a_second(void **state)
{
	uint64_t random = 4711;
	double came, went;

	(void)state;
	if (!read_table())
		skip();
	sieve_lab_open(capacity, 1, 1000);
	came = put_all();
	print_message("%u prefixes in order: %.2f M/s", count, count / came / 1e6);
	assert_true(came < 8);
	assert_int_equal(numbers().prefixes, count);
	assert_int_equal(numbers().asked, 0);
	sort_table();
	check_table(&random);
	shuffle(&random);
	went = delete_all();
	print_message(", gone in no order: %.2f M/s\n", count / went / 1e6);
	assert_true(went < 15);
	check_empty();

	sieve_grace(sieve_lab.sieve);
	came = put_all();
	print_message("in no order: %.2f M/s; %lu nodes of %lu\n", count / came / 1e6,
		      (unsigned long)numbers().nodes, (unsigned long)numbers().node_room);
	assert_true(came < 15);
	sort_table();
	check_table(&random);
	went = delete_all();
	print_message("gone by length: %.2f M/s\n", count / went / 1e6);
	check_empty();
	sieve_lab_close();
	free(table);
}

static double change(const struct prefix *source, bool put)
{
	double start = seconds();

	if (put)
		sieve_put(sieve_lab.sieve, source, class_of(source), MOAT_NEVER);
	else
		sieve_delete(sieve_lab.sieve, source);
	return (seconds() - start) * 1e3;
}

static void wide_prefixes_over_a_routing_table_come_and_go_in_milliseconds(void **state)
{
	static const struct prefix wide[] = {
		{ .family = MOAT_IPV4, .len = 0 },
		{ .family = MOAT_IPV4, .len = 1, .addr = { 128 } },
		{ .family = MOAT_IPV4, .len = 8, .addr = { 45 } },
		{ .family = MOAT_IPV4, .len = 9, .addr = { 45 } },
	};
	uint64_t random = 815;

	(void)state;
	if (!read_table())
		skip();
	assert_true(count + ARRAY_SIZE(wide) <= LISTED_MAX);
	sieve_lab_open(capacity, 2, 1000);
	put_all();
	for (uint32_t i = 0; i < ARRAY_SIZE(wide); i++) {
		double came = change(&wide[i], true), went;

		table[count++] = wide[i];
		sort_table();
		check_table(&random);
		went = change(&wide[i], false);
		print_message("/%u: %.2f ms, gone: %.2f ms\n", wide[i].len, came, went);
		assert_true(came < 300 && went < 300);
		change(&wide[i], true); /* the next is nested in it */
	}
	sort_table();
	check_table(&random);
	sieve_lab_close();
	free(table);
}

/* Number i of the nested ones: the levels one after the other. */
static struct prefix nested(uint32_t i)
{
	uint32_t level = 31 - __builtin_clz(i + 1), len = TOP_LEN + level;
	uint32_t host = 0xAC100000 | (i + 1 - (1U << level)) << (32 - len);
	struct prefix p = sieve_lab_host4(host);

	p.len = len;
	return p;
}

static void check_nested(uint64_t *state, uint32_t longest)
{
	for (uint32_t i = 0; i < ADDRESSES / 10; i++) {
		uint32_t host = 0xAC100000 | (sieve_lab_random(state) >> 32 & 0xFFFFF);
		struct prefix want = sieve_lab_host4(host & ~0U << (32 - longest));
		struct sieve_answer got = read_host(host);

		want.len = longest;
		assert_true(got.listed && got.len == longest && got.class == class_of(&want));
	}
	assert_false(read_host(0xAC0FFFFF).listed || read_host(0xAC200000).listed);
}

static void a_million_nested_prefixes_answer_by_the_longest(void **state)
{
	uint32_t many = (1U << 20) - 1;
	uint64_t random = 42;
	double start, came;

	(void)state;
	sieve_lab_open(capacity, 3, 1000);
	start = seconds();
	for (uint32_t i = 0; i < many; i++) {
		struct prefix p = nested(i);

		sieve_put(sieve_lab.sieve, &p, class_of(&p), MOAT_NEVER);
	}
	came = seconds() - start;
	print_message("%u nested, wide ones first: %.2f M/s, ", many, many / came / 1e6);
	assert_true(came < 10);
	assert_int_equal(numbers().prefixes, many);
	assert_int_equal(numbers().asked, 0);
	assert_int_equal(numbers().nodes, 16 + 4096);
	check_nested(&random, 31);

	start = seconds();
	for (uint32_t i = many; i-- > 0;) {
		struct prefix p = nested(i);

		sieve_delete(sieve_lab.sieve, &p);
		if (p.len > TOP_LEN && !(i & (i + 1)))
			check_nested(&random, p.len - 1); /* the last of its length went */
	}
	print_message("gone: %.2f M/s\n", many / (seconds() - start) / 1e6);
	check_empty();

	sieve_grace(sieve_lab.sieve);
	start = seconds();
	for (uint32_t i = many; i-- > 0;) {
		struct prefix p = nested(i);

		sieve_put(sieve_lab.sieve, &p, class_of(&p), MOAT_NEVER);
	}
	print_message("long ones first: %.2f M/s, ", many / (seconds() - start) / 1e6);
	check_nested(&random, 31);
	start = seconds();
	for (uint32_t i = 0; i < many; i++) {
		struct prefix p = nested(i);

		sieve_delete(sieve_lab.sieve, &p);
		if (i < many / 2 && !(i & (i + 1)))
			check_nested(&random, 31);
	}
	print_message("gone, wide ones first: %.2f M/s\n", many / (seconds() - start) / 1e6);
	check_empty();
	sieve_lab_close();
}

static void a_prefix_takes_at_most_32_bytes_beside_the_maps(void **state)
{
	uint32_t none[2] = { 0 };
	struct sieve_size size;
	uint64_t base;
	double worst = 0;

	(void)state;
	sieve_size(none, &size);
	base = trie_memory_beside(&size, 0);
	for (uint32_t many = 1000; many <= 100000000; many += many / 3) {
		uint32_t with[2] = { [MOAT_IPV4] = many };
		double each;

		sieve_size(with, &size);
		each = (double)(trie_memory_beside(&size, many) - base) / many;
		if (each > (many < 100000 ? 64 : 32)) /* few: nodes in reserve count */
			fail_msg("%u prefixes: %.1f bytes each", many, each);
		if (many >= 100000 && each > worst)
			worst = each;
	}
	print_message("at most %.1f bytes a prefix, from 100,000 on\n", worst);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_routing_table_comes_and_goes_in_well_under_a_second),
		cmocka_unit_test(wide_prefixes_over_a_routing_table_come_and_go_in_milliseconds),
		cmocka_unit_test(a_million_nested_prefixes_answer_by_the_longest),
		cmocka_unit_test(a_prefix_takes_at_most_32_bytes_beside_the_maps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
