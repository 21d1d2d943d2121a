// SPDX-License-Identifier: BSD-2-Clause
/*
 * IPv4 hosts in the sieve, read as the program reads them.
 */
#include "tests/unit/sieve_hosts_lab.h"

/* While set, there is no memory to be had. */
static bool refuses;
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
	return refuses ? NULL : __real_calloc(count, size);
}

/* ---- one host ---- */

static void a_host_is_listed_until_it_is_deleted(void **state)
{
	(void)state;
	open_for(100);
	assert_true(clean(0xC0000201));
	put(0xC0000201, 7);
	assert_true(listed_as(0xC0000201, 7));
	assert_true(clean(0xC0000202));
	put(0xC0000201, 8);
	assert_true(listed_as(0xC0000201, 8));
	drop(0xC0000201);
	assert_true(clean(0xC0000201));
	drop(0xC0000201);
	assert_int_equal(numbers().hosts, 0);
	sieve_lab_close();
}

static void a_class_holds_until_the_unit_of_its_end_and_is_asked_for_after(void **state)
{
	uint32_t end = START + 10 * UNIT + UNIT / 2;

	(void)state;
	open_for(100);
	put_until(1, 3, end);
	sieve_lab.now = end / UNIT * UNIT - 1;
	assert_true(listed_as(1, 3));
	sieve_lab.now++;
	assert_true(asked(1));
	sieve_lab.now = end + 100 * UNIT;
	assert_true(asked(1));
	put(1, 3);
	assert_true(listed_as(1, 3));
	sieve_lab_close();
}

static void an_end_before_the_sieve_began_is_asked_for(void **state)
{
	(void)state;
	open_for(100);
	put_until(1, 3, 1);
	put_until(2, 3, START - UNIT);
	put_until(3, 3, START + 1);
	for (uint32_t host = 1; host <= 3; host++)
		assert_true(asked(host));
	sieve_lab_close();
}

static void an_end_beyond_what_a_slot_can_say_is_never_taken_for_none(void **state)
{
	uint32_t most = START / UNIT + MOAT_SLOT_NEVER - 1;

	(void)state;
	open_for(100);
	put_until(1, 3, UINT32_MAX);
	put_until(2, 3, (most + 1) * UNIT);
	put(3, 3);
	sieve_lab.now = most * UNIT - 1;
	assert_true(listed_as(1, 3) && listed_as(2, 3));
	sieve_lab.now = most * UNIT;
	assert_true(asked(1) && asked(2) && listed_as(3, 3));
	sieve_lab.now = UINT32_MAX;
	assert_true(asked(1) && asked(2) && listed_as(3, 3));
	sieve_lab_close();
}

static void a_class_that_does_not_fit_is_asked_for(void **state)
{
	(void)state;
	open_for(100);
	put(1, 0);
	put(2, MOAT_SLOT_CLASS_MASK);
	put(3, MOAT_SLOT_CLASS_MASK + 1);
	put_until(4, UINT32_MAX, START + 100 * UNIT);
	assert_true(listed_as(1, 0) && listed_as(2, MOAT_SLOT_CLASS_MASK));
	assert_true(asked(3) && asked(4));
	put(3, 5);
	assert_true(listed_as(3, 5));
	sieve_lab_close();
}

static void the_first_and_the_last_address_are_hosts_like_others(void **state)
{
	(void)state;
	open_for(100);
	put(UINT32_MAX, 2);
	assert_true(listed_as(UINT32_MAX, 2));
	assert_true(clean(0));
	put(0, 2);
	assert_true(asked(0));
	assert_int_equal(numbers().asked, 1);
	for (uint32_t i = 0; i < 100; i++)
		put(scattered(i), 1);
	assert_true(asked(0));
	assert_int_equal(numbers().asked - (count_asked(100, 1)), 1);
	drop(0);
	for (uint32_t i = 0; i < 100; i++)
		drop(scattered(i));
	assert_true(clean(0));
	assert_int_equal(numbers().asked, 0);
	sieve_lab_close();
}

/* ---- blocks ---- */

