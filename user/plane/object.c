/* SPDX-License-Identifier: BSD-2-Clause */
#include "plane/object.h"

#include <fcntl.h>
#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "moat.skel.h"
#include "moat/abi.h"
#include "moat/hits.h"
#include "plane/kernel.h"
#include "plane/program.h"
#include "plane/tables.h"

const char *const object_shared_name[SHARED_MAX] = {
	[SHARED_SOURCE4] = MOAT_MAP_SOURCE4,   [SHARED_SOURCE6] = MOAT_MAP_SOURCE6,
	[SHARED_PHASES] = MOAT_MAP_PHASES,     [SHARED_LENGTHS] = MOAT_MAP_LENGTHS,
	[SHARED_CLASSES] = MOAT_MAP_CLASSES,   [SHARED_POLICIES] = MOAT_MAP_POLICIES,
	[SHARED_PORTS] = MOAT_MAP_PORTS,       [SHARED_NAMES] = MOAT_MAP_NAMES,
	[SHARED_CLIENTS] = MOAT_MAP_CLIENTS,   [SHARED_SLOT] = MOAT_MAP_SLOT,
	[SHARED_HIT_SLOT] = MOAT_MAP_HIT_SLOT, [SHARED_CONTROL] = MOAT_MAP_CONTROL,
};

const char *const object_sieve_name[SIEVE_PARTS] = {
	[SIEVE_VIEWS] = MOAT_MAP_SIEVE,	    [SIEVE_BLOCKS4] = MOAT_MAP_BLOCKS4,
	[SIEVE_HOSTS4] = MOAT_MAP_HOSTS4,   [SIEVE_NODES4] = MOAT_MAP_NODES4,
	[SIEVE_LEAVES4] = MOAT_MAP_LEAVES4, [SIEVE_BUCKETS6] = MOAT_MAP_BUCKETS6,
	[SIEVE_FILTER6] = MOAT_MAP_FILTER6,
};

static struct moat *object_free(struct moat *object)
{
	moat__destroy(object);
	return NULL;
}
DEFINE_CLEANUP(struct moat, object_free)

static int duplicate(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	return copy < 0 ? -errno : copy;
}

static int open_object(struct moat **ret, struct problem *why)
{
	int r;

	*ret = moat__open();
	if (*ret)
		return 0;
	r = errno ? -errno : -EINVAL;
	return kernel_error(why, r, "BPF object: cannot be opened");
}

static void size_maps(struct moat *object, const uint32_t capacity[2])
{
	bpf_map__set_max_entries(object->maps.moat_source4, capacity[0] + TABLES_SPARE);
	bpf_map__set_max_entries(object->maps.moat_source6, capacity[1] + TABLES_SPARE);
	bpf_map__set_max_entries(object->maps.moat_phases, capacity[0] + capacity[1] + 1);
}

static void load_no_program(struct moat *object)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, object->obj)
		bpf_program__set_autoload(program, false);
}

/* The maps of constants and variables, which libbpf wants in any case. */
static bool is_own(const struct moat *object, const struct bpf_map *map)
{
	return map == object->maps.rodata || map == object->maps.bss;
}

static struct bpf_map *sieve_map(const struct moat *object, enum object_sieve_part part)
{
	return bpf_object__find_map_by_name(object->obj, object_sieve_name[part]);
}

/* Copies of the fds that the object has for count maps; fds is untouched on failure. */
static int duplicate_all(const struct moat *object, const char *const *names, size_t count,
			 int *fds, struct problem *why)
{
	int made[(int)SHARED_MAX + (int)SIEVE_PARTS];

	for (size_t i = 0; i < count; i++) {
		made[i] = duplicate(bpf_object__find_map_fd_by_name(object->obj, names[i]));
		if (made[i] >= 0)
			continue;
		for (size_t n = 0; n < i; n++)
			close(made[n]);
		return kernel_error(why, made[i], "BPF map '%s'", names[i]);
	}
	memcpy(fds, made, count * sizeof(*fds));
	return 0;
}

/* What lies in a slot is made by object_make_table(). */
static void leave_out_tables(struct moat *object)
{
	bpf_map__set_autocreate(object->maps.moat_flows, false);
	bpf_map__set_autocreate(object->maps.moat_hits, false);
}

