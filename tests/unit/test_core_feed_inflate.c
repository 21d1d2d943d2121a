// SPDX-License-Identifier: BSD-2-Clause
/*
 * Compressed lists: gzip and zstd as a stream, and data that is damaged, cut,
 * too large or a bomb.
 */
#include "core_feed_lab.h"

#include <time.h>
#include <zlib.h>
#include <zstd.h>

#include "core/feed_inflate.h"

#define LINES	 20000
#define BUF_SIZE (8 << 20)
#define MIB	 (1 << 20)

struct packed {
	char *bytes; /* owned */
	size_t size;
};

static void packed_free(struct packed *p)
{
	free(p->bytes);
}

#define _packed_ _cleanup_(packed_free) struct packed

static const struct feed_options plain = { .format = FEED_PLAIN };

static struct packed list(void)
{
	struct packed p = { .bytes = malloc(BUF_SIZE) };

	assert_non_null(p.bytes);
	for (uint32_t i = 0; i < LINES; i++) {
		uint32_t a = i * 2654435761u;

		p.size += snprintf(p.bytes + p.size, 32, "%u.%u.%u.%u\n", 1 + a % 222, a >> 8 & 255,
				   a >> 16 & 255, a >> 24);
	}
	return p;
}

static void append_gzip(struct packed *to, const void *bytes, size_t size)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)bytes,
		       .avail_in = size,
		       .next_out = (Bytef *)to->bytes + to->size,
		       .avail_out = BUF_SIZE - to->size };

	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	to->size += z.total_out;
	deflateEnd(&z);
}

static void append_zstd(struct packed *to, const void *bytes, size_t size, int checksum, int window)
{
	ZSTD_CCtx *c = ZSTD_createCCtx();
	ZSTD_inBuffer in = { .src = bytes, .size = size };
	ZSTD_outBuffer out = { .dst = to->bytes, .size = BUF_SIZE, .pos = to->size };

	ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, checksum);
	if (window)
		ZSTD_CCtx_setParameter(c, ZSTD_c_windowLog, window);
	assert_int_equal(ZSTD_compressStream2(c, &out, &in, ZSTD_e_end), 0);
	to->size = out.pos;
	ZSTD_freeCCtx(c);
}

/* One file in each compression, made of the bytes cut at each of parts. */
static struct packed pack(enum feed_packing packing, const struct packed *from, size_t parts)
{
	struct packed p = { .bytes = malloc(BUF_SIZE) };

	assert_non_null(p.bytes);
	for (size_t i = 0; i < parts; i++) {
		size_t begin = from->size * i / parts, end = from->size * (i + 1) / parts;

		if (packing == FEED_GZIP)
			append_gzip(&p, from->bytes + begin, end - begin);
		else
			append_zstd(&p, from->bytes + begin, end - begin, 1, 0);
	}
	return p;
}

static void compressed_lists_give_the_rows_of_the_plain_one(void **state)
{
	_packed_ text = list();
	_cleanup_(lab_done) struct lab expect = lab_bytes(&plain, text.bytes, text.size, 0);

	(void)state;
	assert_int_equal(expect.count, LINES);
	for (enum feed_packing packing = FEED_GZIP; packing <= FEED_ZSTD; packing++) {
		for (size_t parts = 1; parts <= 3; parts++) { /* members, frames */
			_packed_ packed = pack(packing, &text, parts);
			_cleanup_(lab_done) struct lab l =
				lab_sized(&plain, packed.bytes, packed.size);

			lab_expect_fault(&l, FEED_GOOD);
			assert_true(lab_same(&l, &expect));
			assert_int_equal(l.sum.bytes, text.size);
		}
	}
}

static void compressed_files_are_recognised_and_so_is_what_is_inside(void **state)
{
	static const char inside[] = "; Spamhaus DROP List\n192.0.2.0/24 ; SBL1\n; EOF\n";
	struct feed_options o = { .format = FEED_AUTO };
	_packed_ gzip = { .bytes = malloc(BUF_SIZE) };
	_packed_ zstd = { .bytes = malloc(BUF_SIZE) };

	(void)state;
	append_gzip(&gzip, inside, sizeof(inside) - 1);
	append_zstd(&zstd, inside, sizeof(inside) - 1, 0, 0);
	_cleanup_(lab_done) struct lab g = lab_sized(&o, gzip.bytes, gzip.size);
	_cleanup_(lab_done) struct lab z = lab_sized(&o, zstd.bytes, zstd.size);
	assert_int_equal(g.sum.format, FEED_SPAMHAUS);
	assert_true(g.sum.complete && z.sum.complete);
	assert_int_equal(g.count, 1);
	assert_true(lab_same(&g, &z));
}

static void frames_to_skip_are_skipped(void **state)
{
	static const uint8_t skippable[] = { 0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 'a', 'b', 'c' };
	_packed_ zstd = { .bytes = malloc(BUF_SIZE), .size = sizeof(skippable) };

	(void)state;
	memcpy(zstd.bytes, skippable, sizeof(skippable));
	append_zstd(&zstd, "192.0.2.1\n", 10, 1, 0);
	_cleanup_(lab_done) struct lab l = lab_sized(&plain, zstd.bytes, zstd.size);
	lab_expect_fault(&l, FEED_GOOD);
	assert_int_equal(l.count, 1);
}

