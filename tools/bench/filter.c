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
#include "moat/hits.h"
#include "moat/policy.h"
#include "moat/stats.h"
#include "tools/bench/filter_moat.h"
#include "tools/bench/sources.h"

#define BATCH	 16384 /* sources a system call */
#define CATEGORY 1     /* in it */
#define HITS	 65536 /* of so many sources hits are noted: the preset of the configuration */

const char *const impl_name[IMPL_MAX] = { "empty", "hash", "lpm", "moat" };

/* Where a peer keeps its sources, by family. */
static const char *const source_map[IMPL_MAX][2] = {
	[IMPL_HASH] = { "bench_hash4", "bench_hash6" },
	[IMPL_LPM] = { "bench_lpm4", "bench_lpm6" },
};

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

static int share(struct bpf_object *object, const char *name, int fd)
{
	struct bpf_map *map = bpf_object__find_map_by_name(object, name);

	return map ? bpf_map__reuse_fd(map, fd) : -ENOENT;
}

/* What is of one interface, or of the packets. */
static bool is_own(const char *name)
{
	static const char *const own[] = {
		MOAT_MAP_IFACE,	   MOAT_MAP_STATS,   MOAT_MAP_SAMPLES,
		BENCH_MAP_SOURCES, BENCH_MAP_CURSOR, BENCH_MAP_TIMED,
	};

	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (!strcmp(name, own[i]))
			return true;
	return false;
}

static int use_maps_of(const struct filter *f, struct bpf_object *other)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, f->object)
	{
		const char *name = bpf_map__name(map);
		int r = 0;

		if (!is_own(name) && !bpf_map__is_internal(map))
			r = share(f->object, name, bpf_object__find_map_fd_by_name(other, name));
		if (r)
			return r;
	}
	return 0;
}

/* Sizes of maps, and those that the tables have made. */
static int prepare(struct filter *f, const uint32_t capacity[2])
{
	int r = 0;

	for (unsigned int family = 0; family < 2 && source_map[f->impl][family] && !r; family++)
		r = bpf_map__set_max_entries(bpf_object__find_map_by_name(f->object,
									  source_map[f->impl]
										    [family]),
					     capacity[family] ? capacity[family] : 1);
	if (!r && f->impl == IMPL_MOAT)
		r = filter_moat_open(capacity, &f->tables) ?: filter_moat_use(f->tables, f->object);
	return r;
}

static int configure_iface(const struct filter *f)
{
	const struct moat_iface iface = { .enforce = 1 };
	uint32_t zero = 0;

	if (f->impl == IMPL_EMPTY)
		return 0;
	return bpf_map_update_elem(map_fd(f, MOAT_MAP_IFACE), &zero, &iface, 0);
}

/* The switches and the one policy: everything but the sources. */
static int configure(const struct filter *f)
{
	const struct moat_control control = { .abi = MOAT_ABI };
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
		{ MOAT_MAP_POLICIES, MOAT_POLICY_INDEX(CATEGORY, 0), &policy },
		{ MOAT_MAP_CLASSES, MOAT_CLASS_INDEX(FILTER_CLASS, 0), &class },
		{ MOAT_MAP_CONTROL, 0, &control }, /* tables_open() has written it for moat */
	};

	if (f->impl == IMPL_EMPTY)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(write) - (f->tables ? 1 : 0); i++) {
		int r = bpf_map_update_elem(map_fd(f, write[i].map), &write[i].key, write[i].value,
					    0);

		if (r)
			return failed(write[i].map, r);
	}
	return 0;
}

/* The slot keeps what lies in it. */
int filter_set_hits(struct filter *f, uint32_t sources)
{
	int slot = map_fd(f, MOAT_MAP_HIT_SLOT);
	_cleanup_close_ int table = -1;
	uint32_t zero = 0;
	int r;

	if (!sources) {
		r = bpf_map_delete_elem(slot, &zero);
		return r == -ENOENT ? 0 : r;
	}
	table = bpf_map_create(BPF_MAP_TYPE_LRU_HASH, MOAT_MAP_HITS, sizeof(struct moat_hit_key),
			       sizeof(struct moat_hit), sources, NULL);
	return table < 0 ? table : bpf_map_update_elem(slot, &zero, &table, BPF_ANY);
}

static int quiet(enum libbpf_print_level level, const char *fmt, va_list args)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, fmt, args) : 0;
}

static int open_object(struct filter *f, const char *dir, enum build build,
		       const struct feeder *feeder)
{
	static const char *const infix[] = { "", ".staged", ".timed" };
	struct bpf_program *program;
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s%s.bpf.o", dir, impl_name[f->impl], infix[build]);
	libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
	libbpf_set_print(quiet);
	f->object = bpf_object__open_file(path, NULL);
	if (!f->object)
		return failed(path, -errno);
	bpf_object__for_each_program(program, f->object)
		bpf_program__set_autoload(program,
					  !strcmp(bpf_program__name(program), "moat_ingress"));
	if (!feeder)
		return 0;
	return share(f->object, BENCH_MAP_SOURCES, feeder->sources_fd)
		       ?: share(f->object, BENCH_MAP_CURSOR, feeder->cursor_fd);
}

static int load(struct filter *f)
{
	int r = bpf_object__load(f->object);

	if (!r)
		f->program = bpf_program__fd(
			bpf_object__find_program_by_name(f->object, "moat_ingress"));
	return r ?: configure_iface(f);
}

