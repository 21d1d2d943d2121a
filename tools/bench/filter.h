/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The filter with one of the lookups, loaded and filled for a benchmark: every
 * source of tools/bench/sources.h gets a class whose policy is to drop. moat's
 * maps are made and written by what the daemon makes and writes them with
 * (plane/tables.h), those of its peers by batches of the same size.
 *
 * filter_open() .. filter_fill() .. run .. filter_close(). Messages go to
 * standard error; functions return 0 or a negative errno.
 */
#ifndef BENCH_FILTER_H
#define BENCH_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include <bpf/libbpf.h>

#include "plane/tables.h"
#include "tools/bench/source.h"

enum impl { IMPL_EMPTY, IMPL_HASH, IMPL_LPM, IMPL_MOAT, IMPL_MAX };

extern const char *const impl_name[IMPL_MAX];

/* The addresses of packets, shared by the filters that are compared. */
struct feeder {
	int sources_fd;
	int cursor_fd;
	struct bench_source *source; /* mapped, BENCH_SOURCES */
	uint32_t *cursor;	     /* mapped */
};

struct filter {
	enum impl impl;
	struct bpf_object *object; /* owned */
	int program;		   /* fd of the object */
	struct tables *tables;	   /* owned, of IMPL_MOAT only */
};

int feeder_open(struct feeder *ret);
void feeder_close(struct feeder *f);

/* Builds of the program: as it is; packets take their sources from a feeder; some are timed, too. */
enum build { BUILD_WIRE, BUILD_STAGED, BUILD_TIMED };

/*
 * Loads OBJECT_DIR/IMPL[.BUILD].bpf.o with room for so many sources by family.
 * Nothing is pinned. feeder: of all builds but BUILD_WIRE.
 */
int filter_open(struct filter *ret, const char *dir, enum impl impl, enum build build,
		const struct feeder *feeder, const uint32_t capacity[2]);
/*
 * The same program once more, as for another interface: own counters, packets
 * of its own, the same sources. f must outlive it.
 */
int filter_open_beside(struct filter *ret, const char *dir, const struct filter *f,
		       enum build build, const struct feeder *feeder);
void filter_close(struct filter *f);

/* Installs sources first..first+count-1 of the family, in batches, and their lengths. */
int filter_fill(struct filter *f, uint8_t family, uint32_t first, uint32_t count);

/* Removes them again; the lengths stay. */
int filter_remove(struct filter *f, uint8_t family, uint32_t first, uint32_t count);

/* Entries of a family's map, all in the same class: keys are struct moat_key4 or moat_key6. */
int filter_put(struct filter *f, uint8_t family, const void *keys, uint32_t count);
int filter_delete(struct filter *f, uint8_t family, const void *keys, uint32_t count);

/* The prefix lengths that are looked for. filter_fill() has set those of its sources. */
int filter_set_lengths(struct filter *f, uint8_t family, const struct moat_lengths *lengths);

/*
 * Notes hits of so many sources, 0: of none. A filter that was opened does so
 * as moatd does by default, whatever its lookup is.
 */
int filter_set_hits(struct filter *f, uint32_t sources);

/* Packets of the family counted so far, over all CPUs. Always 0 for IMPL_EMPTY. */
struct counted {
	uint64_t clean;
	uint64_t listed;
};
int filter_counted(const struct filter *f, uint8_t family, struct counted *ret);

/* Of BUILD_TIMED: starts before packet number n, gives nanoseconds of a timed packet. */
int filter_timed_begin(const struct filter *f, uint32_t n);
int filter_timed_end(const struct filter *f, double *ret_ns);

#endif
