// SPDX-License-Identifier: BSD-2-Clause
/*
 * Bytes as puts, deletes, grace periods and time, over every part of the
 * sieve; then every source and its neighbours are read as the program reads
 * them and compared with a list.
 *
 * An operation is a byte that says what, one that says which source, and for a
 * put one of class and end. The first byte is the capacity and the keys.
 */
#include "tests/unit/sieve_naive.h"

#define INPUT_MAX 4096
#define START	  100000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good)
{
	if (!good)
		abort();
}

enum what { PUT4, PUT6, DELETE4, DELETE6, SOME, GRACE, TIME, CLEAR, WHATS };

/* Few enough to meet, in shapes that nest and that share blocks, nodes and filter words. */
static struct prefix source_of(bool six, uint8_t which, uint8_t more)
{
	struct prefix p = { .family = six ? MOAT_IPV6 : MOAT_IPV4 };
	unsigned int bits = prefix_max(p.family);

	p.addr[0] = 32 + (more >> 7);
	p.addr[1] = which >> 6;
	p.addr[2] = which >> 4 & 3;
	p.addr[3] = which << 4;
	p.addr[six ? 15 : 3] |= which & 15;
	p.len = more & 64 ? bits : (more & 63) * (six ? 2 : 1) % (bits + 1);
	prefix_mask(&p);
	return p;
}

static void put(struct naive *naive, const struct prefix *source, uint8_t byte)
{
	uint32_t class = byte & 32 ? 2040 + (byte & 15) : byte & 31;
	uint32_t end = byte & 64 ? sieve_lab.now + (byte & 31) * 64 : MOAT_NEVER;

	if (end != MOAT_NEVER && byte & 128)
		end = UINT32_MAX - byte;
	if (naive_put(naive, source, class, end))
		sieve_put(sieve_lab.sieve, source, class, end);
}

static void drop(struct naive *naive, const struct prefix *source)
{
	sieve_delete(sieve_lab.sieve, source);
	naive_delete(naive, source);
}

/* A row of hosts: fills buckets, and a block. */
static void put_some(struct naive *naive, uint8_t which, uint8_t byte)
{
	for (uint32_t i = 0; i < 48; i++) {
		struct prefix p = source_of(which & 1, which, 64 | (which & 128));

		p.addr[2] = i * (byte & 1);
		p.addr[p.family == MOAT_IPV6 ? 15 : 3] = i * 5;
		put(naive, &p, byte & 31);
	}
}

static void read_all(const struct naive *naive)
{
	for (uint32_t i = 0; i < naive->count; i++) {
		struct prefix host = naive->at[i].source;

		host.len = prefix_max(host.family);
		check(naive_agrees(naive, &host, sieve_lab_read(&host)));
		host.addr[host.family == MOAT_IPV6 ? 15 : 3] ^= 1;
		check(naive_agrees(naive, &host, sieve_lab_read(&host)));
		host.addr[1] ^= 1;
		check(naive_agrees(naive, &host, sieve_lab_read(&host)));
	}
}

static void operate(struct naive *naive, const uint8_t byte[static 4])
{
	enum what what = byte[0] % WHATS;
	struct prefix source = source_of(what & 1, byte[1], byte[2]);

	switch (what) {
	case PUT4:
	case PUT6:
		put(naive, &source, byte[3]);
		break;
	case DELETE4:
	case DELETE6:
		drop(naive, &source);
		break;
	case SOME:
		put_some(naive, byte[1], byte[3]);
		break;
	case GRACE:
		if (sieve_wants_grace(sieve_lab.sieve) || byte[1] & 1)
			sieve_grace(sieve_lab.sieve);
		break;
	case TIME:
		sieve_lab.now += byte[1] * 16;
		break;
	default:
		while (naive->count > byte[1] / 2) {
			source = naive->at[naive->count - 1].source;
			drop(naive, &source);
		}
	}
	if (!(byte[0] & 0xC0))
		read_all(naive);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct naive naive;
	uint8_t lengths[MOAT_LENGTHS6];
	struct sieve_numbers numbers;

	if (size < 1 || size > INPUT_MAX)
		return 0;
	sieve_lab_open((const uint32_t[2]){ data[0] & 1 ? 512 : 8, data[0] & 2 ? 512 : 8 },
		       data[0] >> 2, START);
	for (uint32_t i = 0; i < MOAT_LENGTHS6; i++)
		lengths[i] = 128 - i;
	sieve_lab_lengths6(lengths, MOAT_LENGTHS6);
	sieve_set_lengths(sieve_lab.sieve, MOAT_IPV4, 33);

	naive.count = 0;
	for (size_t at = 1; at + 4 <= size; at += 4)
		operate(&naive, data + at);
	read_all(&naive);
	sieve_numbers(sieve_lab.sieve, &numbers);
	check(numbers.hosts <= naive.count && numbers.resizes <= size * 64);
	sieve_lab_close();
	return 0;
}