/*
 * libbpf makes the maps, so that they carry the object's BTF, without which a
 * spin lock in a value does not work. It also raises RLIMIT_MEMLOCK on kernels
 * that still count against it.
 */
int object_make_maps(const uint32_t capacity[2], int fds[static SHARED_MAX], struct problem *why)
{
	_cleanup_(object_freep) struct moat *object = NULL;
	int r;

	r = open_object(&object, why);
	if (r)
		return r;
	size_maps(object, capacity);
	for (enum object_sieve_part part = 0; part < SIEVE_PARTS; part++)
		bpf_map__set_autocreate(sieve_map(object, part), false);
	load_no_program(object);
	bpf_map__set_autocreate(object->maps.moat_iface, false);
	bpf_map__set_autocreate(object->maps.moat_stats, false);
	bpf_map__set_autocreate(object->maps.moat_samples, false);
	bpf_map__set_autocreate(object->maps.moat_clock, false);
	bpf_map__set_autocreate(object->maps.moat_event_lane, false);
	bpf_map__set_autocreate(object->maps.moat_event_ring, false);
	leave_out_tables(object);
	r = moat__load(object);
	if (r)
		return kernel_error(why, r,
				    "BPF maps for %u IPv4 and %u IPv6 sources: cannot be made",
				    capacity[0], capacity[1]);

	return duplicate_all(object, object_shared_name, SHARED_MAX, fds, why);
}

int object_make_sieve(const struct sieve_size *size, int fds[static SIEVE_PARTS],
		      struct problem *why)
{
	const uint32_t entries[SIEVE_PARTS] = {
		[SIEVE_VIEWS] = 1,
		[SIEVE_BLOCKS4] = size->blocks,
		[SIEVE_HOSTS4] = size->hosts,
		[SIEVE_NODES4] = size->parts,
		[SIEVE_LEAVES4] = size->leaves,
		[SIEVE_BUCKETS6] = size->buckets,
		[SIEVE_FILTER6] = size->buckets,
	};
	_cleanup_(object_freep) struct moat *object = NULL;
	struct bpf_map *map;
	int r;

	r = open_object(&object, why);
	if (r)
		return r;
	load_no_program(object);
	bpf_object__for_each_map(map, object->obj)
		bpf_map__set_autocreate(map, is_own(object, map));
	for (enum object_sieve_part part = 0; part < SIEVE_PARTS; part++) {
		bpf_map__set_autocreate(sieve_map(object, part), true);
		bpf_map__set_max_entries(sieve_map(object, part), entries[part]);
	}
	r = moat__load(object);
	if (r)
		return kernel_error(why, r, "BPF maps of the sieve: cannot be made");
	return duplicate_all(object, object_sieve_name, SIEVE_PARTS, fds, why);
}

int object_make_events(uint32_t cpus, uint32_t room, struct object_events *ret, struct problem *why)
{
	static const char *const names[] = { MOAT_MAP_EVENT_LANE, MOAT_MAP_EVENT_RING };
	_cleanup_(object_freep) struct moat *object = NULL;
	struct bpf_map *map;
	int fds[ARRAY_SIZE(names)];
	int r;

	r = open_object(&object, why);
	if (r)
		return r;
	load_no_program(object);
	bpf_object__for_each_map(map, object->obj)
		bpf_map__set_autocreate(map, is_own(object, map) ||
						     map == object->maps.moat_event_lane ||
						     map == object->maps.moat_event_ring);
	bpf_map__set_max_entries(object->maps.moat_event_lane, cpus);
	bpf_map__set_max_entries(object->maps.moat_event_ring, cpus * room);
	r = moat__load(object);
	if (r)
		return kernel_error(why, r, "BPF maps of events: cannot be made");
	r = duplicate_all(object, names, ARRAY_SIZE(names), fds, why);
	if (!r)
		*ret = (struct object_events){ .lane = fds[0], .ring = fds[1], .room = room };
	return r;
}

int object_make_table(const char *name, uint32_t entries, struct problem *why)
{
	_cleanup_(object_freep) struct moat *object = NULL;
	struct bpf_map *map, *table;
	int r;

	r = open_object(&object, why);
	if (r)
		return r;
	table = bpf_object__find_map_by_name(object->obj, name);
	if (!table)
		return kernel_error(why, -ENOENT, "BPF map '%s'", name);
	load_no_program(object);
	bpf_object__for_each_map(map, object->obj)
		bpf_map__set_autocreate(map, map == table || is_own(object, map));
	bpf_map__set_max_entries(table, entries);
	r = moat__load(object);
	if (!r)
		r = duplicate(bpf_map__fd(table));
	return r < 0 ? kernel_error(why, r, "BPF map '%s' of %u entries: cannot be made", name,
				    entries)
		     : r;
}

