/* SPDX-License-Identifier: BSD-2-Clause */
#include "plane/tables.h"

#include <sys/mman.h>

#include <bpf/bpf.h>

#include "moat/flow.h"
#include "plane/bpffs.h"
#include "plane/kernel.h"
#include "plane/tables_events.h"
#include "plane/tables_map.h"
#include "plane/tables_sieve.h"

/* ---- sizes ---- */

/*
 * What a kernel of 64 bits takes for an entry and a bucket of a hash map
 * (kernel/bpf/hashtab.c; tests/prog compares the sum with what the kernel
 * says). Hash maps hold one entry more for each CPU.
 */
#define HASH_ENTRY  48
#define HASH_BUCKET 16

static uint64_t round_up(uint64_t value, uint64_t to)
{
	return (value + to - 1) / to * to;
}

uint64_t tables_hash_memory(uint64_t entries, size_t key, size_t value)
{
	uint64_t buckets = 1;

	while (buckets < entries)
		buckets *= 2;
	return buckets * HASH_BUCKET +
	       (entries + kernel_cpus()) * (HASH_ENTRY + round_up(key, 8) + round_up(value, 8));
}

static uint64_t array_memory(uint64_t entries, size_t value)
{
	return round_up(entries * round_up(value, 8), (uint64_t)sysconf(_SC_PAGESIZE));
}

uint64_t tables_memory(const uint32_t capacity[2])
{
	uint64_t sources4 = (uint64_t)capacity[MOAT_IPV4] + TABLES_SPARE;
	uint64_t sources6 = (uint64_t)capacity[MOAT_IPV6] + TABLES_SPARE;
	uint64_t phases = (uint64_t)capacity[MOAT_IPV4] + capacity[MOAT_IPV6] + 1;

	return tables_hash_memory(sources4, sizeof(struct moat_key4), sizeof(struct moat_source)) +
	       tables_hash_memory(sources6, sizeof(struct moat_key6), sizeof(struct moat_source)) +
	       array_memory(phases, sizeof(struct moat_phase)) +
	       array_memory(4, sizeof(struct moat_lengths)) +
	       array_memory(2 * MOAT_CLASSES, sizeof(struct moat_class)) +
	       array_memory(2 * MOAT_CATEGORIES, sizeof(struct moat_policy)) +
	       array_memory(2 * MOAT_CATEGORIES, sizeof(struct moat_ports)) +
	       array_memory(MOAT_CATEGORIES, sizeof(struct moat_name)) +
	       array_memory(1, sizeof(struct moat_ports)) +
	       array_memory(1, sizeof(struct moat_control));
}

/* An element of an LRU map has the same head, and the map a bucket for each. */
uint64_t tables_flows_memory(uint32_t flows)
{
	return flows ? tables_hash_memory(flows, sizeof(struct moat_flow_key),
					  sizeof(struct moat_flow))
		     : 0;
}

/* ---- mappings ---- */

static size_t mapped_size(size_t entries, size_t value)
{
	return array_memory(entries, value);
}

