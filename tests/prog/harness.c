/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/prog/harness.h"

#include <time.h>

#include <bpf/bpf.h>

#include "moat.skel.h"
#include "moat/abi.h"
#include "moat/flow.h"
#include "tests/prog/harness_sieve.h"
#include "plane/program.h"
#include "tests/prog/packet.h"

#define METADATA_MAX 256
#define FLOWS	     4096
#define HITS	     1024
#define DATA_MAX     (METADATA_MAX + PACKET_MAX)

struct harness {
	struct moat *skel;
	struct harness_sieve *sieve; /* of the harness that the maps are of; NULL: none */
	bool owns_sieve;
	bool frags;
	int cpus;
	uint64_t sent;
	uint64_t sent_bytes;
	struct moat_stats last[MOAT_CELLS];
	uint8_t in[DATA_MAX];
	uint8_t out[DATA_MAX];
};

_printf_(2, 0) static int print_warning(enum libbpf_print_level level, const char *fmt,
					va_list args)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, fmt, args) : 0;
}

/* What cannot go wrong in a sound test: say it and end. */
static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "harness: %s: %s\n", what, strerror(errno));
	abort();
}

static int share_maps(struct harness *h, const struct harness *from)
{
	static const char *const shared[] = {
		MOAT_MAP_SOURCE4,  MOAT_MAP_SOURCE6,  MOAT_MAP_PHASES,	 MOAT_MAP_LENGTHS,
		MOAT_MAP_CLASSES,  MOAT_MAP_POLICIES, MOAT_MAP_PORTS,	 MOAT_MAP_NAMES,
		MOAT_MAP_CONTROL,  MOAT_MAP_CLIENTS,  MOAT_MAP_SLOT,	 MOAT_MAP_SIEVE,
		MOAT_MAP_BLOCKS4,  MOAT_MAP_HOSTS4,   MOAT_MAP_NODES4,	 MOAT_MAP_LEAVES4,
		MOAT_MAP_BUCKETS6, MOAT_MAP_FILTER6,  MOAT_MAP_HIT_SLOT,
	};

	for (size_t i = 0; i < ARRAY_SIZE(shared); i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(h->skel->obj, shared[i]);
		int err = map ? bpf_map__reuse_fd(map, harness_fd(from, shared[i])) : -ENOENT;

		if (err)
			return err;
	}
	return 0;
}

static int load(struct harness *h, const struct harness_options *o, bool frags)
{
	int err;

	h->skel = moat__open();
	if (!h->skel)
		return -errno;
	bpf_map__set_max_entries(h->skel->maps.moat_source4, o->capacity[MOAT_IPV4]);
	bpf_map__set_max_entries(h->skel->maps.moat_source6, o->capacity[MOAT_IPV6]);
	bpf_map__set_max_entries(h->skel->maps.moat_phases, o->phases);
	bpf_map__set_max_entries(h->skel->maps.moat_flows, FLOWS);
	bpf_map__set_max_entries(h->skel->maps.moat_hits, HITS);
	h->skel->rodata->moat_event_room = o->events;
	bpf_map__set_max_entries(h->skel->maps.moat_event_ring, o->events ? o->events : 1);
	if (harness_sieve_wanted())
		harness_sieve_size(h->skel, o->capacity);
	if (o->share) {
		err = share_maps(h, o->share);
		if (err)
			return err;
	}
	h->frags = frags;
	h->skel->rodata->moat_frags = frags;
	if (frags)
		bpf_program__set_flags(h->skel->progs.moat_ingress, BPF_F_XDP_HAS_FRAGS);
	return moat__load(h->skel);
}

/* Flows are noted, of UDP those from the ports that a client has by default. */
static void note_flows(struct harness *h)
{
	struct moat_ports clients = { 0 };
	uint32_t zero = 0;
	int flows = bpf_map__fd(h->skel->maps.moat_flows);

	for (uint32_t port = REFERENCE_CLIENT_FIRST; port <= REFERENCE_CLIENT_LAST; port++)
		clients.set[port / 64] |= 1ULL << port % 64;
	must(bpf_map_update_elem(bpf_map__fd(h->skel->maps.moat_clients), &zero, &clients,
				 BPF_ANY) == 0 &&
		     bpf_map_update_elem(bpf_map__fd(h->skel->maps.moat_flow_slot), &zero, &flows,
					 BPF_ANY) == 0,
	     "flows");
}

static void begin_sieve(struct harness *h, const uint32_t capacity[2])
{
	struct moat_control control = { .sieve = 1 };
	uint32_t zero = 0;

	if (!harness_sieve_wanted())
		return;
	h->sieve = harness_sieve_new(h->skel, capacity);
	h->owns_sieve = true;
	must(bpf_map_update_elem(bpf_map__fd(h->skel->maps.moat_control), &zero, &control,
				 BPF_ANY) == 0,
	     MOAT_MAP_CONTROL);
}

