/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The filter with one of the lookups, loaded and filled for a benchmark: every
 * source of tools/bench/sources.h gets a class whose policy is to drop.
 *
 * filter_open() .. filter_fill() .. run .. filter_close(). Messages go to
 * standard error; functions return 0 or a negative errno.
 */
#ifndef BENCH_FILTER_H
#define BENCH_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include <bpf/libbpf.h>

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

/* The maps that filter_fill() and filter_remove() write, and how they are called as pins. */
enum filter_map { FILTER_SOURCES4, FILTER_SOURCES6, FILTER_LENGTHS, FILTER_MAPS };
extern const char *const filter_map_pin[FILTER_MAPS];

struct filter {
	enum impl impl;
	struct bpf_object *object; /* owned; NULL if opened by pins */
	int program;		   /* fd of the object; -1 if opened by pins */
	int pinned[FILTER_MAPS];   /* owned, if opened by pins */
};

int feeder_open(struct feeder *ret);
void feeder_close(struct feeder *f);

/*
 * Loads OBJECT_DIR/IMPL.bpf.o with room for count sources a family, or, with a
 * feeder, its staged build OBJECT_DIR/IMPL.staged.bpf.o, whose packets take
 * their sources from it.
 */
int filter_open(struct filter *ret, const char *dir, enum impl impl, const struct feeder *feeder,
		uint32_t count);
void filter_close(struct filter *f);

/* A filter that another process loaded and whose maps it pinned in dir: to fill and remove. */
int filter_open_pinned(struct filter *ret, const char *dir, enum impl impl);

/* fd of a map, or negative if the implementation has none such. Belongs to f. */
int filter_map(const struct filter *f, enum filter_map map);

/* Installs sources first..first+count-1 of the family, in batches. */
int filter_fill(struct filter *f, uint8_t family, uint32_t first, uint32_t count);

/* Removes them again. */
int filter_remove(struct filter *f, uint8_t family, uint32_t first, uint32_t count);

/* Packets of the family counted so far, over all CPUs. Always 0 for IMPL_EMPTY. */
struct counted {
	uint64_t clean;
	uint64_t listed;
};
int filter_counted(const struct filter *f, uint8_t family, struct counted *ret);

#endif
