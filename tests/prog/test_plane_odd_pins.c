/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pins that hold what no moatd writes.
 */
#include "tests/prog/cmocka.h"

#include <arpa/inet.h>

#include <bpf/bpf.h>

#include "plane/program.h"
#include "tests/prog/plane_fixture.h"

static int count_source(void *arg, const struct prefix *source, const struct moat_source *value)
{
	(void)value;
	assert_true(source->len <= 32);
	++*(size_t *)arg;
	return 0;
}

static void a_length_that_the_family_does_not_have_is_told_to_nobody(void **state)
{
	_cleanup_(tables_freep) struct tables *t = fixture_tables(fixture_pins());
	static const uint32_t lens[] = { 33, 200, 256 + 24 };
	struct moat_source value = { .class = CATEGORY_DROP };
	size_t count = 0;

	(void)state;
	fixture_list(t, "192.0.2.0/24", CATEGORY_DROP);
	for (size_t i = 0; i < ARRAY_SIZE(lens); i++) {
		struct moat_key4 key = { lens[i], htonl(0xC0000200) };

		assert_int_equal(bpf_map_update_elem(tables_fd(t, MOAT_MAP_SOURCE4), &key, &value,
						     BPF_ANY),
				 0);
	}
	assert_int_equal(tables_each(t, MOAT_IPV4, count_source, &count), 0);
	assert_int_equal(count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_length_that_the_family_does_not_have_is_told_to_nobody),
	};

	program_init_log();
	return cmocka_run_group_tests(tests, fixture_enter, fixture_leave);
}