static int map_array(int fd, size_t entries, size_t value, void **ret)
{
	void *at =
		mmap(NULL, mapped_size(entries, value), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (at == MAP_FAILED)
		return -errno;
	*ret = at;
	return 0;
}

static void unmap_array(void *at, size_t entries, size_t value)
{
	if (at)
		munmap(at, mapped_size(entries, value));
}

static int map_all(struct tables *t)
{
	void *control = NULL, *class = NULL, *phase = NULL;
	int r;

	r = map_array(t->fd[SHARED_CONTROL], 1, sizeof(*t->control), &control);
	t->control = control;
	if (!r)
		r = map_array(t->fd[SHARED_CLASSES], 2 * MOAT_CLASSES, sizeof(*t->class), &class);
	t->class = class;
	if (!r)
		r = map_array(t->fd[SHARED_PHASES], t->phases, sizeof(*t->phase), &phase);
	t->phase = phase;
	return r;
}

static struct tables *tables_new(const char *dir)
{
	struct tables *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	for (size_t i = 0; i < SHARED_MAX; i++)
		t->fd[i] = -1;
	for (size_t i = 0; i < SLOT_MAX; i++)
		t->slot[i].fd = -1;
	t->dir = strdup(dir);
	return t->dir ? t : tables_free(t);
}

struct tables *tables_free(struct tables *t)
{
	if (!t)
		return NULL;
	tables_sieve_free(t->sieve);
	tables_events_free(t->events);
	tables_forget(t, MOAT_IPV4);
	tables_forget(t, MOAT_IPV6);
	unmap_array(t->control, 1, sizeof(*t->control));
	unmap_array(t->class, 2 * MOAT_CLASSES, sizeof(*t->class));
	unmap_array(t->phase, t->phases, sizeof(*t->phase));
	for (size_t i = 0; i < SHARED_MAX; i++)
		base_closep(&t->fd[i]);
	for (size_t i = 0; i < SLOT_MAX; i++)
		base_closep(&t->slot[i].fd);
	free(t->dir);
	free(t);
	return NULL;
}

/* ---- opening ---- */

/*
 * moat_control of what is pinned, as far as it can be read: every version has
 * abi as its first word. -ENOENT: nothing is pinned, or not a whole set.
 */
static int read_control(int fd, struct moat_control *ret)
{
	_cleanup_free_ void *value = NULL;
	struct bpf_map_info info;
	uint32_t zero = 0;
	int r;

	r = kernel_map_info(fd, &info);
	if (r)
		return r;
	if (info.type != BPF_MAP_TYPE_ARRAY || info.value_size < sizeof(ret->abi))
		return -EPROTO;
	value = calloc(1, info.value_size + sizeof(*ret));
	if (!value)
		return -ENOMEM;
	r = bpf_map_lookup_elem(fd, &zero, value);
	if (!r)
		memcpy(ret, value, sizeof(*ret));
	return r;
}

static int check_abi(const char *dir, int control, struct moat_control *ret, struct problem *why)
{
	int r = read_control(control, ret);

	if (r == -EPROTO)
		return problem_set(why, r,
				   "pins '%s': '%s' is not a map of moat: remove it, then start again",
				   dir, MOAT_MAP_CONTROL);
	if (r)
		return kernel_error(why, r, "pins '%s': cannot read '%s'", dir, MOAT_MAP_CONTROL);
	if (ret->abi != MOAT_ABI)
		return problem_set(
			why, -EPROTO,
			"pins in %s were made by another version of moat (ABI %u, this one is %u): "
			"stop filtering with 'moatctl detach' of that version or remove %s, then "
			"start again",
			dir, ret->abi, MOAT_ABI, dir);
	return 0;
}

/*
 * Takes the pinned maps. Returns 1 taken, 0 there is no whole set of this
 * capacity; *old is then the control of what is there, if something is.
 */
static int adopt(struct tables *t, const uint32_t capacity[2], struct moat_control *old,
		 struct problem *why)
{
	enum object_shared bad = SHARED_CONTROL;
	bool whole = true;
	int r;

	for (size_t i = 0; i < SHARED_MAX; i++) {
		t->fd[i] = bpffs_get(t->dir, object_shared_name[i]);
		if (t->fd[i] < 0 && t->fd[i] != -ENOENT)
			return kernel_error(why, t->fd[i], "pins '%s': cannot open '%s'", t->dir,
					    object_shared_name[i]);
		whole &= t->fd[i] >= 0;
	}
	if (t->fd[SHARED_CONTROL] < 0)
		return 0;
	r = check_abi(t->dir, t->fd[SHARED_CONTROL], old, why);
	if (r || !whole)
		return r;
	r = object_check_maps(t->fd, capacity, &bad);
	if (r == -EPROTO)
		return problem_set(why, r,
				   "pins '%s': '%s' has another layout than this version of moat makes: "
				   "remove %s, then start again",
				   t->dir, object_shared_name[bad], t->dir);
	if (r < 0)
		return kernel_error(why, r, "pins '%s'", t->dir);
	return !r;
}

/*
 * Makes a whole new set. Parts of an old set are of no use beside it: class
 * numbers, phases and prefix lengths of the maps in force must not change
 * while the new ones are being filled.
 */
static int make(struct tables *t, const uint32_t capacity[2], const struct moat_control *old,
		struct problem *why)
{
	struct moat_control control = {
		.abi = MOAT_ABI,
		.paused_until = old->paused_until,
	};
	uint32_t zero = 0;
	int r;

	for (size_t i = 0; i < SHARED_MAX; i++) {
		base_closep(&t->fd[i]);
		t->fd[i] = -1;
	}
	r = object_make_maps(capacity, t->fd, why);
	if (r)
		return r;
	r = bpf_map_update_elem(t->fd[SHARED_CONTROL], &zero, &control, BPF_ANY);
	return r ? kernel_error(why, r, "BPF map '%s': cannot be written", MOAT_MAP_CONTROL) : 0;
}

int tables_open(const char *dir, const uint32_t capacity[2], struct tables **ret,
		struct problem *why)
{
	_cleanup_(tables_freep) struct tables *t = NULL;
	struct moat_control old = {};
	int r;

	r = kernel_check_cpus(why) ?: bpffs_prepare(dir, why);
	if (r)
		return r;
	t = tables_new(dir);
	if (!t)
		return problem_set(why, -ENOMEM, "pins '%s': out of memory", dir);
	r = adopt(t, capacity, &old, why);
	if (r < 0)
		return r;
	t->adopted = t->pinned = r;
	t->filled[0] = t->filled[1] = r;
	if (!r)
		r = make(t, capacity, &old, why);
	if (r < 0)
		return r;

	memcpy(t->capacity, capacity, sizeof(t->capacity));
	t->phases = capacity[MOAT_IPV4] + capacity[MOAT_IPV6] + 1;
	r = map_all(t);
	if (r)
		return kernel_error(why, r, "BPF maps in '%s': cannot be mapped", dir);
	tables_note_policies(t);
	*ret = take_ptr(t);
	return 0;
}

bool tables_adopted(const struct tables *t, uint8_t family)
{
	(void)family; /* today both or none */
	return t->adopted;
}

/* ---- pinning ---- */

static bool is_pinned(const struct tables *t, int map, const char *name)
{
	_cleanup_close_ int fd = bpffs_get(t->dir, name);
	struct bpf_map_info pinned, ours;

	return fd >= 0 && !kernel_map_info(fd, &pinned) && !kernel_map_info(map, &ours) &&
	       pinned.id == ours.id;
}

/*
 * Control goes first and comes last: a daemon that dies between leaves no set
 * that looks whole and is not. The programs in force do not need the pins.
 */
int tables_pin(struct tables *t, struct problem *why)
{
	bool done = true;
	int r;

	for (size_t i = 0; i < SLOT_MAX; i++)
		done &= t->slot[i].fd < 0 || is_pinned(t, t->slot[i].fd, slot_table_name[i]);
	for (size_t i = 0; i < SHARED_MAX; i++)
		done &= is_pinned(t, t->fd[i], object_shared_name[i]);
	if (done)
		return 0;
	r = bpffs_prepare(t->dir, why); /* somebody may have removed it */
	if (r)
		return r;
	r = bpffs_unpin(t->dir, object_shared_name[SHARED_CONTROL]);
	for (size_t i = 0; !r && i < SLOT_MAX; i++)
		if (t->slot[i].fd >= 0)
			r = bpffs_pin(t->slot[i].fd, t->dir, slot_table_name[i]);
	for (size_t i = 0; !r && i < SHARED_MAX; i++)
		r = bpffs_pin(t->fd[i], t->dir, object_shared_name[i]);
	if (r)
		return kernel_error(why, r, "pins '%s': cannot pin the maps", t->dir);
	t->pinned = true;
	return 0;
}

int tables_fd(const struct tables *t, const char *name)
{
	const struct object_sieve *sieve = tables_object_sieve(t);

	for (size_t i = 0; i < SHARED_MAX; i++)
		if (!strcmp(name, object_shared_name[i]))
			return t->fd[i];
	for (size_t i = 0; sieve && i < SIEVE_PARTS; i++)
		if (!strcmp(name, object_sieve_name[i]))
			return sieve->fd[i];
	return -ENOENT;
}

uint32_t tables_phases(const struct tables *t)
{
	return t->phases;
}