int harness_new(const struct harness_options *o, struct harness **ret)
{
	_cleanup_(harness_freep) struct harness *h = calloc(1, sizeof(*h));
	int err;

	if (!h)
		return -ENOMEM;
	libbpf_set_print(print_warning);
	h->cpus = libbpf_num_possible_cpus();
	err = load(h, o, !o->linear);
	if (err && !o->linear) { /* a kernel before 5.18 */
		moat__destroy(h->skel);
		h->skel = NULL;
		err = load(h, o, false);
	}
	if (err) {
		fprintf(stderr, "harness: load: %s (these tests need root and BPF)\n",
			strerror(-err));
		return err;
	}
	if (!o->share) {
		note_flows(h);
		begin_sieve(h, o->capacity);
	} else {
		h->sieve = o->share->sieve;
	}
	*ret = take_ptr(h);
	return 0;
}

struct harness *harness_free(struct harness *h)
{
	if (h && h->owns_sieve)
		harness_sieve_free(h->sieve);
	if (h)
		moat__destroy(h->skel);
	free(h);
	return NULL;
}

bool harness_takes_frags(const struct harness *h)
{
	return h->frags;
}

int harness_fd(const struct harness *h, const char *name)
{
	int fd = bpf_object__find_map_fd_by_name(h->skel->obj, name);

	must(fd >= 0, name);
	return fd;
}

void harness_watch(struct harness *h, uint32_t wanted)
{
	*(volatile __u32 *)&h->skel->bss->moat_event_wanted = wanted;
}

uint32_t harness_watched(const struct harness *h)
{
	return *(const volatile __u32 *)&h->skel->bss->moat_event_wanted;
}

void harness_write(const struct harness *h, const char *map, const void *key, const void *value)
{
	must(bpf_map_update_elem(harness_fd(h, map), key, value, BPF_ANY) == 0, map);
	harness_sieve_put(h->sieve, map, key, value);
}

void harness_delete(const struct harness *h, const char *map, const void *key)
{
	harness_sieve_delete(h->sieve, map, key);
	must(bpf_map_delete_elem(harness_fd(h, map), key) == 0, "an entry to delete is not there");
}

static void clear_map(const struct harness *h, const char *map, void *key, void *next, size_t size)
{
	int fd = harness_fd(h, map);
	bool more = bpf_map_get_next_key(fd, NULL, key) == 0;

	while (more) {
		/* The key after this one must be known before this one goes. */
		more = bpf_map_get_next_key(fd, key, next) == 0;
		harness_delete(h, map, key);
		memcpy(key, next, size);
	}
}

void harness_clear(struct harness *h)
{
	struct moat_key4 key4, next4 = { 0 };
	struct moat_key6 key6, next6 = { 0 };
	struct moat_flow_key flow, next_flow = { 0 };

	clear_map(h, MOAT_MAP_SOURCE4, &key4, &next4, sizeof(key4));
	clear_map(h, MOAT_MAP_SOURCE6, &key6, &next6, sizeof(key6));
	clear_map(h, MOAT_MAP_FLOWS, &flow, &next_flow, sizeof(flow));
}

void harness_age_flows(const struct harness *h, unsigned int seconds)
{
	int fd = harness_fd(h, MOAT_MAP_FLOWS);
	struct moat_flow_key key, *after = NULL;
	struct moat_flow flow;

	while (bpf_map_get_next_key(fd, after, &key) == 0) {
		must(bpf_map_lookup_elem(fd, &key, &flow) == 0, MOAT_MAP_FLOWS);
		flow.seen -= (seconds * 1000000000ULL) >> MOAT_TICK_SHIFT;
		must(bpf_map_update_elem(fd, &key, &flow, BPF_EXIST) == 0, MOAT_MAP_FLOWS);
		after = &key;
	}
}

static struct moat_control read_control(const struct harness *h)
{
	struct moat_control control;
	uint32_t zero = 0;

	must(bpf_map_lookup_elem(harness_fd(h, MOAT_MAP_CONTROL), &zero, &control) == 0,
	     MOAT_MAP_CONTROL);
	return control;
}

static void write_control(const struct harness *h, const struct moat_control *control)
{
	harness_write(h, MOAT_MAP_CONTROL, &(uint32_t){ 0 }, control);
}

void harness_switch(struct harness *h, const struct reference *world)
{
	struct moat_control control = read_control(h);
	struct moat_iface iface = {
		.enforce = world->enforce,
		.replies = world->replies,
		.drop_reasons = world->drop_reasons,
	};

	control.paused_until = world->paused_until;
	write_control(h, &control);
	harness_write(h, MOAT_MAP_IFACE, &(uint32_t){ 0 }, &iface);
}

