/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The compiled object (bpf/moat.bpf.c): makes its maps, loads its programs.
 * The only user of the skeleton, so the layout of the maps is known from the
 * object alone. Private to plane/.
 *
 * Callers own every fd they get.
 */
#ifndef PLANE_OBJECT_H
#define PLANE_OBJECT_H

#include "core/problem.h"
#include "core/sieve.h"

/* The maps all interfaces share. CONTROL is last: it is pinned last, and says the set is whole. */
enum object_shared {
	SHARED_SOURCE4, /* by family: MOAT_IPV4, MOAT_IPV6 */
	SHARED_SOURCE6,
	SHARED_PHASES,
	SHARED_LENGTHS,
	SHARED_CLASSES,
	SHARED_POLICIES,
	SHARED_PORTS,
	SHARED_NAMES,
	SHARED_CLIENTS,
	SHARED_SLOT,
	SHARED_HIT_SLOT,
	SHARED_CONTROL,
	SHARED_MAX,
};

extern const char *const object_shared_name[SHARED_MAX];

/* The maps of the sieve, all or none. */
enum object_sieve_part {
	SIEVE_VIEWS,
	SIEVE_BLOCKS4,
	SIEVE_HOSTS4,
	SIEVE_NODES4,
	SIEVE_LEAVES4,
	SIEVE_BUCKETS6,
	SIEVE_FILTER6,
	SIEVE_PARTS,
};

extern const char *const object_sieve_name[SIEVE_PARTS];

struct object_sieve {
	int fd[SIEVE_PARTS];
	uint32_t number; /* moat_control.sieve while it is written; not 0 */
};

/* Makes the maps of a sieve of this size. fds is untouched on failure. */
int object_make_sieve(const struct sieve_size *size, int fds[static SIEVE_PARTS],
		      struct problem *why);

/* Makes a table that lies in a slot, with room for so many entries. Returns its fd. */
int object_make_table(const char *name, uint32_t entries, struct problem *why);

/* Makes the shared maps, sized for capacity. fds is untouched on failure. */
int object_make_maps(const uint32_t capacity[2], int fds[static SHARED_MAX], struct problem *why);

/*
 * Whether maps are what object_make_maps() would make. 0 they are, 1 they are
 * but for their capacity, -EPROTO not: *ret_bad is the first that differs.
 */
int object_check_maps(const int fds[static SHARED_MAX], const uint32_t capacity[2],
		      enum object_shared *ret_bad);

/*
 * Whether fd is a map as the object has it under this name, in every respect;
 * entries: how many it has, 0: as the object says.
 */
bool object_is_map(int fd, const char *name, uint32_t entries);

/* The rings of events, on which programs can be loaded. */
struct object_events {
	int lane, ring;
	uint32_t room; /* places of one CPU's ring, a power of two */
};

/* Makes them for so many CPUs. ret->lane and ret->ring are untouched on failure. */
int object_make_events(uint32_t cpus, uint32_t room, struct object_events *ret,
		       struct problem *why);

struct object_program {
	int ingress; /* the XDP program */
	int mark;    /* the tc program of ingress */
	int egress;  /* that of egress */
	int iface;
	int stats;
	int samples;
	int wanted; /* the word that switches its events */
};

#define OBJECT_PROGRAM_NONE ((struct object_program){ -1, -1, -1, -1, -1, -1, -1 })

/* What programs are loaded with, besides the shared maps. */
struct object_parts {
	const struct object_sieve *sieve;   /* to read first; NULL: they go by the records alone */
	const struct object_events *events; /* NULL: they write none */
	int iface, stats, samples, wanted;  /* maps to use; -1: new ones are made */
};

#define OBJECT_PARTS_NONE ((struct object_parts){ NULL, NULL, -1, -1, -1, -1 })

/*
 * Loads the programs on the shared maps. for_probe: the counters are one plain
 * array that can be mapped, since nothing runs the program but its owner, one
 * at a time; it notes no hits and writes no events. frags: takes multi-buffer
 * packets.
 */
int object_load(const int shared[static SHARED_MAX], const struct object_parts *parts,
		bool for_probe, bool frags, struct object_program *ret, struct problem *why);

/*
 * The same for a dispatcher: attach gets the object not loaded yet, with the
 * name of the program to load and attach, and tells its kernel id.
 */
struct bpf_object;
typedef int (*object_attach_fn)(void *arg, struct bpf_object *object, const char *name,
				uint32_t *ret_id);
int object_load_chained(const int shared[static SHARED_MAX], const struct object_parts *parts,
			bool frags, object_attach_fn attach, void *arg, struct object_program *ret,
			uint32_t *ret_id);

void object_program_close(struct object_program *p);

#endif
