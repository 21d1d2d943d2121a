/* SPDX-License-Identifier: BSD-2-Clause */
#include "plane/program.h"

#include <sys/mman.h>

#include <bpf/bpf.h>

#include "plane/bpffs.h"
#include "plane/kernel.h"
#include "plane/program_state.h"
#include "plane/tables_events.h"
#include "plane/tables_map.h"
#include "plane/tables_sieve.h"

#define STATS_BATCH 512 /* cells a read */

/* ---- names of pins ---- */

/* BPF file systems refuse dots in names, interfaces like "eth0.100" have them. */
static int escape(char *buf, size_t room, const char *name)
{
	size_t at = 0;

	for (; *name; name++) {
		bool plain = *name != '.' && *name != '%';
		int size = snprintf(buf + at, room - at, plain ? "%c" : "%%%02x", *name);

		if (size < 0 || (size_t)size >= room - at)
			return -ENAMETOOLONG;
		at += (size_t)size;
	}
	return at ? 0 : -EINVAL;
}

int program_pins(char buf[static PATH_MAX], const char *dir, const char *iface)
{
	char name[3 * PROGRAM_INTERFACE_MAX];
	int r = escape(name, sizeof(name), iface);
	int size;

	if (r)
		return r;
	size = snprintf(buf, PATH_MAX, "%s/if/%s", dir, name);
	return size < 0 || size >= PATH_MAX ? -ENAMETOOLONG : 0;
}

/* ---- loading ---- */

static struct program *program_new(void)
{
	struct program *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->fd = OBJECT_PROGRAM_NONE;
	p->link = -1;
	for (size_t i = 0; i < CARRIED_MAX; i++)
		p->carried[i].fd = -1;
	return p;
}

static size_t page(size_t size)
{
	size_t unit = (size_t)sysconf(_SC_PAGESIZE);

	return (size + unit - 1) / unit * unit;
}

struct program *program_free(struct program *p)
{
	if (!p)
		return NULL;
	if (p->iface)
		munmap(p->iface, page(sizeof(*p->iface)));
	if (p->cells)
		munmap(p->cells, page(MOAT_CELLS * sizeof(*p->cells)));
	program_samples_close(p);
	program_carried_close(p);
	program_events_close(p);
	object_program_close(&p->fd);
	base_closep(&p->link);
	free(p->root);
	free(p->pins);
	free(p->frame);
	free(p);
	return NULL;
}