uint32_t harness_bank(const struct harness *h)
{
	return !read_control(h).policy_bank;
}

static uint32_t count_lengths(const struct harness *h, uint8_t family, uint32_t bank)
{
	uint32_t index = MOAT_LENGTHS_INDEX(family, bank);
	struct moat_lengths lengths;

	must(bpf_map_lookup_elem(harness_fd(h, MOAT_MAP_LENGTHS), &index, &lengths) == 0,
	     MOAT_MAP_LENGTHS);
	return lengths.count;
}

void harness_flip(struct harness *h)
{
	struct moat_control control = read_control(h);
	uint32_t bank = !control.policy_bank;

	control.policy_bank = bank;
	control.lengths_bank[MOAT_IPV4] = bank;
	control.lengths_bank[MOAT_IPV6] = bank;
	for (uint8_t family = MOAT_IPV4; family <= MOAT_IPV6; family++)
		harness_sieve_lengths(h->sieve, family, count_lengths(h, family, bank));
	write_control(h, &control);
}

/* ---- packets ---- */

bool harness_mark_is(const struct harness_seen *seen, bool marked, uint32_t mark)
{
	return !seen->shown || (seen->marked == marked && seen->mark == (marked ? mark : 0));
}

/* The tag, if one lies before the frame that came back. */
static void look_before(const struct harness *h, size_t metadata, size_t before,
			struct harness_seen *ret)
{
	struct moat_tag tag;

	memcpy(&tag, h->out, sizeof(tag));
	ret->marked = before == metadata + sizeof(tag) && tag.magic == MOAT_TAG_MAGIC;
	ret->mark = ret->marked ? tag.mark : 0;
	/* Metadata that is neither what was there nor a tag is nobody's. */
	must(ret->marked || before == metadata, "metadata");
}

int harness_send_behind(struct harness *h, size_t metadata, const uint8_t *frame, size_t size,
			struct harness_seen *ret)
{
	struct xdp_md before = { .data = metadata, .data_end = metadata + size };
	struct xdp_md after = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = h->in, .data_size_in = metadata + size,
		    .data_out = h->out, .data_size_out = sizeof(h->out));
	int err;

	if (metadata > METADATA_MAX || size > PACKET_MAX)
		return -E2BIG;
	*ret = (struct harness_seen){ .shown = program_features()->metadata };
	if (metadata && !ret->shown)
		return -EOPNOTSUPP;
	if (ret->shown) {
		run.ctx_in = &before;
		run.ctx_out = &after;
		run.ctx_size_in = run.ctx_size_out = sizeof(after);
	}
	memset(h->in, 0, metadata);
	memcpy(h->in + metadata, frame, size);
	err = bpf_prog_test_run_opts(bpf_program__fd(h->skel->progs.moat_ingress), &run);
	if (err)
		return err;

	h->sent++;
	h->sent_bytes += size;
	ret->xdp = run.retval;
	ret->frame = h->out + after.data;
	ret->size = run.data_size_out - after.data;
	if (ret->shown)
		look_before(h, metadata, after.data, ret);
	return 0;
}

int harness_send(struct harness *h, const uint8_t *frame, size_t size, struct harness_seen *ret)
{
	return harness_send_behind(h, 0, frame, size, ret);
}

int harness_send_tc(struct harness *h, const uint8_t *frame, size_t size, uint32_t *mark,
		    int *ret_action)
{
	struct __sk_buff before = { .mark = *mark }, after = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame, .data_size_in = size,
		    .data_out = h->out, .data_size_out = sizeof(h->out), .ctx_in = &before,
		    .ctx_size_in = sizeof(before), .ctx_out = &after,
		    .ctx_size_out = sizeof(after));
	int err = bpf_prog_test_run_opts(bpf_program__fd(h->skel->progs.moat_mark), &run);

	if (err)
		return err;
	*mark = after.mark;
	*ret_action = run.retval;
	return 0;
}

int harness_leave(struct harness *h, const uint8_t *frame, size_t size)
{
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame, .data_size_in = size,
		    .data_out = h->out, .data_size_out = sizeof(h->out));

	int err = bpf_prog_test_run_opts(bpf_program__fd(h->skel->progs.moat_egress), &run);

	if (err)
		return err;
	must((int)run.retval == -1 && run.data_size_out == size && !memcmp(h->out, frame, size),
	     "a packet that leaves goes its way unchanged");
	return 0;
}

