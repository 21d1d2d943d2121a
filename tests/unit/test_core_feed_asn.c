// SPDX-License-Identifier: BSD-2-Clause
/*
 * Prefix-to-AS tables: what they are read as, and which prefixes an AS comes to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <zlib.h>

#include "core/feed_asn_text.h"

#define ROOM 4096

/* What came out of an AS, as "192.0.2.0/24 198.51.100.7/32 ". */
struct out {
	char text[ROOM];
	size_t rows, stop_at;
	struct feed_row last;
};

static int on_row(void *arg, const struct feed_row *row)
{
	char text[PREFIX_TEXT_MAX];
	struct out *out = arg;
	size_t used = strlen(out->text);

	snprintf(out->text + used, sizeof(out->text) - used, "%s ",
		 prefix_format_cidr(&row->source, text));
	out->last = *row;
	return ++out->rows == out->stop_at ? -ECANCELED : 0;
}

static const char *expand(const struct feed_asn *a, uint32_t asn)
{
	const struct feed_row row = { .kind = FEED_ROW_ASN, .asn = asn, .line = 7 };
	static struct out out;
	uint64_t prefixes = 99;

	out = (struct out){};
	assert_int_equal(feed_asn_expand(a, &row, on_row, &out, &prefixes), 0);
	assert_int_equal(prefixes, out.rows);
	return out.text;
}

/* A table in pieces of any size, 0: whole. Returns what finish does. */
static int read_table(struct feed_asn *a, const void *bytes, size_t size, size_t piece,
		      struct problem *why)
{
	_cleanup_(feed_asn_text_freep) struct feed_asn_text *t = NULL;
	const char *at = bytes;
	int err;

	assert_int_equal(feed_asn_text_new(a, &t), 0);
	while (size) {
		size_t n = piece && piece < size ? piece : size;

		if (feed_asn_text_push(t, at, n))
			break;
		at += n;
		size -= n;
	}
	err = feed_asn_text_finish(t, why);
	assert_int_equal(!err, !why->text[0]);
	return err ?: feed_asn_end_table(a);
}

static struct feed_asn *table(const char *text)
{
	struct feed_asn *a = NULL;
	struct problem why = {};

	assert_int_equal(feed_asn_new(&a), 0);
	if (read_table(a, text, strlen(text), 0, &why))
		fail_msg("%s", why.text);
	feed_asn_ready(a);
	return a;
}

static void assert_refused(const char *text, const char *words)
{
	_cleanup_(feed_asn_freep) struct feed_asn *a = NULL;
	struct problem why = {};

	assert_int_equal(feed_asn_new(&a), 0);
	assert_true(read_table(a, text, strlen(text), 0, &why) < 0);
	if (!strstr(why.text, words))
		fail_msg("'%s' does not say '%s'", why.text, words);
}

/* ---- what is read ---- */

static void a_line_of_a_prefix_and_an_as_is_read(void **state)
{
	_cleanup_(feed_asn_freep) struct feed_asn *a =
		table("; a comment\n192.0.2.0/24\t64496\n2001:db8::/32\tAS64496\r\n"
		      "198.51.100.7\t1\t64497\n\n198.51.100.0/25,64498");

	(void)state;
	assert_string_equal(expand(a, 64496), "192.0.2.0/24 2001:db8::/32 ");
	assert_string_equal(expand(a, 64498), "198.51.100.0/25 ");
	assert_string_equal(expand(a, 64497), "");
}

static void a_line_of_a_range_and_an_as_is_read(void **state)
{
	_cleanup_(feed_asn_freep) struct feed_asn *a =
		table("start,end,asn\n"
		      "192.0.2.0,192.0.2.130,64496,\"A, B\"\n"
		      "198.51.100.0\t198.51.100.255\t64497\tUS\tA \"name\", odd\n"
		      "2001:db8::,2001:db8:0:2::,64496,x\n");

	(void)state;
	assert_string_equal(expand(a, 64496), "192.0.2.0/25 192.0.2.128/31 192.0.2.130/32 "
					      "2001:db8::/63 2001:db8:0:2::/128 ");
	assert_string_equal(expand(a, 64497), "198.51.100.0/24 ");
	assert_int_equal(feed_asn_entries(a, MOAT_IPV4), 2);
	assert_int_equal(feed_asn_entries(a, MOAT_IPV6), 1);
}