static void what_is_held_back_at_the_end_is_given_too(void **state)
{
	_packed_ text = list();
	_packed_ zstd = { .bytes = malloc(BUF_SIZE) };

	(void)state;
	append_zstd(&zstd, text.bytes, text.size, 0, 0); /* nothing follows the last block */
	_cleanup_(lab_done) struct lab l = lab_sized(&plain, zstd.bytes, zstd.size);
	lab_expect_fault(&l, FEED_GOOD);
	assert_int_equal(l.count, LINES);
}

static void zeros_may_pad_a_gzip_file_and_nothing_else_may_follow(void **state)
{
	_packed_ gzip = { .bytes = calloc(1, BUF_SIZE) };
	size_t size;

	(void)state;
	append_gzip(&gzip, "192.0.2.1\n", 10);
	size = gzip.size;
	_cleanup_(lab_done) struct lab padded = lab_sized(&plain, gzip.bytes, size + 512);
	lab_expect_fault(&padded, FEED_GOOD);
	assert_int_equal(padded.count, 1);

	memcpy(gzip.bytes + size, "192.0.2.2\n", 10);
	_cleanup_(lab_done) struct lab text = lab_sized(&plain, gzip.bytes, size + 10);
	lab_expect_fault(&text, FEED_FAULT_COMPRESSION);

	memset(gzip.bytes + size, 0, 64);
	gzip.size += 64;
	append_gzip(&gzip, "192.0.2.2\n", 10);
	_cleanup_(lab_done) struct lab behind = lab_sized(&plain, gzip.bytes, gzip.size);
	lab_expect_fault(&behind, FEED_FAULT_COMPRESSION);
}

static void a_cut_compressed_file_is_truncated_wherever_it_is_cut(void **state)
{
	_packed_ text = list();

	(void)state;
	text.size = 14 * 100;
	while (text.bytes[text.size - 1] != '\n')
		text.size--;
	for (enum feed_packing packing = FEED_GZIP; packing <= FEED_ZSTD; packing++) {
		_packed_ packed = pack(packing, &text, 1);

		for (size_t size = 4; size < packed.size; size += 1 + size / 64) {
			_cleanup_(lab_done) struct lab l =
				lab_bytes(&plain, packed.bytes, size, LAB_RANDOM);

			lab_expect_fault(&l, FEED_FAULT_TRUNCATED);
		}
	}
}

static void a_damaged_compressed_file_is_never_good(void **state)
{
	_packed_ text = list();

	(void)state;
	text.size = 14 * 100;
	while (text.bytes[text.size - 1] != '\n')
		text.size--;
	for (enum feed_packing packing = FEED_GZIP; packing <= FEED_ZSTD; packing++) {
		_cleanup_(lab_done) struct lab expect = lab_bytes(&plain, text.bytes, text.size, 0);
		_packed_ packed = pack(packing, &text, 1);

		for (size_t at = 0; at < packed.size; at++) {
			uint8_t flip = 1 << at % 8;

			packed.bytes[at] ^= flip;
			_cleanup_(lab_done) struct lab l =
				lab_bytes(&plain, packed.bytes, packed.size, LAB_WHOLE);
			packed.bytes[at] ^= flip;
			/* Some bits of the header say nothing about the content: time, system. */
			if (l.sum.fault == FEED_GOOD && !lab_same(&l, &expect))
				fail_msg("byte %zu of packing %d is read as something else", at,
					 packing);
		}
	}
}

static void a_bomb_is_stopped_early(void **state)
{
	_cleanup_free_ char *zeros = malloc(64 * MIB);

	(void)state;
	memset(zeros, '\n', 64 * MIB);
	for (enum feed_packing packing = FEED_GZIP; packing <= FEED_ZSTD; packing++) {
		_packed_ bomb = { .bytes = malloc(BUF_SIZE) };

		if (packing == FEED_GZIP)
			append_gzip(&bomb, zeros, (size_t)64 * MIB);
		else
			append_zstd(&bomb, zeros, (size_t)64 * MIB, 1, 0);
		_cleanup_(lab_done) struct lab l =
			lab_bytes(&plain, bomb.bytes, bomb.size, LAB_WHOLE);
		_cleanup_(lab_done) struct lab slow = lab_bytes(&plain, bomb.bytes, bomb.size, 1);
		lab_expect_fault(&l, FEED_FAULT_BOMB);
		lab_expect_fault(&slow, FEED_FAULT_BOMB);
		assert_true(l.sum.bytes < 16 * MIB); /* zlib alone cannot pass a ratio of 1032 */
		assert_true(slow.sum.bytes < 16 * MIB);
	}
}