/* 0 equal, 1 equal but for the number of entries, -EPROTO, or why it cannot be told. */
static int compare_map(int fd, const struct bpf_map *map)
{
	struct bpf_map_info info;
	int r = kernel_map_info(fd, &info);

	if (r)
		return r;
	if (info.type != bpf_map__type(map) || info.key_size != bpf_map__key_size(map) ||
	    info.value_size != bpf_map__value_size(map) ||
	    info.map_flags != bpf_map__map_flags(map))
		return -EPROTO;
	return info.max_entries != bpf_map__max_entries(map);
}

int object_check_maps(const int fds[static SHARED_MAX], const uint32_t capacity[2],
		      enum object_shared *ret_bad)
{
	_cleanup_(object_freep) struct moat *object = NULL;
	int result = 0;
	int r;

	r = open_object(&object, NULL);
	if (r)
		return r;
	size_maps(object, capacity);
	for (enum object_shared i = 0; i < SHARED_MAX; i++) {
		bool sized = i == SHARED_SOURCE4 || i == SHARED_SOURCE6 || i == SHARED_PHASES;

		r = compare_map(fds[i],
				bpf_object__find_map_by_name(object->obj, object_shared_name[i]));
		if (r < 0 || (r && !sized)) {
			*ret_bad = i;
			return -EPROTO;
		}
		result |= r;
	}
	return result;
}

bool object_is_map(int fd, const char *name, uint32_t entries)
{
	_cleanup_(object_freep) struct moat *object = NULL;
	struct bpf_map *map;

	if (fd < 0 || open_object(&object, NULL))
		return false;
	map = bpf_object__find_map_by_name(object->obj, name);
	if (map && entries)
		bpf_map__set_max_entries(map, entries);
	return map && !compare_map(fd, map);
}

static int use_shared(struct moat *object, const int shared[static SHARED_MAX])
{
	for (size_t i = 0; i < SHARED_MAX; i++) {
		struct bpf_map *map =
			bpf_object__find_map_by_name(object->obj, object_shared_name[i]);
		int r = map ? bpf_map__reuse_fd(map, shared[i]) : -ENOENT;

		if (r)
			return r;
	}
	return 0;
}

static int use_sieve(struct moat *object, const struct object_sieve *sieve)
{
	int r = 0;

	if (!sieve)
		return 0; /* each program has its own, of one element, and does not look at it */
	object->rodata->moat_sieved = sieve->number;
	for (enum object_sieve_part part = 0; !r && part < SIEVE_PARTS; part++)
		r = bpf_map__reuse_fd(sieve_map(object, part), sieve->fd[part]);
	return r;
}

/* The coarse clock moves with the tick of the timer: its resolution is the tick. */
static uint32_t hits_exact(void)
{
	struct timespec tick;

	if (clock_getres(CLOCK_MONOTONIC_COARSE, &tick) || tick.tv_sec)
		return 1;
	return MOAT_HITS_EXACT(tick.tv_nsec);
}

/* A ring for each CPU; the probe samples nothing. */
static int use_samples(struct moat *object, int samples, bool for_probe)
{
	if (samples >= 0)
		return bpf_map__reuse_fd(object->maps.moat_samples, samples);
	return bpf_map__set_max_entries(object->maps.moat_samples,
					for_probe ? 1 : (uint32_t)kernel_cpus());
}

/* The probe writes none: its room stays 0. */
static int use_events(struct moat *object, const struct object_parts *parts)
{
	int r = 0;

	if (parts->wanted >= 0)
		r = bpf_map__reuse_fd(object->maps.bss, parts->wanted);
	if (r || !parts->events)
		return r;
	object->rodata->moat_event_room = parts->events->room;
	return bpf_map__reuse_fd(object->maps.moat_event_lane, parts->events->lane)
		       ?: bpf_map__reuse_fd(object->maps.moat_event_ring, parts->events->ring);
}

