/* SPDX-License-Identifier: BSD-2-Clause */
#include "plane/tables_events.h"

#include <sys/mman.h>
#include <time.h>

#include "core/shares.h"
#include "plane/events.h"
#include "plane/kernel.h"
#include "plane/program_state.h"
#include "plane/tables_map.h"

/* Places in a ring: as many as the memory for all of them allows, between two bounds. */
#define RINGS_MEMORY (16 * 1024 * 1024)
#define ROOM_MAX     8192
#define ROOM_MIN     256

#define DEPTH_MIN 16 /* events that a bucket holds at least */

/* One CPU's, as the daemon sees it. */
struct lane {
	struct moat_event_lane *at; /* mapped */
	uint64_t seen;		    /* head at the last look: older events are whole */
	uint64_t judged;	    /* at the last renewal */
};

struct tables_events {
	struct object_events maps;
	size_t cpus;
	struct moat_event_lane *lanes; /* mapped */
	struct moat_event *ring;       /* mapped */
	struct lane *lane;	       /* owned; cpus of each */
	uint64_t *wanted, *share;      /* owned */
};

static size_t whole_pages(size_t size)
{
	size_t unit = (size_t)sysconf(_SC_PAGESIZE);

	return (size + unit - 1) / unit * unit;
}

static uint32_t ring_room(size_t cpus)
{
	uint32_t room = ROOM_MAX;

	while (room > ROOM_MIN && room * cpus * sizeof(struct moat_event) > RINGS_MEMORY)
		room /= 2;
	return room;
}

static size_t lanes_size(size_t cpus)
{
	return whole_pages(cpus * sizeof(struct moat_event_lane));
}

static size_t rings_size(size_t cpus, uint32_t room)
{
	return whole_pages(cpus * room * sizeof(struct moat_event));
}

uint64_t tables_events_memory(void)
{
	size_t cpus = kernel_cpus();

	return lanes_size(cpus) + rings_size(cpus, ring_room(cpus));
}

/* ---- made and unmade ---- */

struct tables_events *tables_events_free(struct tables_events *e)
{
	if (!e)
		return NULL;
	if (e->lanes)
		munmap(e->lanes, lanes_size(e->cpus));
	if (e->ring)
		munmap(e->ring, rings_size(e->cpus, e->maps.room));
	base_closep(&e->maps.lane);
	base_closep(&e->maps.ring);
	free(e->lane);
	free(e->wanted);
	free(e->share);
	free(e);
	return NULL;
}
DEFINE_CLEANUP(struct tables_events, tables_events_free)

static int map_fd(int fd, size_t size, int protection, void **ret)
{
	void *at = mmap(NULL, size, protection, MAP_SHARED, fd, 0);

	if (at == MAP_FAILED)
		return -errno;
	*ret = at;
	return 0;
}

static int map_rings(struct tables_events *e)
{
	void *lanes = NULL, *ring = NULL;
	int r;

	r = map_fd(e->maps.lane, lanes_size(e->cpus), PROT_READ | PROT_WRITE, &lanes)
		    ?: map_fd(e->maps.ring, rings_size(e->cpus, e->maps.room), PROT_READ, &ring);
	e->lanes = lanes;
	e->ring = ring;
	for (size_t i = 0; !r && i < e->cpus; i++)
		e->lane[i].at = &e->lanes[i];
	return r;
}

int tables_set_events(struct tables *t, struct problem *why)
{
	_cleanup_(tables_events_freep) struct tables_events *e = calloc(1, sizeof(*e));
	int r;

	if (!e)
		return problem_set(why, -ENOMEM, "events: out of memory");
	e->maps.lane = e->maps.ring = -1;
	e->cpus = kernel_cpus();
	e->lane = calloc(e->cpus, sizeof(*e->lane));
	e->wanted = calloc(e->cpus, sizeof(*e->wanted));
	e->share = calloc(e->cpus, sizeof(*e->share));
	if (!e->lane || !e->wanted || !e->share)
		return problem_set(why, -ENOMEM, "events: out of memory");
	r = object_make_events((uint32_t)e->cpus, ring_room(e->cpus), &e->maps, why);
	if (r)
		return r;
	r = map_rings(e);
	if (r)
		return kernel_error(why, r, "BPF maps of events: cannot be mapped");
	tables_events_free(t->events);
	t->events = take_ptr(e);
	return 0;
}

const struct object_events *tables_object_events(const struct tables *t)
{
	return t->events ? &t->events->maps : NULL;
}

/* ---- the switch of a program ---- */

int program_events_open(struct program *p, struct problem *why)
{
	void *at = NULL;
	int r = map_fd(p->fd.wanted, whole_pages(sizeof(*p->wanted)), PROT_READ | PROT_WRITE, &at);

	if (r)
		return kernel_error(why, r, "the switch of events: cannot be mapped");
	p->wanted = at;
	return 0;
}