static int map_fd(int fd, size_t size, void **ret)
{
	void *at = mmap(NULL, page(size), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (at == MAP_FAILED)
		return -errno;
	*ret = at;
	return 0;
}

/* What both kinds of instance need once the programs are loaded. */
static int finish(struct program *p, struct problem *why)
{
	struct bpf_prog_info info;
	void *iface = NULL;
	int r;

	r = kernel_prog_info(p->fd.ingress, &info)
		    ?: map_fd(p->fd.iface, sizeof(*p->iface), &iface);
	if (r)
		return kernel_error(why, r, "BPF programs: cannot be looked at");
	p->id = info.id;
	p->iface = iface;
	return 0;
}

/* A pinned map if it is what the object expects; one of another layout is what was replaced. */
static int pinned_map(const char *pins, const char *pin, const char *map, int *ret_replaced)
{
	int fd = bpffs_get(pins, pin);

	if (fd < 0 || object_is_map(fd, map, 0))
		return fd;
	*ret_replaced = fd;
	return -1;
}

int program_load(const struct tables *t, const char *dir, const char *iface, struct program **ret,
		 struct problem *why)
{
	_cleanup_(program_freep) struct program *p = program_new();
	_cleanup_close_ int pinned_iface = -1;
	_cleanup_close_ int pinned_stats = -1;
	_cleanup_close_ int other_iface = -1; /* what it says is the configuration's */
	_cleanup_close_ int other_stats = -1;
	struct object_parts parts = OBJECT_PARTS_NONE;
	char pins[PATH_MAX];
	int r;

	if (!p)
		return problem_set(why, -ENOMEM, "interface '%s': out of memory", iface);
	r = strlen(iface) < sizeof(p->name) ? program_pins(pins, dir, iface) : -ENAMETOOLONG;
	if (r)
		return problem_set(why, r, "interface '%s': not a name of an interface", iface);
	memcpy(p->name, iface, strlen(iface));
	p->root = strdup(dir);
	p->pins = strdup(pins);
	if (!p->root || !p->pins)
		return problem_set(why, -ENOMEM, "interface '%s': out of memory", iface);

	pinned_iface = pinned_map(pins, PIN_IFACE, MOAT_MAP_IFACE, &other_iface);
	pinned_stats = pinned_map(pins, PIN_STATS, MOAT_MAP_STATS, &other_stats);
	program_carried_open(p, take_fd(other_stats));
	p->tables = t;
	tables_note_reader(t);
	p->frags = program_features()->frags;
	parts.sieve = tables_object_sieve(t);
	parts.events = tables_object_events(t);
	parts.iface = pinned_iface;
	parts.stats = pinned_stats;
	r = object_load(t->fd, &parts, false, p->frags, &p->fd, why) ?: finish(p, why);
	r = r ?: program_samples_open(p, why);
	r = r ?: program_events_open(p, why);
	if (r)
		return r;
	*ret = take_ptr(p);
	return 0;
}

struct object_parts program_parts(const struct program *p)
{
	return (struct object_parts){
		.sieve = tables_object_sieve(p->tables),
		.events = tables_object_events(p->tables),
		.iface = p->fd.iface,
		.stats = p->fd.stats,
		.samples = p->fd.samples,
		.wanted = p->fd.wanted,
	};
}

int program_suit(struct program *p, enum attach_mode mode, struct problem *why)
{
	bool frags = mode != ATTACH_GENERIC && program_features()->frags;
	struct object_program fresh = OBJECT_PROGRAM_NONE;
	const struct object_parts parts = program_parts(p);
	struct bpf_prog_info info;
	int r;

	if (frags == p->frags)
		return 0;
	r = object_load(p->tables->fd, &parts, false, frags, &fresh, why);
	if (r)
		return r;
	r = kernel_prog_info(fresh.ingress, &info);
	if (r) {
		object_program_close(&fresh);
		return kernel_error(why, r, "BPF programs: cannot be looked at");
	}
	object_program_close(&p->fd); /* the maps are the same, and mapped */
	p->fd = fresh;
	p->id = info.id;
	p->frags = frags;
	return 0;
}

int program_load_probe(const struct tables *t, struct program **ret, struct problem *why)
{
	_cleanup_(program_freep) struct program *p = program_new();
	struct object_parts parts = OBJECT_PARTS_NONE;
	void *cells = NULL;
	int r;

	if (!p)
		return problem_set(why, -ENOMEM, "probe: out of memory");
	parts.sieve = tables_object_sieve(t);
	r = object_load(t->fd, &parts, true, program_features()->frags, &p->fd, why)
		    ?: finish(p, why);
	if (r)
		return r;
	r = map_fd(p->fd.stats, MOAT_CELLS * sizeof(*p->cells), &cells);
	if (r)
		return kernel_error(why, r, "probe: cannot map its counters");
	p->cells = cells;
	p->frame = malloc(PROGRAM_FRAME_MAX);
	if (!p->frame)
		return problem_set(why, -ENOMEM, "probe: out of memory");
	p->policies = t->fd[SHARED_POLICIES];
	p->control = t->control;
	*ret = take_ptr(p);
	return 0;
}

/* ---- switches ---- */

void program_set_iface(struct program *p, bool enforce, uint64_t drop_reasons)
{
	__atomic_store_n(&p->iface->drop_reasons, drop_reasons, __ATOMIC_RELEASE);
	__atomic_store_n(&p->iface->enforce, enforce, __ATOMIC_RELEASE);
}

void program_set_replies(struct program *p, bool pass)
{
	p->replies = pass;
	__atomic_store_n(&p->iface->replies, pass, __ATOMIC_RELEASE);
}

void program_get_iface(const struct program *p, struct moat_iface *ret)
{
	*ret = (struct moat_iface){
		.enforce = __atomic_load_n(&p->iface->enforce, __ATOMIC_ACQUIRE),
		.replies = __atomic_load_n(&p->iface->replies, __ATOMIC_ACQUIRE),
		.drop_reasons = __atomic_load_n(&p->iface->drop_reasons, __ATOMIC_ACQUIRE),
	};
}

/* ---- counters ---- */

/* Sums the copies of count cells that a read brought. */
static void sum_copies(struct moat_stats *ret, const struct moat_stats *copies, size_t cpus,
		       size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct moat_stats sum = {};

		for (size_t cpu = 0; cpu < cpus; cpu++) {
			sum.packets += copies[i * cpus + cpu].packets;
			sum.bytes += copies[i * cpus + cpu].bytes;
		}
		ret[i] = sum;
	}
}

/* Returns how many cells were read: all, or 0 where the kernel has no batches for this map. */
static uint32_t stats_batch(int fd, size_t cpus, struct moat_stats *copies, struct moat_stats *ret)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	uint32_t keys[STATS_BATCH];
	uint32_t last = 0, done = 0;
	int r = 0;

	while (!r && done < MOAT_CELLS) {
		uint32_t count = MOAT_CELLS - done < STATS_BATCH ? MOAT_CELLS - done : STATS_BATCH;

		r = bpf_map_lookup_batch(fd, done ? &last : NULL, &last, keys, copies, &count,
					 &opts);
		if ((r && r != -ENOENT) || !count)
			return 0;
		sum_copies(ret + done, copies, cpus, count);
		done += count;
	}
	return done;
}

int program_stats(const struct program *p, struct moat_stats *ret)
{
	_cleanup_free_ struct moat_stats *copies = NULL;
	size_t cpus = kernel_cpus();

	if (p->cells) {
		memcpy(ret, p->cells, MOAT_CELLS * sizeof(*ret));
		return 0;
	}
	copies = calloc(STATS_BATCH * cpus, sizeof(*copies));
	if (!copies)
		return -ENOMEM;
	if (program_features()->batch && stats_batch(p->fd.stats, cpus, copies, ret) == MOAT_CELLS)
		return program_carried_add(p, ret);
	for (uint32_t cell = 0; cell < MOAT_CELLS; cell++) {
		int r = bpf_map_lookup_elem(p->fd.stats, &cell, copies);

		if (r)
			return r;
		sum_copies(&ret[cell], copies, cpus, 1);
	}
	return program_carried_add(p, ret);
}

/* ---- identity ---- */

bool program_same(const struct program *a, uint32_t program_id)
{
	struct bpf_prog_info ours, other;
	int r;

	if (a->id == program_id)
		return true;
	r = kernel_prog_info_by_id(program_id, &other);
	if (r == -EPERM)
		return true;
	return !r && !kernel_prog_info(a->fd.ingress, &ours) &&
	       !memcmp(ours.tag, other.tag, sizeof(ours.tag));
}
