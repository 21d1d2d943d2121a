// SPDX-License-Identifier: BSD-2-Clause
#include "tools/bench/filter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "core/base.h"
#include "moat/control.h"
#include "moat/policy.h"
#include "moat/stats.h"
#include "tools/bench/sources.h"

#define BATCH	 16384 /* sources a system call */
#define CLASS	 1     /* of every listed source */
#define CATEGORY 1     /* in it */

const char *const impl_name[IMPL_MAX] = { "empty", "hash", "lpm", "moat" };

/* Where an implementation keeps its sources, by family. */
static const char *const source_map[IMPL_MAX][2] = {
	[IMPL_HASH] = { "bench_hash4", "bench_hash6" },
	[IMPL_LPM] = { "bench_lpm4", "bench_lpm6" },
	[IMPL_MOAT] = { "moat_source4", "moat_source6" },
};

const char *const filter_map_pin[FILTER_MAPS] = { "sources4", "sources6", "lengths" };

/* What hash and lpm keep about a source. */
struct plain_value {
	uint32_t class;
	uint32_t expires;
};

static int failed(const char *what, int error)
{
	fprintf(stderr, "%s: %s\n", what, strerror(-error));
	return error;
}

static int map_fd(const struct filter *f, const char *name)
{
	return bpf_object__find_map_fd_by_name(f->object, name);
}

int filter_map(const struct filter *f, enum filter_map map)
{
	const char *name = map == FILTER_LENGTHS ? MOAT_MAP_LENGTHS : source_map[f->impl][map];

	if (!f->object)
		return f->pinned[map];
	return name ? map_fd(f, name) : -ENOENT;
}

static int feeder_map(const char *name, size_t size, uint32_t count, int *ret_fd, void **ret)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
	_cleanup_close_ int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, name, 4, size, count, &opts);
	void *at;

	if (fd < 0)
		return failed(name, fd);
	at = mmap(NULL, size * count, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		return failed(name, -errno);
	*ret = at;
	*ret_fd = take_fd(fd);
	return 0;
}

int feeder_open(struct feeder *ret)
{
	struct feeder f = { .sources_fd = -1, .cursor_fd = -1 };
	int r;

	r = feeder_map(BENCH_MAP_SOURCES, sizeof(*f.source), BENCH_SOURCES, &f.sources_fd,
		       (void **)&f.source);
	r = r
		    ?: feeder_map(BENCH_MAP_CURSOR, sizeof(*f.cursor), 1, &f.cursor_fd,
				  (void **)&f.cursor);
	if (r) {
		feeder_close(&f);
		return r;
	}
	*ret = f;
	return 0;
}

void feeder_close(struct feeder *f)
{
	if (f->source)
		munmap(f->source, sizeof(*f->source) * BENCH_SOURCES);
	if (f->cursor)
		munmap(f->cursor, sizeof(*f->cursor));
	base_closep(&f->sources_fd);
	base_closep(&f->cursor_fd);
}

/* Sizes of maps, shared maps, and which programs to load. */
static int prepare(struct filter *f, const struct feeder *feeder, uint32_t count)
{
	struct bpf_program *mark = bpf_object__find_program_by_name(f->object, "moat_mark");
	int r = 0;

	if (mark)
		bpf_program__set_autoload(mark, false);
	for (unsigned int family = 0; family < 2 && source_map[f->impl][family] && !r; family++)
		r = bpf_map__set_max_entries(bpf_object__find_map_by_name(f->object,
									  source_map[f->impl]
										    [family]),
					     count);
	if (!feeder)
		return r;
	r = r
		    ?: bpf_map__reuse_fd(bpf_object__find_map_by_name(f->object, BENCH_MAP_SOURCES),
					 feeder->sources_fd);
	return r
		       ?: bpf_map__reuse_fd(bpf_object__find_map_by_name(f->object,
									 BENCH_MAP_CURSOR),
					    feeder->cursor_fd);
}