static void the_size_of_the_pieces_makes_no_difference(void **state)
{
	static const char text[] = "192.0.2.0/24\t64496\r\n198.51.100.0,198.51.100.127,64496,n\r\n"
				   "2001:db8::/32\t64496";
	struct problem why = {};

	(void)state;
	for (size_t piece = 1; piece < sizeof(text); piece++) {
		_cleanup_(feed_asn_freep) struct feed_asn *a = NULL;

		assert_int_equal(feed_asn_new(&a), 0);
		assert_int_equal(read_table(a, text, sizeof(text) - 1, piece, &why), 0);
		feed_asn_ready(a);
		assert_string_equal(expand(a, 64496),
				    "192.0.2.0/24 198.51.100.0/25 2001:db8::/32 ");
	}
}

static void a_compressed_table_is_read_and_a_cut_one_is_not(void **state)
{
	static const char text[] = "192.0.2.0/24\t64496\n198.51.100.0/24\t64497\n";
	z_stream z = { .next_in = (unsigned char *)text, .avail_in = sizeof(text) - 1 };
	_cleanup_(feed_asn_freep) struct feed_asn *a = NULL;
	_cleanup_(feed_asn_freep) struct feed_asn *cut = NULL;
	struct problem why = {};
	unsigned char packed[256];

	(void)state;
	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_out = packed;
	z.avail_out = sizeof(packed);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(feed_asn_new(&a), 0);
	assert_int_equal(read_table(a, packed, z.total_out, 3, &why), 0);
	feed_asn_ready(a);
	assert_string_equal(expand(a, 64497), "198.51.100.0/24 ");
	assert_int_equal(feed_asn_new(&cut), 0);
	assert_int_equal(read_table(cut, packed, z.total_out - 5, 0, &why), -ENODATA);
	deflateEnd(&z);
}

static void what_is_no_table_is_refused_with_the_line(void **state)
{
	(void)state;
	assert_refused("", "no entry");
	assert_refused("; nothing\n", "no entry");
	assert_refused("<html>\n<body>404</body>\n", "line 1");
	assert_refused("192.0.2.0/24\t64496\nx\nx\nx\n", "line 2");
	assert_refused("192.0.2.1/24\t64496\n", "line 1");	  /* host bits */
	assert_refused("192.0.2.9,192.0.2.1,64496\n", "line 1");  /* ends before it begins */
	assert_refused("192.0.2.0,2001:db8::,64496\n", "line 1"); /* of two families */
	assert_refused("192.0.2.0/24\t4294967296\n", "line 1");	  /* no AS */
	assert_refused("192.0.2.0/24\n", "line 1");		  /* no AS at all */
	assert_refused("\x1f\x8b\x08\x00 not really gzip", "compressed"); /* only its magic */
}

static void as_0_and_a_default_route_say_nothing(void **state)
{
	_cleanup_(feed_asn_freep) struct feed_asn *a =
		table("0.0.0.0/0\t64496\n::/0\t64496\n0.0.0.0,255.255.255.255,64496\n"
		      "192.0.2.0/24\t0\n198.51.100.0/24\t64496\n");

	(void)state;
	assert_string_equal(expand(a, 64496), "198.51.100.0/24 ");
	assert_string_equal(expand(a, 0), "");
}

/* ---- whose an address is ---- */

static void the_narrower_prefix_of_another_as_is_not_listed_with_the_wide_one(void **state)
{
	_cleanup_(feed_asn_freep) struct feed_asn *a =
		table("10.0.0.0/8\t64496\n10.64.0.0/10\t64497\n10.64.0.0/16\t64496\n");

	(void)state;
	assert_string_equal(expand(a, 64496), "10.0.0.0/10 10.64.0.0/16 10.128.0.0/9 ");
	assert_string_equal(expand(a, 64497), "10.65.0.0/16 10.66.0.0/15 10.68.0.0/14 "
					      "10.72.0.0/13 10.80.0.0/12 10.96.0.0/11 ");
}

static void one_prefix_of_two_ases_belongs_to_both(void **state)
{
	_cleanup_(feed_asn_freep) struct feed_asn *a =
		table("192.0.2.0/24\t64496\n192.0.2.0/24\t64497\n192.0.2.0/25\t64498\n");

	(void)state;
	assert_string_equal(expand(a, 64496), "192.0.2.128/25 ");
	assert_string_equal(expand(a, 64497), "192.0.2.128/25 ");
	assert_string_equal(expand(a, 64498), "192.0.2.0/25 ");
}

