// SPDX-License-Identifier: BSD-2-Clause
#include "tools/bench/filter_moat.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "plane/events.h"
#include "plane/tables_events.h"
#include "plane/tables_sieve.h"

uint32_t filter_expires(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return ((now.tv_sec + 24ULL * 60 * 60) * 1000000000ULL) >> MOAT_TICK_SHIFT;
}

static int said(const struct problem *why, int error)
{
	if (error)
		fprintf(stderr, "%s\n", why->text);
	return error;
}

/* The maps go with their last fd; the directory is for pins that are never made. */
int filter_moat_open(const uint32_t capacity[2], struct tables **ret)
{
	_cleanup_(tables_freep) struct tables *t = NULL;
	struct problem why = {};
	char pins[64];
	int r;

	snprintf(pins, sizeof(pins), "/sys/fs/bpf/moat-bench-tables-%d", getpid());
	r = tables_open(pins, capacity, &t, &why);
	rmdir(pins);
	r = r ?: tables_set_sieve(t, true, UINT64_MAX, &why);
	r = r ?: tables_set_events(t, &why);
	if (!r)
		*ret = take_ptr(t);
	return said(&why, r);
}

/* Where the constant lies in the object's .rodata, or negative. */
static int constant_offset(const struct bpf_object *object, const char *name)
{
	const struct btf *btf = bpf_object__btf(object);
	int id = btf ? btf__find_by_name_kind(btf, ".rodata", BTF_KIND_DATASEC) : -ENOENT;
	const struct btf_type *section = id < 0 ? NULL : btf__type_by_id(btf, id);

	for (int i = 0; section && i < btf_vlen(section); i++) {
		const struct btf_var_secinfo *at = &btf_var_secinfos(section)[i];
		const struct btf_type *var = btf__type_by_id(btf, at->type);

		if (!strcmp(btf__name_by_offset(btf, var->name_off), name))
			return (int)at->offset;
	}
	return -ENOENT;
}

static int set_constant(struct bpf_object *object, const char *name, uint32_t value)
{
	int offset = constant_offset(object, name);
	struct bpf_map *map;

	if (offset < 0)
		return offset;
	bpf_object__for_each_map(map, object)
	{
		const char *suffix = strrchr(bpf_map__name(map), '.');
		size_t size = 0;
		char *at = (char *)bpf_map__initial_value(map, &size);

		if (!suffix || strcmp(suffix, ".rodata") != 0 || !at ||
		    offset + sizeof(value) > size)
			continue;
		memcpy(at + offset, &value, sizeof(value));
		return 0;
	}
	return -ENOENT;
}

/* The rings of events; an object without the code has none. */
static int use_events(const struct object_events *events, struct bpf_object *object)
{
	struct bpf_map *lane = bpf_object__find_map_by_name(object, MOAT_MAP_EVENT_LANE);
	struct bpf_map *ring = bpf_object__find_map_by_name(object, MOAT_MAP_EVENT_RING);
	int r = set_constant(object, "moat_event_room", events->room);

	if (r)
		return r == -ENOENT ? 0 : r;
	r = bpf_map__reuse_fd(lane, events->lane);
	return r ?: bpf_map__reuse_fd(ring, events->ring);
}

int filter_moat_use(const struct tables *t, struct bpf_object *object)
{
	const struct object_sieve *sieve = tables_object_sieve(t);
	struct bpf_map *map;
	int r = use_events(tables_object_events(t), object);

	if (r)
		return r;
	bpf_object__for_each_map(map, object)
	{
		int fd = tables_fd(t, bpf_map__name(map));

		r = fd < 0 ? 0 : bpf_map__reuse_fd(map, fd);
		if (r)
			return r;
	}
	return set_constant(object, "moat_sieved", sieve ? sieve->number : 0);
}

void filter_moat_note_reader(const struct tables *t)
{
	tables_note_reader(t);
}

int filter_moat_put(struct tables *t, uint8_t family, const void *keys, uint32_t count)
{
	_cleanup_free_ struct moat_source *values = calloc(count, sizeof(*values));
	_cleanup_free_ int16_t *done = calloc(count, sizeof(*done));
	uint32_t expires = filter_expires();
	ssize_t r;

	if (!values || !done)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		values[i].class = FILTER_CLASS;
		values[i].expires = expires;
	}
	r = family == MOAT_IPV4 ? tables_put4(t, keys, values, count, done)
				: tables_put6(t, keys, values, count, done);
	return r > 0 ? -ENOSPC : (int)r;
}