/* The switches and the one policy: everything but the sources. */
static int configure(const struct filter *f)
{
	const struct moat_control control = { .abi = MOAT_ABI };
	const struct moat_iface iface = { .enforce = 1 };
	const struct moat_policy policy = { .action = MOAT_ACTION_DROP };
	const struct moat_class class = {
		.set = 1ULL << CATEGORY,
		.count = 1,
		.order = { CATEGORY },
	};
	const struct {
		const char *map;
		uint32_t key;
		const void *value;
	} write[] = {
		{ MOAT_MAP_CONTROL, 0, &control },
		{ MOAT_MAP_IFACE, 0, &iface },
		{ MOAT_MAP_POLICIES, MOAT_POLICY_INDEX(CATEGORY, 0), &policy },
		{ MOAT_MAP_CLASSES, MOAT_CLASS_INDEX(CLASS, 0), &class },
	};

	for (size_t i = 0; i < ARRAY_SIZE(write); i++) {
		int r = bpf_map_update_elem(map_fd(f, write[i].map), &write[i].key, write[i].value,
					    0);

		if (r)
			return failed(write[i].map, r);
	}
	return 0;
}

static int quiet(enum libbpf_print_level level, const char *fmt, va_list args)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, fmt, args) : 0;
}

int filter_open(struct filter *ret, const char *dir, enum impl impl, const struct feeder *feeder,
		uint32_t count)
{
	struct filter f = { .impl = impl };
	char path[4096];
	int r;

	snprintf(path, sizeof(path), "%s/%s%s.bpf.o", dir, impl_name[impl],
		 feeder ? ".staged" : "");
	libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
	libbpf_set_print(quiet);
	f.object = bpf_object__open_file(path, NULL);
	if (!f.object)
		return failed(path, -errno);
	r = prepare(&f, feeder, count);
	r = r ?: bpf_object__load(f.object);
	if (!r && impl != IMPL_EMPTY)
		r = configure(&f);
	if (r) {
		bpf_object__close(f.object);
		return failed(path, r);
	}
	f.program = bpf_program__fd(bpf_object__find_program_by_name(f.object, "moat_ingress"));
	*ret = f;
	return 0;
}

int filter_open_pinned(struct filter *ret, const char *dir, enum impl impl)
{
	struct filter f = { .impl = impl, .program = -1 };
	char path[4096];

	for (unsigned int i = 0; i < FILTER_MAPS; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, filter_map_pin[i]);
		f.pinned[i] = bpf_obj_get(path);
		if (f.pinned[i] < 0) {
			int r = f.pinned[i];

			while (i-- > 0)
				close(f.pinned[i]);
			return failed(path, r);
		}
	}
	*ret = f;
	return 0;
}

void filter_close(struct filter *f)
{
	if (!f->object && f->program < 0)
		for (unsigned int i = 0; i < FILTER_MAPS; i++)
			close(f->pinned[i]);
	bpf_object__close(f->object);
	f->object = NULL;
	f->program = 0;
}

/* Keys of one batch, as the map of the family has them. */
static const void *batch_keys(uint8_t family, uint32_t first, uint32_t count,
			      struct moat_key6 *keys6)
{
	struct moat_key4 *keys4 = (struct moat_key4 *)keys6;

	for (uint32_t i = 0; i < count; i++) {
		struct moat_key6 key = sources_key(family, first + i);

		if (family == MOAT_IPV4)
			keys4[i] = (struct moat_key4){ key.len, key.addr[0] };
		else
			keys6[i] = key;
	}
	return keys6;
}

/* Values of one batch: all the same. */
static size_t batch_values(enum impl impl, void *values, uint32_t count)
{
	const struct moat_source source = { .class = CLASS };
	const struct plain_value plain = { .class = CLASS };
	const size_t size = impl == IMPL_MOAT ? sizeof(source) : sizeof(plain);

	for (uint32_t i = 0; i < count; i++)
		memcpy((char *)values + i * size,
		       impl == IMPL_MOAT ? (void *)&source : (void *)&plain, size);
	return size;
}