static uint32_t block_of(uint32_t host)
{
	return sieve_lab.maps.blocks[MOAT_BLOCK_WORD(host)] >> MOAT_BLOCK_SHIFT(host) & 3;
}

static void the_bit_of_a_block_goes_with_its_last_host(void **state)
{
	(void)state;
	open_for(1000);
	for (uint32_t turn = 0; turn < 2; turn++) {
		for (uint32_t i = 0; i < 256; i++) {
			put(0xC0000200 | i, i);
			put(0xC0000200 | i, i);
		}
		for (uint32_t i = 0; i < 256; i++)
			assert_true(listed_as(0xC0000200 | i, i) || asked(0xC0000200 | i));
		for (uint32_t i = 0; i < 256; i++) {
			assert_int_equal(block_of(0xC0000200), MOAT_BLOCK_HOSTS);
			drop(0xC0000200 | (i * 7 & 255));
			drop(0xC0000200 | (i * 7 & 255));
		}
		for (uint32_t i = 0; i < MOAT_BLOCK_ELEMENTS; i++)
			assert_int_equal(sieve_lab.maps.blocks[i], 0);
	}
	sieve_lab_close();
}

/* ---- no room ---- */

/* Hosts that meet in both their places at every level of a sieve with this key. */
static uint32_t find_meeting(uint32_t *host, uint32_t count)
{
	uint64_t top = moat_view(31 - __builtin_clz(sieve_lab.maps.size.hosts) - 1);
	uint32_t found = 0, at[2];

	for (uint32_t i = 0; i < 1U << 26 && found < count; i++) {
		__be32 addr = htobe32(scattered(i));
		uint32_t place[2];

		for (int p = 0; p < 2; p++)
			place[p] = moat_view_index(top, moat_hash4(sieve_lab.maps.sieve, addr, p));
		if (!found)
			memcpy(at, place, sizeof(at));
		if (!memcmp(at, place, sizeof(at)))
			host[found++] = scattered(i);
	}
	return found;
}

static void hosts_that_meet_are_asked_for_under_one_key_and_found_under_another(void **state)
{
	uint32_t host[40], asks[2] = { 0 };

	(void)state;
	open_with_key(2000, 1);
	assert_int_equal(find_meeting(host, ARRAY_SIZE(host)), ARRAY_SIZE(host));
	for (uint64_t key = 1; key <= 2; key++) {
		sieve_lab_close();
		open_with_key(2000, key);
		for (uint32_t i = 0; i < ARRAY_SIZE(host); i++)
			put(host[i], 1);
		for (uint32_t i = 0; i < 1000; i++)
			put(scattered(i) ^ 0xFFFF, 1);
		for (uint32_t i = 0; i < ARRAY_SIZE(host); i++) {
			assert_false(clean(host[i]));
			asks[key - 1] += asked(host[i]);
		}
	}
	assert_true(asks[0] >= ARRAY_SIZE(host) - 2 * MOAT_SLOTS4);
	assert_true(asks[1] < 3);
	sieve_lab_close();
}

/* Four buckets and no more: 32 slots. */
static void open_tiny(void)
{
	struct sieve_size size;

	sieve_size((const uint32_t[2]){ 0, 0 }, &size);
	assert_int_equal(size.hosts, 8);
	sieve_lab_open_sized(&size, 1, START);
	sieve_set_lengths(sieve_lab.sieve, MOAT_IPV4, 1);
}

static bool table_is_zero(void)
{
	const uint64_t *word = (const void *)sieve_lab.maps.hosts;

	for (size_t i = 0; i < sieve_lab.maps.size.hosts * sizeof(struct moat_bucket4) / 8; i++)
		if (word[i])
			return false;
	return true;
}

static void who_finds_no_slot_is_asked_for_and_leaves_no_trace(void **state)
{
	(void)state;
	open_tiny();
	for (uint32_t turn = 0; turn < 20; turn++) {
		for (uint32_t i = 0; i < 40; i++)
			put(scattered(i), 1);
		assert_int_equal(numbers().hosts + numbers().asked, 40);
		assert_true(numbers().asked >= 8);
		assert_int_equal(count_asked(40, 1), numbers().asked);
		for (uint32_t i = 0; i < 40; i++)
			drop(scattered((i * 7 + turn) % 40));
		assert_true(table_is_zero());
	}
	sieve_lab_close();
}