static void neighbours_and_nested_prefixes_become_the_fewest(void **state)
{
	_cleanup_(feed_asn_freep) struct feed_asn *a =
		table("192.0.2.128/25\t64496\n192.0.2.0/25\t64496\n192.0.2.64/26\t64496\n"
		      "192.0.3.0/24\t64496\n255.255.255.0/24\t64496\n255.0.0.0/8\t64496\n"
		      "::/1\t64496\n8000::/1\t64497\nffff::/16\t64497\n");

	(void)state;
	assert_string_equal(expand(a, 64496), "192.0.2.0/23 255.0.0.0/8 ::/1 ");
	assert_string_equal(expand(a, 64497), "8000::/1 ");
}

static void two_tables_add_up(void **state)
{
	static const char first[] = "192.0.2.0/24\t64496\n", second[] = "192.0.3.0/24\t64496\n"
									"192.0.2.0/25\t64497\n";
	_cleanup_(feed_asn_freep) struct feed_asn *a = NULL;
	struct problem why = {};

	(void)state;
	assert_int_equal(feed_asn_new(&a), 0);
	assert_int_equal(read_table(a, first, sizeof(first) - 1, 0, &why), 0);
	assert_int_equal(read_table(a, second, sizeof(second) - 1, 0, &why), 0);
	feed_asn_ready(a);
	assert_string_equal(expand(a, 64496), "192.0.2.0/23 ");
	assert_string_equal(expand(a, 64497), "192.0.2.0/25 ");
}

#define SPACE	 256 /* addresses of 192.0.2.0/24 */
#define OWNERS	 5
#define ENTRIES	 12
#define MACHINES 3000

/* The narrowest of the prefixes around an address decides; of equals all. */
static bool owns(const struct prefix *p, const uint32_t *asn, size_t count, unsigned int address,
		 uint32_t who)
{
	bool mine = false;
	int best = -1;

	for (size_t i = 0; i < count; i++) {
		if ((address ^ p[i].addr[3]) >> (32 - p[i].len) || p[i].len < best)
			continue;
		mine = (p[i].len == best && mine) || asn[i] == who;
		best = p[i].len;
	}
	return mine;
}

static void random_tables_agree_with_a_look_at_every_address(void **state)
{
	unsigned int seed = 1;

	(void)state;
	for (int round = 0; round < MACHINES; round++) {
		_cleanup_(feed_asn_freep) struct feed_asn *a = NULL;
		struct prefix p[ENTRIES];
		uint32_t asn[ENTRIES];

		assert_int_equal(feed_asn_new(&a), 0);
		for (size_t i = 0; i < ENTRIES; i++) {
			p[i] = (struct prefix){ .family = MOAT_IPV4,
						.len = 24 + rand_r(&seed) % 9,
						.addr = { 192, 0, 2, rand_r(&seed) % SPACE } };
			prefix_mask(&p[i]);
			asn[i] = 1 + rand_r(&seed) % OWNERS;
			assert_int_equal(feed_asn_add(a,
						      &(struct range){ MOAT_IPV4,
								       range_number(&p[i]),
								       range_last(&p[i]), false },
						      asn[i]),
					 0);
		}
		assert_int_equal(feed_asn_end_table(a), 0);
		feed_asn_ready(a);
		for (uint32_t who = 1; who <= OWNERS; who++) {
			const char *at = expand(a, who);
			bool has[SPACE] = {};
			unsigned int last, len;
			int used;

			for (; sscanf(at, "192.0.2.%u/%u %n", &last, &len, &used) == 2; at += used)
				for (unsigned int i = 0; i < 1U << (32 - len); i++)
					has[last + i] = true;
			for (unsigned int i = 0; i < SPACE; i++)
				assert_int_equal(has[i], owns(p, asn, ENTRIES, i, who));
		}
	}
}

/* ---- rows ---- */