static void a_small_file_may_be_compressed_as_far_as_it_goes(void **state)
{
	_cleanup_free_ char *lines = malloc(MIB);
	_packed_ gzip = { .bytes = malloc(BUF_SIZE) };

	(void)state;
	memset(lines, '\n', MIB);
	memcpy(lines, "192.0.2.1", 9);
	append_gzip(&gzip, lines, MIB);
	assert_true(gzip.size * FEED_RATIO_MAX < MIB);
	_cleanup_(lab_done) struct lab l = lab_bytes(&plain, gzip.bytes, gzip.size, LAB_RANDOM);
	lab_expect_fault(&l, FEED_GOOD);
}

static void a_window_larger_than_8_mib_is_not_given_memory(void **state)
{
	_cleanup_free_ char *bytes = calloc(20, MIB);
	_packed_ zstd = { .bytes = malloc(BUF_SIZE) };

	(void)state;
	memset(bytes, '\n', (size_t)20 * MIB);
	append_zstd(&zstd, bytes, (size_t)20 * MIB, 1, 27);
	_cleanup_(lab_done) struct lab l = lab_bytes(&plain, zstd.bytes, zstd.size, LAB_WHOLE);
	assert_true(l.sum.fault == FEED_FAULT_COMPRESSION);
	assert_int_equal(l.sum.bytes, 0);
}

static void a_file_larger_than_the_limit_is_refused(void **state)
{
	_cleanup_(feed_parser_freep) struct feed_parser *p = NULL;
	_cleanup_free_ char *bytes = malloc(MIB);
	struct lab l = {};
	uint64_t pushed = 0;

	(void)state;
	memset(bytes, '\n', MIB);
	assert_int_equal(feed_parser_new(&plain, lab_row, &l, &p), 0);
	for (int err = 0; !err; pushed += MIB) {
		assert_true(pushed <= FEED_SIZE_MAX);
		err = feed_parser_push(p, bytes, MIB);
	}
	assert_int_equal(pushed, FEED_SIZE_MAX + MIB);
	assert_int_equal(feed_parser_push(p, bytes, MIB), -EBADMSG);
	assert_int_equal(feed_parser_finish(p, &l.sum), 0);
	lab_expect_fault(&l, FEED_FAULT_TOO_LARGE);
	assert_int_equal(l.sum.bytes, FEED_SIZE_MAX);
	lab_done(&l);
}

static int count_bytes(void *arg, const char *bytes, size_t size)
{
	(void)bytes;
	*(size_t *)arg += size;
	return *(size_t *)arg > 1000;
}

static void the_taker_stops_it_and_an_error_stays(void **state)
{
	_cleanup_(feed_inflate_freep) struct feed_inflate *z = NULL;
	_packed_ text = list();
	_packed_ gzip = pack(FEED_GZIP, &text, 1);
	size_t taken = 0;

	(void)state;
	assert_int_equal(feed_inflate_new(FEED_GZIP, &z), 0);
	assert_int_equal(feed_inflate_finish(z), -ENODATA);
	assert_int_equal(feed_inflate_push(z, gzip.bytes, gzip.size, count_bytes, &taken),
			 -ECANCELED);
	assert_int_equal(feed_inflate_push(z, gzip.bytes, gzip.size, count_bytes, &taken),
			 -ECANCELED);
	assert_true(taken > 1000 && taken < text.size);
}

static void magic_tells_the_packing(void **state)
{
	(void)state;
	assert_int_equal(feed_packing_find("\x1f\x8b\x08\x00", 4), FEED_GZIP);
	assert_int_equal(feed_packing_find("\x1f\x8b", 2), FEED_GZIP);
	assert_int_equal(feed_packing_find("\x28\xb5\x2f\xfd", 4), FEED_ZSTD);
	assert_int_equal(feed_packing_find("\x28\xb5\x2f", 3), FEED_PLAIN_BYTES);
	assert_int_equal(feed_packing_find("192.", 4), FEED_PLAIN_BYTES);
	assert_int_equal(feed_packing_find("", 0), FEED_PLAIN_BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compressed_lists_give_the_rows_of_the_plain_one),
		cmocka_unit_test(compressed_files_are_recognised_and_so_is_what_is_inside),
		cmocka_unit_test(frames_to_skip_are_skipped),
		cmocka_unit_test(what_is_held_back_at_the_end_is_given_too),
		cmocka_unit_test(zeros_may_pad_a_gzip_file_and_nothing_else_may_follow),
		cmocka_unit_test(a_cut_compressed_file_is_truncated_wherever_it_is_cut),
		cmocka_unit_test(a_damaged_compressed_file_is_never_good),
		cmocka_unit_test(a_bomb_is_stopped_early),
		cmocka_unit_test(a_small_file_may_be_compressed_as_far_as_it_goes),
		cmocka_unit_test(a_window_larger_than_8_mib_is_not_given_memory),
		cmocka_unit_test(a_file_larger_than_the_limit_is_refused),
		cmocka_unit_test(the_taker_stops_it_and_an_error_stays),
		cmocka_unit_test(magic_tells_the_packing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