/* Fills the table, then drops those that have a slot. Returns one of the others. */
static uint32_t leave_the_spilled(void)
{
	uint32_t spilled = 0;

	for (uint32_t i = 0; i < 40; i++)
		put(scattered(i), 1);
	for (uint32_t i = 0; i < 40; i++)
		if (listed_as(scattered(i), 1))
			drop(scattered(i));
		else
			spilled = scattered(i);
	assert_int_equal(numbers().hosts, 0);
	assert_true(numbers().asked >= 8);
	return spilled;
}

static void a_spilled_host_is_asked_for_until_it_goes(void **state)
{
	(void)state;
	open_tiny();
	leave_the_spilled();
	for (uint32_t i = 0; i < 40; i++)
		if (asked(scattered(i))) {
			put(scattered(i), 2);
			assert_true(asked(scattered(i)));
			drop(scattered(i));
			put(scattered(i), 3);
			assert_true(listed_as(scattered(i), 3));
		}
	assert_int_equal(numbers().asked, 0);
	sieve_lab_close();
}

static struct {
	uint32_t host;
	uint32_t loads; /* until it is put again */
} again;

static void put_again(void)
{
	if (again.loads && !--again.loads)
		put(again.host, 2);
}

/* Its slot comes after the reader has looked there: the flags must not go yet. */
static void a_spilled_host_that_is_put_again_is_listed_at_every_load(void **state)
{
	(void)state;
	for (uint32_t load = 1; load <= 32; load++) {
		open_tiny();
		again.host = leave_the_spilled();
		for (uint32_t i = 0; i < 40; i++)
			if (scattered(i) != again.host)
				drop(scattered(i));
		again.loads = load;
		sieve_lab.between = put_again;
		assert_false(clean(again.host));
		sieve_lab.between = NULL;
		sieve_lab_close();
	}
}

static void many_more_hosts_than_slots_are_asked_for(void **state)
{
	(void)state;
	open_tiny();
	for (uint32_t i = 0; i < 3000; i++)
		put(scattered(i), 1);
	assert_int_equal(count_asked(3000, 1), numbers().asked);
	for (uint32_t i = 0; i < 3000; i++)
		drop(scattered(i));
	assert_int_equal(numbers().asked, 0);
	for (uint32_t i = 0; i < 3000; i++)
		assert_false(read_at(scattered(i)).listed);
	put(scattered(5), 3);
	assert_true(listed_as(scattered(5), 3));
	sieve_lab_close();
}

/* ---- growing and shrinking ---- */

static void many_hosts_are_found_through_growth_and_shrinking(void **state)
{
	enum { COUNT = 100000 };

	(void)state;
	open_for(COUNT);
	for (uint32_t i = 0; i < COUNT; i++)
		put(scattered(i), 1);
	assert_int_equal(count_asked(COUNT, 1), numbers().asked);
	assert_true(numbers().asked < COUNT / 1000);
	for (uint32_t i = 0; i < COUNT; i++) {
		drop(scattered(i));
		settle();
		if (i % 10000 == 0)
			for (uint32_t k = i + 1; k < COUNT; k++)
				assert_false(clean(scattered(k)));
	}
	assert_int_equal(numbers().hosts, 0);
	assert_true(numbers().host_slots <= 2 * 8 << MOAT_LEVEL_MIN);
	assert_true(numbers().resizes > 20);
	for (uint32_t i = 0; i < COUNT; i++)
		assert_true(clean(scattered(i)));
	sieve_lab_close();
}

static void a_resize_that_stops_anywhere_harms_nobody(void **state)
{
	enum { COUNT = 3000 };

	(void)state;
	open_for(COUNT);
	for (uint32_t i = 0; i < COUNT; i++) {
		put(scattered(i), 1);
		if (numbers().resizing || i % 100 == 0)
			assert_int_equal(count_asked(i + 1, 1), numbers().asked);
	}
	for (uint32_t i = COUNT; i-- > 0;) {
		drop(scattered(i));
		settle();
		if (numbers().resizing || i % 100 == 0)
			assert_int_equal(count_asked(i, 1), numbers().asked);
		assert_false(read_at(scattered(i)).listed);
	}
	sieve_lab_close();
}