static void a_row_keeps_what_its_list_says_and_names_the_as(void **state)
{
	_cleanup_(feed_asn_freep) struct feed_asn *a = table("192.0.2.0/24\t64496\n");
	struct feed_row row = { .kind = FEED_ROW_ASN,
				.asn = 64496,
				.line = 3,
				.confidence = 80,
				.expires = 99,
				.category = "botnet",
				.reference = "SBL1",
				.reason = "NAME" };
	struct out out = {};
	uint64_t prefixes;

	(void)state;
	assert_int_equal(feed_asn_expand(a, &row, on_row, &out, &prefixes), 0);
	assert_int_equal(out.last.kind, FEED_ROW_ADD);
	assert_int_equal(out.last.asn, 0);
	assert_int_equal(out.last.line, 3);
	assert_int_equal(out.last.confidence, 80);
	assert_int_equal(out.last.expires, 99);
	assert_string_equal(out.last.category, "botnet");
	assert_string_equal(out.last.reference, "AS64496 SBL1");
	assert_string_equal(out.last.reason, "NAME");
	row.kind = FEED_ROW_ASN_REMOVE;
	memset(row.reference, 'x', sizeof(row.reference) - 1);
	assert_int_equal(feed_asn_expand(a, &row, on_row, &out, &prefixes), 0);
	assert_int_equal(out.last.kind, FEED_ROW_REMOVE);
	assert_int_equal(strlen(out.last.reference), sizeof(row.reference) - 1);
}

static void who_takes_the_rows_may_stop(void **state)
{
	_cleanup_(feed_asn_freep) struct feed_asn *a =
		table("192.0.2.0/24\t64496\n198.51.100.0/24\t64496\n");
	const struct feed_row row = { .kind = FEED_ROW_ASN, .asn = 64496 };
	struct out out = { .stop_at = 1 };
	uint64_t prefixes;

	(void)state;
	assert_int_equal(feed_asn_expand(a, &row, on_row, &out, &prefixes), -ECANCELED);
	assert_int_equal(out.rows, 1);
}

static void a_table_of_more_than_the_limit_is_refused(void **state)
{
	_cleanup_(feed_asn_freep) struct feed_asn *a = NULL;
	struct range range = { .family = MOAT_IPV4 };
	int err = 0;

	(void)state;
	assert_int_equal(feed_asn_new(&a), 0);
	for (uint32_t i = 0; i < ASN_ENTRIES_MAX; i++) {
		range.first = range.last = i;
		err |= feed_asn_add(a, &range, 1 + i % 3);
	}
	assert_int_equal(err, 0);
	assert_int_equal(feed_asn_add(a, &range, 1), -EFBIG);
	assert_int_equal(feed_asn_end_table(a), 0);
	feed_asn_ready(a);
}

/* Owners of the same wide range, and narrow ones inside: each piece is everybody's. */
static void entries_that_multiply_are_refused(void **state)
{
	_cleanup_(feed_asn_freep) struct feed_asn *a = NULL;
	struct range range = { .family = MOAT_IPV4, .last = UINT32_MAX - 1 };

	(void)state;
	assert_int_equal(feed_asn_new(&a), 0);
	for (uint32_t i = 1; i <= 4096; i++)
		assert_int_equal(feed_asn_add(a, &range, i), 0);
	for (uint32_t i = 1; i <= 4096; i++) {
		range.first = range.last = i * 1024;
		assert_int_equal(feed_asn_add(a, &range, 5000), 0);
	}
	assert_int_equal(feed_asn_end_table(a), -EFBIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_of_a_prefix_and_an_as_is_read),
		cmocka_unit_test(a_line_of_a_range_and_an_as_is_read),
		cmocka_unit_test(the_size_of_the_pieces_makes_no_difference),
		cmocka_unit_test(a_compressed_table_is_read_and_a_cut_one_is_not),
		cmocka_unit_test(what_is_no_table_is_refused_with_the_line),
		cmocka_unit_test(as_0_and_a_default_route_say_nothing),
		cmocka_unit_test(the_narrower_prefix_of_another_as_is_not_listed_with_the_wide_one),
		cmocka_unit_test(one_prefix_of_two_ases_belongs_to_both),
		cmocka_unit_test(neighbours_and_nested_prefixes_become_the_fewest),
		cmocka_unit_test(two_tables_add_up),
		cmocka_unit_test(random_tables_agree_with_a_look_at_every_address),
		cmocka_unit_test(a_row_keeps_what_its_list_says_and_names_the_as),
		cmocka_unit_test(who_takes_the_rows_may_stop),
		cmocka_unit_test(a_table_of_more_than_the_limit_is_refused),
		cmocka_unit_test(entries_that_multiply_are_refused),
	};

	return cmocka_run_group_tests_name("core/feed_asn", tests, NULL, NULL);
}
