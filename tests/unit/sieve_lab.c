// SPDX-License-Identifier: BSD-2-Clause
#include <bpf/bpf_endian.h>

#include "tests/unit/sieve_lab.h"

#include "moat/control.h"

struct sieve_lab sieve_lab;

/* ---- what bpf/maps.h, bpf/packet.h and the helpers are to the reader ---- */

struct lab_map {
	void *base;
	size_t value;
	uint32_t count;
};

static struct lab_map moat_sieve, moat_blocks4, moat_hosts4, moat_nodes4, moat_leaves4,
	moat_buckets6, moat_filter6, moat_lengths;
/* The records: nobody asks here. */
static struct lab_map moat_source4, moat_source6, moat_phases;
/* Holds no time: the clock is read each time. */
static struct lab_map moat_clock;

static void *lab_lookup(const struct lab_map *map, const void *key)
{
	uint32_t index;

	memcpy(&index, key, sizeof(index));
	return index < map->count ? (uint8_t *)map->base + index * map->value : NULL;
}

static void lab_between(void)
{
	if (sieve_lab.between)
		sieve_lab.between();
}

struct packet {
	__be32 source[4];
	__u32 family;
};

#define BPF_MAPS_H
#define BPF_PACKET_H
#define WHOLE(at)		      (lab_between(), *(const volatile __u64 *)(at))
#define bpf_map_lookup_elem(map, key) lab_lookup(map, key)
#define bpf_ktime_get_boot_ns()                                                                    \
	((uint64_t) * (const volatile uint32_t *)&sieve_lab.now << MOAT_TICK_SHIFT)

#define bpf_jiffies64() 0

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#pragma GCC diagnostic ignored "-Wunknown-pragmas"
#pragma GCC diagnostic ignored "-Wstrict-aliasing"
#include "bpf/sieve.h"
#pragma GCC diagnostic pop

/* ---- the maps ---- */

static struct moat_lengths lab_lengths[4];
static volatile uint32_t lab_bank6;

static void *lab_map(struct lab_map *map, uint32_t count, size_t value)
{
	*map = (struct lab_map){ .base = calloc(count, value), .value = value, .count = count };
	if (!map->base)
		abort();
	return map->base;
}

static void lab_unmap(struct lab_map *map)
{
	free(map->base);
	*map = (struct lab_map){ 0 };
}

void sieve_lab_open_sized(const struct sieve_size *size, uint64_t seed, uint32_t start)
{
	uint64_t key[SIEVE_KEYS], state = seed * 2 + 1;

	for (size_t i = 0; i < SIEVE_KEYS; i++)
		key[i] = sieve_lab_random(&state);
	sieve_lab = (struct sieve_lab){
		.maps = {
			.sieve = lab_map(&moat_sieve, 1, sizeof(struct moat_sieve)),
			.blocks = lab_map(&moat_blocks4, size->blocks, sizeof(uint64_t)),
			.hosts = lab_map(&moat_hosts4, size->hosts, sizeof(struct moat_bucket4)),
			.cells = lab_map(&moat_nodes4, size->parts, sizeof(struct moat_node_part)),
			.leaves = lab_map(&moat_leaves4, size->leaves, sizeof(union moat_leaf)),
			.buckets = lab_map(&moat_buckets6, size->buckets, sizeof(struct moat_bucket6)),
			.filter = lab_map(&moat_filter6, size->buckets, sizeof(uint64_t)),
			.size = *size,
		},
		.now = start,
	};
	memset(lab_lengths, 0, sizeof(lab_lengths));
	moat_lengths = (struct lab_map){ .base = lab_lengths,
					 .value = sizeof(*lab_lengths),
					 .count = ARRAY_SIZE(lab_lengths) };
	if (sieve_new(&sieve_lab.maps, key, start, &sieve_lab.sieve) < 0)
		abort();
}

void sieve_lab_open(const uint32_t capacity[2], uint64_t seed, uint32_t start)
{
	struct sieve_size size;

	sieve_size(capacity, &size);
	sieve_lab_open_sized(&size, seed, start);
}

void sieve_lab_close(void)
{
	sieve_lab.sieve = sieve_free(sieve_lab.sieve);
	lab_unmap(&moat_sieve);
	lab_unmap(&moat_blocks4);
	lab_unmap(&moat_hosts4);
	lab_unmap(&moat_nodes4);
	lab_unmap(&moat_leaves4);
	lab_unmap(&moat_buckets6);
	lab_unmap(&moat_filter6);
}

void sieve_lab_lengths6(const uint8_t *lengths, uint32_t count)
{
	uint32_t bank = !lab_bank6;
	struct moat_lengths *to = &lab_lengths[MOAT_LENGTHS_INDEX(MOAT_IPV6, bank)];

	to->count = count;
	for (uint32_t i = 0; i < count; i++)
		to->at[i] = prefix_length_mask(MOAT_IPV6, lengths[i]);
	lab_bank6 = bank;
	sieve_set_lengths(sieve_lab.sieve, MOAT_IPV6, count);
}

/* ---- the reader ---- */

static struct sieve_answer lab_answer(enum lookup result, const struct found *found)
{
	struct sieve_answer answer = {
		.empty = result == LOOKUP_EMPTY,
		.ask = result == LOOKUP_ASK,
		.listed = result == LOOKUP_LISTED,
	};

	if (answer.listed) {
		answer.class = found->class;
		answer.len = found->len;
	}
	return answer;
}

struct sieve_answer sieve_lab_read4(__be32 addr)
{
	struct found found = { 0 };
	enum lookup result = sieve4(addr, &found);

	return lab_answer(result, &found);
}

struct sieve_answer sieve_lab_read(const struct prefix *host)
{
	__be32 word[4];
	union match match;

	memcpy(word, host->addr, sizeof(word));
	if (host->family == MOAT_IPV4)
		return sieve_lab_read4(word[0]);
	match.word = sieve6(moat_half(word[0], word[1]), moat_half(word[2], word[3]), lab_bank6);
	return lab_answer(match.result, &(struct found){ .class = match.class, .len = match.len });
}