static void an_old_region_is_not_filled_before_a_grace_period(void **state)
{
	(void)state;
	open_for(1000);
	for (uint32_t i = 0; i < 1000; i++) {
		put(scattered(i), 1);
		assert_false(sieve_wants_grace(sieve_lab.sieve));
	}
	uint64_t slots = numbers().host_slots;

	for (uint32_t i = 0; i < 1000; i++)
		drop(scattered(i));
	assert_true(sieve_wants_grace(sieve_lab.sieve));
	assert_int_equal(numbers().host_slots, slots);
	for (uint32_t i = 0; i < 1000; i++) {
		put(1, 1);
		settle();
	}
	assert_true(numbers().host_slots < slots);
	assert_true(listed_as(1, 1));
	sieve_lab_close();
}

static void the_table_grows_as_soon_as_there_is_memory_again(void **state)
{
	enum { COUNT = 20000, FULL = 160, ROOM = 256, REFUSED = 162 };

	(void)state;
	open_for(COUNT);
	for (uint32_t i = 0; i < FULL; i++)
		put(scattered(i), 1);
	assert_int_equal(numbers().host_slots, ROOM);
	refuses = true;
	for (uint32_t i = FULL; i < REFUSED; i++)
		put(scattered(i), 1);
	refuses = false;
	assert_int_equal(count_asked(REFUSED, 1), numbers().asked);
	assert_int_equal(numbers().host_slots, ROOM);
	for (uint32_t i = REFUSED; i < COUNT; i++)
		put(scattered(i), 1);
	assert_true(numbers().host_slots >= COUNT * 8 / 5);
	assert_int_equal(count_asked(COUNT, 1), numbers().asked);
	assert_true(numbers().asked < COUNT / 400);
	sieve_lab_close();
}

static void hosts_that_no_memory_remembers_are_asked_for_for_good(void **state)
{
	(void)state;
	open_tiny();
	refuses = true;
	for (uint32_t i = 0; i < 600; i++)
		put(scattered(i), 1);
	refuses = false;
	assert_true(count_asked(600, 1) >= 600 - 32);
	assert_true(numbers().asked >= 600 - 32);
	for (uint32_t i = 0; i < 300; i++)
		drop(scattered(i));
	for (uint32_t i = 300; i < 600; i++)
		assert_false(clean(scattered(i)));
	sieve_lab_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_host_is_listed_until_it_is_deleted),
		cmocka_unit_test(a_class_holds_until_the_unit_of_its_end_and_is_asked_for_after),
		cmocka_unit_test(an_end_before_the_sieve_began_is_asked_for),
		cmocka_unit_test(an_end_beyond_what_a_slot_can_say_is_never_taken_for_none),
		cmocka_unit_test(a_class_that_does_not_fit_is_asked_for),
		cmocka_unit_test(the_first_and_the_last_address_are_hosts_like_others),
		cmocka_unit_test(the_bit_of_a_block_goes_with_its_last_host),
		cmocka_unit_test(
			hosts_that_meet_are_asked_for_under_one_key_and_found_under_another),
		cmocka_unit_test(who_finds_no_slot_is_asked_for_and_leaves_no_trace),
		cmocka_unit_test(a_spilled_host_is_asked_for_until_it_goes),
		cmocka_unit_test(a_spilled_host_that_is_put_again_is_listed_at_every_load),
		cmocka_unit_test(many_more_hosts_than_slots_are_asked_for),
		cmocka_unit_test(many_hosts_are_found_through_growth_and_shrinking),
		cmocka_unit_test(a_resize_that_stops_anywhere_harms_nobody),
		cmocka_unit_test(an_old_region_is_not_filled_before_a_grace_period),
		cmocka_unit_test(the_table_grows_as_soon_as_there_is_memory_again),
		cmocka_unit_test(hosts_that_no_memory_remembers_are_asked_for_for_good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