static int prepare(struct moat *object, struct bpf_program *ingress,
		   const int shared[static SHARED_MAX], const struct object_parts *parts,
		   bool for_probe, bool frags)
{
	int r;

	leave_out_tables(object);
	object->rodata->moat_hits_exact = for_probe ? 0 : hits_exact();
	r = use_shared(object, shared) ?: use_sieve(object, parts->sieve);
	if (!r && parts->iface >= 0)
		r = bpf_map__reuse_fd(object->maps.moat_iface, parts->iface);
	if (!r && parts->stats >= 0)
		r = bpf_map__reuse_fd(object->maps.moat_stats, parts->stats);
	r = r ?: use_samples(object, parts->samples, for_probe);
	r = r ?: use_events(object, parts);
	if (!r && for_probe)
		r = bpf_map__set_type(object->maps.moat_stats, BPF_MAP_TYPE_ARRAY)
			    ?: bpf_map__set_map_flags(object->maps.moat_stats, BPF_F_MMAPABLE);
	if (!r && frags) {
		object->rodata->moat_frags = 1;
		r = bpf_program__set_flags(ingress,
					   bpf_program__flags(ingress) | BPF_F_XDP_HAS_FRAGS);
	}
	return r;
}

void object_program_close(struct object_program *p)
{
	base_closep(&p->ingress);
	base_closep(&p->mark);
	base_closep(&p->egress);
	base_closep(&p->iface);
	base_closep(&p->stats);
	base_closep(&p->samples);
	base_closep(&p->wanted);
	*p = OBJECT_PROGRAM_NONE;
}

static struct object_program take_program(struct object_program *p)
{
	struct object_program taken = *p;

	*p = OBJECT_PROGRAM_NONE;
	return taken;
}

/* Copies of what callers keep of a loaded object. */
static int keep(const struct moat *object, const struct bpf_program *ingress,
		struct object_program *ret, struct problem *why)
{
	_cleanup_(object_program_close) struct object_program p = OBJECT_PROGRAM_NONE;

	p.ingress = duplicate(bpf_program__fd(ingress));
	p.mark = duplicate(bpf_program__fd(object->progs.moat_mark));
	p.egress = duplicate(bpf_program__fd(object->progs.moat_egress));
	p.iface = duplicate(bpf_map__fd(object->maps.moat_iface));
	p.stats = duplicate(bpf_map__fd(object->maps.moat_stats));
	p.samples = duplicate(bpf_map__fd(object->maps.moat_samples));
	p.wanted = duplicate(bpf_map__fd(object->maps.bss));
	if (p.ingress < 0 || p.mark < 0 || p.egress < 0 || p.iface < 0 || p.stats < 0 ||
	    p.samples < 0 || p.wanted < 0)
		return kernel_error(why, -EMFILE, "BPF programs: file descriptors");
	*ret = take_program(&p);
	return 0;
}

int object_load(const int shared[static SHARED_MAX], const struct object_parts *parts,
		bool for_probe, bool frags, struct object_program *ret, struct problem *why)
{
	_cleanup_(object_freep) struct moat *object = NULL;
	int r;

	r = open_object(&object, why);
	if (r)
		return r;
	r = prepare(object, object->progs.moat_ingress, shared, parts, for_probe, frags);
	if (r)
		return kernel_error(why, r, "BPF programs: cannot be given their maps");
	r = moat__load(object);
	if (r)
		return kernel_error(why, r,
				    "BPF programs: the kernel refused to load them (its words "
				    "are in the log)");
	return keep(object, object->progs.moat_ingress, ret, why);
}

int object_load_chained(const int shared[static SHARED_MAX], const struct object_parts *parts,
			bool frags, object_attach_fn attach, void *arg, struct object_program *ret,
			uint32_t *ret_id)
{
	_cleanup_(object_freep) struct moat *object = NULL;
	struct bpf_program *chained;
	int r = open_object(&object, NULL);

	if (r)
		return r;
	chained = object->progs.moat_chained;
	bpf_program__set_autoload(object->progs.moat_ingress, false);
	bpf_program__set_autoload(chained, true);
	r = prepare(object, chained, shared, parts, false, frags);
	r = r ?: attach(arg, object->obj, bpf_program__name(chained), ret_id);
	return r ?: keep(object, chained, ret, NULL);
}
