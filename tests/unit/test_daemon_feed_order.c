/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Listings of a list are written in the order of the database's index.
 */
#include "tests/unit/feed_apply_lab.h"

#include "daemon/feed_order.h"

/* Every number an octet can be, networks of lengths of one and two digits, hosts beside them. */
static const char *texts_of_all_kinds(void)
{
	static char text[64 * 1024];
	size_t at = 0;

	for (unsigned int i = 0; i < 256; i++) {
		if (i > 10 && i < 127)
			at += (size_t)snprintf(text + at, sizeof(text) - at, "%u.0.0.1\n", i);
		at += (size_t)snprintf(text + at, sizeof(text) - at,
				       "9.%u.0.1\n9.9.%u.1\n9.9.9.%u\n9.%u.128.0/17\n", i, i, i, i);
	}
	for (unsigned int len = 9; len < 32; len++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "11.0.0.0/%u\n", len);
	assert_true(at < sizeof(text) - 1);
	return text;
}

static void ipv4_is_written_in_the_order_of_its_texts(void **state)
{
	WITH_STORE;
	struct list list = plain(.ttl = HOUR);
	struct feed_report r = take_text(lab, s, list, texts_of_all_kinds());

	assert_true(r.adds > 1100);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM change"), (int64_t)r.adds);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM change a JOIN change b"
					 " ON b.seq = a.seq + 1 WHERE a.source >= b.source"),
			 0);
}

static void ipv6_comes_behind_ipv4_and_nothing_is_left_out(void **state)
{
	WITH_STORE;
	struct feed_report r = take_text(lab, s, plain(.ttl = HOUR),
					 "2001:db8::1\n2a00::/32\n9.9.9.9\n10.1.1.1\n1.1.1.1\n");

	assert_int_equal(r.adds, 5);
	assert_int_equal(rows(lab), 5);
	assert_int_equal(lab_number(lab, "SELECT min(seq) FROM change WHERE source LIKE '%:%'"), 4);
}

static void what_stays_or_ends_is_not_written(void **state)
{
	WITH_STORE;

	take_text(lab, s, plain(.ttl = HOUR), "192.0.2.1\n192.0.2.2\n");
	take_text(lab, s, plain(.ttl = HOUR), "192.0.2.2\n192.0.2.10\n192.0.2.3\n");
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM change WHERE seq > 2"), 3);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM change WHERE seq = 3 AND op = 'add'"
					 " AND source = '192.0.2.10'"),
			 1);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM change WHERE seq = 5 AND"
					 " op = 'remove' AND source = '192.0.2.1'"),
			 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_store(ipv4_is_written_in_the_order_of_its_texts),
		with_store(ipv6_comes_behind_ipv4_and_nothing_is_left_out),
		with_store(what_stays_or_ends_is_not_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
