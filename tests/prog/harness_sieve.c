/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/prog/harness_sieve.h"

#include <bpf/libbpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "core/prefix.h"
#include "moat/abi.h"

#define PARTS 7

struct harness_sieve {
	struct sieve_maps maps;
	struct sieve *sieve;
};

struct part {
	const char *name;
	uint32_t entries;
	size_t size; /* of an entry */
	void **at;
};

static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "harness: sieve: %s: %s\n", what, strerror(errno));
	abort();
}

bool harness_sieve_wanted(void)
{
	const char *text = getenv("MOAT_SIEVE");

	return !text || strcmp(text, "0") != 0;
}

static void parts_of(struct sieve_maps *m, struct part ret[static PARTS])
{
	const struct sieve_size *size = &m->size;
	const struct part parts[PARTS] = {
		{ MOAT_MAP_SIEVE, 1, sizeof(*m->sieve), (void **)&m->sieve },
		{ MOAT_MAP_BLOCKS4, size->blocks, sizeof(*m->blocks), (void **)&m->blocks },
		{ MOAT_MAP_HOSTS4, size->hosts, sizeof(*m->hosts), (void **)&m->hosts },
		{ MOAT_MAP_NODES4, size->parts, sizeof(struct moat_node_part), (void **)&m->cells },
		{ MOAT_MAP_LEAVES4, size->leaves, sizeof(*m->leaves), (void **)&m->leaves },
		{ MOAT_MAP_BUCKETS6, size->buckets, sizeof(*m->buckets), (void **)&m->buckets },
		{ MOAT_MAP_FILTER6, size->buckets, sizeof(*m->filter), (void **)&m->filter },
	};

	memcpy(ret, parts, sizeof(parts));
}

void harness_sieve_size(struct moat *skel, const uint32_t capacity[2])
{
	struct sieve_maps maps = {};
	struct part parts[PARTS];

	sieve_size(capacity, &maps.size);
	parts_of(&maps, parts);
	for (size_t i = 0; i < PARTS; i++)
		bpf_map__set_max_entries(bpf_object__find_map_by_name(skel->obj, parts[i].name),
					 parts[i].entries);
	skel->rodata->moat_sieved = 1;
}

/* The same keys in every run, so that a red run is red again. */
static void random_keys(uint64_t key[static SIEVE_KEYS])
{
	uint64_t state = 0x6d6f6174;

	for (size_t i = 0; i < SIEVE_KEYS; i++) {
		state += 0x9E3779B97F4A7C15ULL; /* splitmix64 */
		key[i] = state;
		key[i] = (key[i] ^ key[i] >> 30) * 0xBF58476D1CE4E5B9ULL;
		key[i] = (key[i] ^ key[i] >> 27) * 0x94D049BB133111EBULL;
		key[i] ^= key[i] >> 31;
	}
}

struct harness_sieve *harness_sieve_new(struct moat *skel, const uint32_t capacity[2])
{
	struct harness_sieve *s = calloc(1, sizeof(*s));
	struct part parts[PARTS];
	uint64_t key[SIEVE_KEYS];
	struct timespec now;

	must(s, "memory");
	sieve_size(capacity, &s->maps.size);
	parts_of(&s->maps, parts);
	for (size_t i = 0; i < PARTS; i++) {
		int fd = bpf_object__find_map_fd_by_name(skel->obj, parts[i].name);

		*parts[i].at = mmap(NULL, parts[i].entries * parts[i].size, PROT_READ | PROT_WRITE,
				    MAP_SHARED, fd, 0);
		must(*parts[i].at != MAP_FAILED, parts[i].name);
	}
	random_keys(key);
	must(clock_gettime(CLOCK_BOOTTIME, &now) == 0, "clock");
	must(sieve_new(&s->maps, key,
		       ((uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec) >>
			       MOAT_TICK_SHIFT,
		       &s->sieve) == 0,
	     "new");
	return s;
}

struct harness_sieve *harness_sieve_free(struct harness_sieve *s)
{
	struct part parts[PARTS];

	if (!s)
		return NULL;
	sieve_free(s->sieve);
	parts_of(&s->maps, parts);
	for (size_t i = 0; i < PARTS; i++)
		munmap(*parts[i].at, parts[i].entries * parts[i].size);
	free(s);
	return NULL;
}

static bool source_of(const char *map, const void *key, struct prefix *ret)
{
	if (!strcmp(map, MOAT_MAP_SOURCE4))
		*ret = prefix_from_key4(key);
	else if (!strcmp(map, MOAT_MAP_SOURCE6))
		*ret = prefix_from_key6(key);
	else
		return false;
	return true;
}

/* No program runs but by a call of this thread. */
static void settle(struct harness_sieve *s)
{
	if (sieve_wants_grace(s->sieve))
		sieve_grace(s->sieve);
}

void harness_sieve_put(struct harness_sieve *s, const char *map, const void *key, const void *value)
{
	const struct moat_source *record = value;
	struct prefix source;

	if (!s || !source_of(map, key, &source))
		return;
	sieve_put(s->sieve, &source, record->class, record->expires);
	settle(s);
}

void harness_sieve_delete(struct harness_sieve *s, const char *map, const void *key)
{
	struct prefix source;

	if (!s || !source_of(map, key, &source))
		return;
	sieve_delete(s->sieve, &source);
	settle(s);
}

void harness_sieve_lengths(struct harness_sieve *s, uint8_t family, uint32_t count)
{
	if (s)
		sieve_set_lengths(s->sieve, family, count);
}