int filter_open(struct filter *ret, const char *dir, enum impl impl, enum build build,
		const struct feeder *feeder, const uint32_t capacity[2])
{
	struct filter f = { .impl = impl };
	int r = open_object(&f, dir, build, feeder);

	r = r ?: prepare(&f, capacity);
	r = r ?: load(&f);
	if (!r && f.tables)
		filter_moat_note_reader(f.tables);
	r = r ?: configure(&f);
	if (!r && impl != IMPL_EMPTY)
		r = filter_set_hits(&f, HITS);
	if (r) {
		filter_close(&f);
		return failed(impl_name[impl], r);
	}
	*ret = f;
	return 0;
}

int filter_open_beside(struct filter *ret, const char *dir, const struct filter *f,
		       enum build build, const struct feeder *feeder)
{
	struct filter beside = { .impl = f->impl };
	int r = open_object(&beside, dir, build, feeder);

	r = r ?: use_maps_of(&beside, f->object);
	if (!r && f->tables)
		r = filter_moat_use(f->tables, beside.object);
	r = r ?: load(&beside);
	if (r) {
		filter_close(&beside);
		return failed(impl_name[f->impl], r);
	}
	*ret = beside;
	return 0;
}

void filter_close(struct filter *f)
{
	bpf_object__close(f->object);
	f->tables = tables_free(f->tables);
	f->object = NULL;
	f->program = 0;
}

static size_t key_size(uint8_t family)
{
	return family == MOAT_IPV4 ? sizeof(struct moat_key4) : sizeof(struct moat_key6);
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

static int put_peer(const struct filter *f, uint8_t family, const void *keys, uint32_t count)
{
	_cleanup_free_ struct plain_value *values = calloc(count, sizeof(*values));
	uint32_t expires = filter_expires();

	if (!values)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++)
		values[i] = (struct plain_value){ FILTER_CLASS, expires };
	return put_batch(map_fd(f, source_map[f->impl][family]), keys, key_size(family), values,
			 sizeof(*values), count);
}

int filter_put(struct filter *f, uint8_t family, const void *keys, uint32_t count)
{
	int r = 0;

	if (f->tables)
		r = filter_moat_put(f->tables, family, keys, count);
	else if (f->impl != IMPL_EMPTY)
		r = put_peer(f, family, keys, count);
	return r ? failed("filling the sources", r) : 0;
}

int filter_delete(struct filter *f, uint8_t family, const void *keys, uint32_t count)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	int r = 0;

	if (f->tables)
		r = family == MOAT_IPV4 ? tables_delete4(f->tables, keys, count)
					: tables_delete6(f->tables, keys, count);
	else if (f->impl != IMPL_EMPTY)
		r = bpf_map_delete_batch(map_fd(f, source_map[f->impl][family]), keys, &count,
					 &opts);
	return r ? failed("removing sources", r) : 0;
}

int filter_set_lengths(struct filter *f, uint8_t family, const struct moat_lengths *lengths)
{
	uint32_t index = MOAT_LENGTHS_INDEX(family, 0);
	int r = 0;

	if (f->tables)
		r = tables_set_lengths(f->tables, family, lengths);
	else if (f->impl != IMPL_EMPTY)
		r = bpf_map_update_elem(map_fd(f, MOAT_MAP_LENGTHS), &index, lengths, 0);
	return r ? failed("prefix lengths", r) : 0;
}

static int each_batch(struct filter *f, uint8_t family, uint32_t first, uint32_t count,
		      int (*write)(struct filter *f, uint8_t family, const void *keys,
				   uint32_t count))
{
	_cleanup_free_ struct moat_key6 *keys = calloc(BATCH, sizeof(*keys));
	int r = 0;

	if (!keys)
		return failed("filter", -ENOMEM);
	for (uint32_t done = 0; done < count && !r; done += BATCH) {
		uint32_t n = count - done < BATCH ? count - done : BATCH;

		r = write(f, family, batch_keys(family, first + done, n, keys), n);
	}
	return r;
}

int filter_fill(struct filter *f, uint8_t family, uint32_t first, uint32_t count)
{
	if (f->impl == IMPL_EMPTY)
		return 0;
	return each_batch(f, family, first, count, filter_put)
		       ?: filter_set_lengths(f, family, sources_lengths(family));
}

int filter_remove(struct filter *f, uint8_t family, uint32_t first, uint32_t count)
{
	return f->impl == IMPL_EMPTY ? 0 : each_batch(f, family, first, count, filter_delete);
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

int filter_timed_begin(const struct filter *f, uint32_t n)
{
	const struct bench_timed timed = { .packets = n };
	uint32_t zero = 0;

	return bpf_map_update_elem(map_fd(f, BENCH_MAP_TIMED), &zero, &timed, 0);
}

int filter_timed_end(const struct filter *f, double *ret_ns)
{
	struct bench_timed timed;
	uint32_t zero = 0;
	int r = bpf_map_lookup_elem(map_fd(f, BENCH_MAP_TIMED), &zero, &timed);

	if (r || !timed.count)
		return failed(BENCH_MAP_TIMED, r ?: -ENODATA);
	*ret_ns = (double)timed.ns / timed.count;
	return 0;
}