uint32_t harness_time(struct harness *h, bool leaves, const uint8_t *frame, size_t size)
{
	enum { TIMES = 100000 };
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame, .data_size_in = size,
		    .repeat = TIMES);
	const struct bpf_program *program = leaves ? h->skel->progs.moat_egress
						   : h->skel->progs.moat_ingress;

	must(bpf_prog_test_run_opts(bpf_program__fd(program), &run) == 0, "repeated run");
	if (!leaves) {
		h->sent += TIMES;
		h->sent_bytes += TIMES * size;
	}
	return run.duration;
}

/* ---- counters ---- */

static struct moat_stats sum_cpus(const struct moat_stats *of_cpu, int cpus)
{
	struct moat_stats sum = { 0 };

	for (int i = 0; i < cpus; i++) {
		sum.packets += of_cpu[i].packets;
		sum.bytes += of_cpu[i].bytes;
	}
	return sum;
}

struct moat_stats harness_cell(const struct harness *h, uint32_t cell)
{
	_cleanup_free_ struct moat_stats *of_cpu = calloc(h->cpus, sizeof(*of_cpu));

	must(of_cpu &&
		     bpf_map_lookup_elem(bpf_map__fd(h->skel->maps.moat_stats), &cell, of_cpu) == 0,
	     MOAT_MAP_STATS);
	return sum_cpus(of_cpu, h->cpus);
}

void harness_cells(const struct harness *h, struct moat_stats *ret)
{
	_cleanup_free_ struct moat_stats *of_cpu =
		calloc((size_t)MOAT_CELLS * h->cpus, sizeof(*of_cpu));
	_cleanup_free_ uint32_t *keys = calloc(MOAT_CELLS, sizeof(*keys));
	int fd = bpf_map__fd(h->skel->maps.moat_stats);
	uint32_t count = MOAT_CELLS, next;

	must(of_cpu && keys, "memory");
	if (bpf_map_lookup_batch(fd, NULL, &next, keys, of_cpu, &count, NULL) && errno != ENOENT) {
		for (uint32_t i = 0; i < MOAT_CELLS; i++) /* a kernel before 5.13 */
			ret[i] = harness_cell(h, i);
		return;
	}
	must(count == MOAT_CELLS, "cells missing");
	for (uint32_t i = 0; i < count; i++)
		ret[keys[i]] = sum_cpus(of_cpu + (size_t)i * h->cpus, h->cpus);
}

uint32_t harness_grown(struct harness *h)
{
	_cleanup_free_ struct moat_stats *now = calloc(MOAT_CELLS, sizeof(*now));
	uint32_t grown = HARNESS_NO_CELL;
	unsigned int changes = 0;

	must(now, "memory");
	harness_cells(h, now);
	for (uint32_t i = 0; i < MOAT_CELLS; i++) {
		if (now[i].packets == h->last[i].packets && now[i].bytes == h->last[i].bytes)
			continue;
		changes++;
		grown = i;
	}
	memcpy(h->last, now, sizeof(h->last));
	return changes == 1 ? grown : HARNESS_NO_CELL;
}

void harness_cell_meaning(uint32_t cell, struct reference_outcome *ret)
{
	for (uint32_t i = 0; i < MOAT_FAMILY_MAX * MOAT_VERDICT_MAX * MOAT_REASON_MAX; i++) {
		uint32_t family = i / MOAT_REASON_MAX / MOAT_VERDICT_MAX;
		uint32_t verdict = i / MOAT_REASON_MAX % MOAT_VERDICT_MAX;
		uint32_t reason = i % MOAT_REASON_MAX;
		uint32_t categories = moat_reason_has_category(reason) ? MOAT_CATEGORIES : 1;
		uint32_t first = moat_cell(family, verdict, reason, 0);

		if (cell < first || cell >= first + categories)
			continue;
		*ret = (struct reference_outcome){
			.family = family,
			.verdict = verdict,
			.reason = reason,
			.category = cell - first,
		};
		return;
	}
}

bool harness_check_sum(const struct harness *h)
{
	_cleanup_free_ struct moat_stats *cells = calloc(MOAT_CELLS, sizeof(*cells));
	struct moat_stats sum;

	must(cells, "memory");
	harness_cells(h, cells);
	sum = sum_cpus(cells, MOAT_CELLS);
	if (sum.packets == h->sent && sum.bytes == h->sent_bytes)
		return true;
	fprintf(stderr, "counted %llu packets of %llu bytes, sent %llu of %llu\n",
		(unsigned long long)sum.packets, (unsigned long long)sum.bytes,
		(unsigned long long)h->sent, (unsigned long long)h->sent_bytes);
	return false;
}

uint64_t harness_now(void)
{
	struct timespec t;

	must(clock_gettime(CLOCK_BOOTTIME, &t) == 0, "clock");
	return (uint64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}
