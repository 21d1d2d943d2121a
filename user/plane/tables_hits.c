/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of hits: its size, and what the program has written to it.
 */
#include "plane/hits.h"

#include <bpf/bpf.h>

#include "plane/kernel.h"
#include "plane/program.h"
#include "plane/tables_map.h"

#define READ_ROOM 16384 /* entries a read; no bucket of a hash is that long */

uint64_t tables_hits_memory(uint32_t sources)
{
	return sources ? tables_hash_memory(sources, sizeof(struct moat_hit_key),
					    sizeof(struct moat_hit))
		       : 0;
}

int tables_set_hits(struct tables *t, uint32_t sources, struct problem *why)
{
	return tables_set_slot(t, SLOT_HITS, sources, why);
}

uint32_t tables_hits(const struct tables *t)
{
	return t->slot[SLOT_HITS].room;
}

int tables_hit(const struct tables *t, const struct prefix *source, struct moat_hit *ret)
{
	struct moat_hit_key key = { .family = source->family, .len = source->len };

	if (!tables_hits(t))
		return -ENOENT;
	memcpy(key.addr, source->addr, sizeof(key.addr));
	return bpf_map_lookup_elem(t->slot[SLOT_HITS].fd, &key, ret);
}

static struct prefix source_of(const struct moat_hit_key *key)
{
	struct prefix source = { .family = key->family, .len = key->len };

	memcpy(source.addr, key->addr, sizeof(source.addr));
	return source;
}

static int each_single(int fd, tables_hit_fn fn, void *arg)
{
	struct moat_hit_key key, *from = NULL;
	struct moat_hit hit;
	int r;

	while (!(r = bpf_map_get_next_key(fd, from, &key))) {
		struct prefix source = source_of(&key);

		from = &key;
		r = bpf_map_lookup_elem(fd, &key, &hit);
		if (r == -ENOENT)
			continue;
		r = r ?: fn(arg, &source, &hit);
		if (r)
			return r;
	}
	return r == -ENOENT ? 0 : r;
}

int tables_each_hit(const struct tables *t, tables_hit_fn fn, void *arg)
{
	_cleanup_free_ struct moat_hit_key *keys = calloc(READ_ROOM, sizeof(*keys));
	_cleanup_free_ struct moat_hit *hits = calloc(READ_ROOM, sizeof(*hits));
	int fd = t->slot[SLOT_HITS].fd;
	uint32_t at = 0;
	int r = 0;

	if (!tables_hits(t))
		return 0;
	if (!keys || !hits)
		return -ENOMEM;
	if (!program_features()->batch)
		return each_single(fd, fn, arg);
	for (bool first = true; !r; first = false) {
		uint32_t count = READ_ROOM;
		int told = 0;

		r = bpf_map_lookup_batch(fd, first ? NULL : &at, &at, keys, hits, &count, NULL);
		if (r && r != -ENOENT)
			return r;
		for (uint32_t i = 0; !told && i < count; i++) {
			struct prefix source = source_of(&keys[i]);

			told = fn(arg, &source, &hits[i]);
		}
		if (told)
			return told;
	}
	return 0; /* -ENOENT: that was the last part */
}