void program_events_close(struct program *p)
{
	if (!p->wanted)
		return;
	*p->wanted = 0; /* the program may stay on its interface */
	munmap((void *)p->wanted, whole_pages(sizeof(*p->wanted)));
	p->wanted = NULL;
}

void program_set_events(struct program *p, uint32_t wanted)
{
	if (p->wanted && *p->wanted != wanted)
		*p->wanted = wanted;
}

/* ---- the rate ---- */

/* The coarse clock moves with the tick of the timer: its resolution is the tick. */
static uint64_t tick_ns(void)
{
	struct timespec tick;

	if (clock_getres(CLOCK_MONOTONIC_COARSE, &tick) || tick.tv_sec || tick.tv_nsec <= 0)
		return 4000000;
	return (uint64_t)tick.tv_nsec;
}

static uint64_t load(const __u64 *at)
{
	return __atomic_load_n(at, __ATOMIC_RELAXED);
}

static void store(__u64 *at, uint64_t value)
{
	__atomic_store_n(at, value, __ATOMIC_RELAXED);
}

/* A quarter of a second's worth, but no more than the ring holds. */
static uint64_t bucket_depth(uint64_t rate, uint32_t room)
{
	uint64_t events = rate / 4;

	if (events < DEPTH_MIN)
		events = DEPTH_MIN;
	return (events < room ? events : room) * MOAT_EVENT_TOKEN;
}

void tables_renew_events(struct tables *t, uint64_t rate, uint64_t until_ns)
{
	struct tables_events *e = t->events;
	uint64_t tick = tick_ns();

	if (!e)
		return;
	for (size_t i = 0; i < e->cpus; i++) {
		struct lane *lane = &e->lane[i];
		uint64_t judged =
			load(&lane->at->head) + load(&lane->at->lost) + load(&lane->at->suppressed);

		/* A second's worth; and what comes may be more than what came. */
		e->wanted[i] = 2 * (judged - lane->judged) * 1000 / EVENTS_RENEW_MS;
		lane->judged = judged;
	}
	shares_divide(rate, e->wanted, e->share, e->cpus);
	for (size_t i = 0; i < e->cpus; i++) {
		struct moat_event_lane *at = e->lane[i].at;
		uint64_t token_ns = e->share[i] * MOAT_EVENT_TOKEN / 1000 * tick;

		store(&at->depth, bucket_depth(e->share[i], e->maps.room));
		store(&at->rate, token_ns / 1000000);
		store(&at->until, until_ns);
	}
}

/* ---- reading ---- */

static const struct moat_event *event_at(const struct tables_events *e, size_t cpu, uint64_t index)
{
	return &e->ring[cpu * e->maps.room + (index & (e->maps.room - 1))];
}

/* The lane whose next event is the oldest; cpus: none has one. */
static size_t oldest(const struct tables_events *e)
{
	size_t best = e->cpus;
	uint64_t first = UINT64_MAX;

	for (size_t i = 0; i < e->cpus; i++) {
		const struct lane *lane = &e->lane[i];
		uint64_t time;

		if (lane->at->tail >= lane->seen)
			continue;
		time = event_at(e, i, lane->at->tail)->time;
		if (best == e->cpus || time < first) {
			best = i;
			first = time;
		}
	}
	return best;
}

size_t tables_read_events(struct tables *t, tables_event_fn fn, void *arg, size_t most)
{
	struct tables_events *e = t->events;
	size_t count = 0, cpu;

	if (!e)
		return 0;
	for (; count < most && (cpu = oldest(e)) < e->cpus; count++) {
		struct moat_event_lane *lane = e->lane[cpu].at;

		fn(arg, event_at(e, cpu, lane->tail));
		__atomic_store_n(&lane->tail, lane->tail + 1, __ATOMIC_RELEASE);
	}
	for (size_t i = 0; i < e->cpus; i++)
		e->lane[i].seen = __atomic_load_n(&e->lane[i].at->head, __ATOMIC_ACQUIRE);
	return count;
}

void tables_count_events(const struct tables *t, struct tables_event_counts *ret)
{
	const struct tables_events *e = t->events;
	uint64_t fullest = 0;

	*ret = (struct tables_event_counts){};
	for (size_t i = 0; e && i < e->cpus; i++) {
		const struct moat_event_lane *lane = e->lane[i].at;
		uint64_t head = load(&lane->head), fill = head - lane->tail;

		ret->written += head;
		ret->lost += load(&lane->lost);
		ret->suppressed += load(&lane->suppressed);
		fullest = fill > fullest ? fill : fullest;
	}
	if (e)
		ret->fill = (uint32_t)(fullest * 100 / e->maps.room);
}