/* One system call where the kernel has batches, else one a source. */
static int put_batch(int fd, const void *keys, size_t key_size, const void *values,
		     size_t value_size, uint32_t count)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	uint32_t done = count;
	int r = bpf_map_update_batch(fd, keys, values, &done, &opts);

	if (!r)
		return 0;
	for (uint32_t i = 0; i < count; i++) {
		r = bpf_map_update_elem(fd, (const char *)keys + i * key_size,
					(const char *)values + i * value_size, 0);
		if (r)
			return r;
	}
	return 0;
}

static int set_lengths(const struct filter *f, uint8_t family)
{
	uint32_t index = MOAT_LENGTHS_INDEX(family, 0);

	return bpf_map_update_elem(filter_map(f, FILTER_LENGTHS), &index, sources_lengths(family),
				   0);
}

int filter_fill(struct filter *f, uint8_t family, uint32_t first, uint32_t count)
{
	const size_t key_size = family == MOAT_IPV4 ? sizeof(struct moat_key4)
						    : sizeof(struct moat_key6);
	_cleanup_free_ struct moat_key6 *keys = calloc(BATCH, sizeof(*keys));
	_cleanup_free_ struct moat_source *values = calloc(BATCH, sizeof(*values));
	size_t value_size;
	int r = 0;

	if (f->impl == IMPL_EMPTY)
		return 0;
	if (!keys || !values)
		return failed("filter", -ENOMEM);
	value_size = batch_values(f->impl, values, BATCH);
	for (uint32_t done = 0; done < count && !r; done += BATCH) {
		uint32_t n = count - done < BATCH ? count - done : BATCH;

		r = put_batch(filter_map(f, (enum filter_map)family),
			      batch_keys(family, first + done, n, keys), key_size, values,
			      value_size, n);
	}
	r = r ?: set_lengths(f, family);
	return r ? failed("filling the sources", r) : 0;
}

int filter_remove(struct filter *f, uint8_t family, uint32_t first, uint32_t count)
{
	_cleanup_free_ struct moat_key6 *keys = calloc(BATCH, sizeof(*keys));
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	int r = 0;

	if (!keys)
		return failed("filter", -ENOMEM);
	for (uint32_t done = 0; done < count && !r; done += BATCH) {
		uint32_t n = count - done < BATCH ? count - done : BATCH;

		r = bpf_map_delete_batch(filter_map(f, (enum filter_map)family),
					 batch_keys(family, first + done, n, keys), &n, &opts);
	}
	return r ? failed("removing sources", r) : 0;
}

static int count_cell(const struct filter *f, uint32_t cell, uint64_t *ret)
{
	int cpus = libbpf_num_possible_cpus();
	_cleanup_free_ struct moat_stats *stats = calloc(cpus > 0 ? cpus : 1, sizeof(*stats));
	int r;

	if (cpus < 0 || !stats)
		return failed("counters", cpus < 0 ? cpus : -ENOMEM);
	r = bpf_map_lookup_elem(map_fd(f, MOAT_MAP_STATS), &cell, stats);
	if (r)
		return failed("counters", r);
	*ret = 0;
	for (int i = 0; i < cpus; i++)
		*ret += stats[i].packets;
	return 0;
}

int filter_counted(const struct filter *f, uint8_t family, struct counted *ret)
{
	*ret = (struct counted){};
	if (f->impl == IMPL_EMPTY)
		return 0;
	return count_cell(f, moat_cell(family, MOAT_VERDICT_PASS, MOAT_CLEAN, 0), &ret->clean)
		       ?: count_cell(f, moat_cell(family, MOAT_VERDICT_DROP, MOAT_LISTED, CATEGORY),
				     &ret->listed);
}
