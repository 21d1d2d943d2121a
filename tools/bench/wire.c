// SPDX-License-Identifier: BSD-2-Clause
/*
 * The parts of the wire benchmark that a script cannot do; tools/bench/wire.sh
 * puts them together.
 *
 *	wire load OBJECT_DIR IMPL SOURCES PIN_DIR	filter with its sources, pinned, not attached
 *	wire list SOURCES				the same sources as text
 *	wire fill-xdp-filter PINNED_MAP SOURCES		... in the map of xdp-filter
 *	wire churn PIN_DIR FIRST PER_SECOND SECONDS	adds and removes further sources
 *	wire measure OBJECT_DIR SOURCES TO_NETNS TO_IF FROM_NETNS FROM_IF SECONDS
 *
 * "measure" sends frames whose sources are all listed out of FROM_IF as fast
 * as one CPU can and prints how many a second TO_IF took in, in millions, and
 * which share of them reached an address of the stack.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <bpf/bpf.h>

#include "core/base.h"
#include "tools/bench/filter.h"
#include "tools/bench/sender.h"
#include "tools/bench/sources.h"

#define CHURN_BATCH  1000U  /* changes at once; half of them add, half remove */
#define CHURN_WINDOW 50000U /* further sources that come and go */
#define NS_PER_S     1000000000ULL

/* xdp-filter's map of IPv4 addresses: counter << 6, or with what to match. */
#define XDP_FILTER_SOURCE 1ULL

static int fail(const char *what, int error)
{
	fprintf(stderr, "wire: %s: %s\n", what, strerror(-error));
	return error;
}

static uint32_t number(const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (end == text || *end || value > SOURCES_MAX) {
		fprintf(stderr, "wire: '%s' is not a number\n", text);
		exit(2);
	}
	return value;
}

static int pin(int fd, const char *dir, const char *name)
{
	char path[4096];
	int r;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	r = bpf_obj_pin(fd, path);
	return r ? fail(path, r) : 0;
}

static int cmd_load(char **arg)
{
	enum impl impl = IMPL_HASH;
	uint32_t count = number(arg[2]);
	struct filter f;
	int r;

	while (impl < IMPL_MAX && strcmp(impl_name[impl], arg[1]) != 0)
		impl++;
	if (impl == IMPL_MAX)
		return fail(arg[1], -EINVAL);
	r = filter_open(&f, arg[0], impl, NULL, count + CHURN_WINDOW);
	if (r)
		return r;
	r = filter_fill(&f, MOAT_IPV4, 0, count);
	if (!r && mkdir(arg[3], 0700) && errno != EEXIST)
		r = fail(arg[3], -errno);
	r = r ?: pin(f.program, arg[3], "program");
	for (unsigned int i = 0; i < FILTER_MAPS && !r; i++) {
		int fd = filter_map(&f, i);

		if (fd >= 0)
			r = pin(fd, arg[3], filter_map_pin[i]);
	}
	filter_close(&f);
	return r;
}

static int cmd_list(char **arg)
{
	uint32_t count = number(arg[0]);

	for (uint32_t i = 0; i < count; i++) {
		struct moat_key6 key = sources_key(MOAT_IPV4, i);
		const uint8_t *a = (const uint8_t *)key.addr;

		printf("%u.%u.%u.%u\n", a[0], a[1], a[2], a[3]);
	}
	return 0;
}

static int cmd_fill_xdp_filter(char **arg)
{
	_cleanup_close_ int fd = bpf_obj_get(arg[0]);
	uint32_t count = number(arg[1]);
	int cpus = libbpf_num_possible_cpus();
	_cleanup_free_ uint64_t *value = calloc(cpus > 0 ? cpus : 1, sizeof(*value));
	int r = 0;

	if (fd < 0)
		return fail(arg[0], fd);
	if (cpus < 0 || !value)
		return fail("xdp-filter", -ENOMEM);
	for (int i = 0; i < cpus; i++)
		value[i] = XDP_FILTER_SOURCE;
	for (uint32_t i = 0; i < count && !r; i++)
		r = bpf_map_update_elem(fd, sources_key(MOAT_IPV4, i).addr, value, 0);
	return r ? fail(arg[0], r) : 0;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void sleep_until(uint64_t ns)
{
	struct timespec at = { .tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
		;
}

/* Half a batch comes while the half before the window goes, at an even rate. */
static int churn(struct filter *f, uint32_t first, uint32_t per_second, uint64_t seconds)
{
	const uint32_t half = CHURN_BATCH / 2, slots = CHURN_WINDOW / half;
	uint64_t batches = seconds * per_second / CHURN_BATCH;
	uint64_t begin = now_ns();
	int r = 0;

	for (uint64_t i = 0; i < batches && !r; i++) {
		r = filter_fill(f, MOAT_IPV4, first + (i % slots) * half, half);
		if (i >= slots / 2 && !r)
			r = filter_remove(f, MOAT_IPV4, first + ((i - slots / 2) % slots) * half,
					  half);
		sleep_until(begin + i * CHURN_BATCH * NS_PER_S / per_second);
	}
	for (uint64_t i = batches > slots / 2 ? batches - slots / 2 : 0; i < batches && !r; i++)
		r = filter_remove(f, MOAT_IPV4, first + (i % slots) * half, half);
	fprintf(stderr, "wire: %.0f changes/s\n",
		(double)batches * CHURN_BATCH * NS_PER_S / (now_ns() - begin));
	return r;
}

static int cmd_churn(char **arg)
{
	struct filter f;
	int r = filter_open_pinned(&f, arg[0], IMPL_MOAT);

	if (r)
		return r;
	r = churn(&f, number(arg[1]), number(arg[2]), number(arg[3]));
	filter_close(&f);
	return r;
}

static int cmd_measure(char **arg)
{
	struct wire wire = { arg[2], arg[3], arg[4], arg[5] };
	struct sender_result result;
	int r = sender_measure(arg[0], &wire, number(arg[1]), number(arg[6]), &result);

	if (r)
		return r;
	printf("%.3f %.3f\n", result.received / result.seconds / 1e6,
	       result.received ? (double)result.delivered / result.received : 0);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int args;
		int (*run)(char **arg);
	} command[] = {
		{ "load", 4, cmd_load },
		{ "list", 1, cmd_list },
		{ "fill-xdp-filter", 2, cmd_fill_xdp_filter },
		{ "churn", 4, cmd_churn },
		{ "measure", 7, cmd_measure },
	};

	for (size_t i = 0; i < ARRAY_SIZE(command); i++)
		if (argc == command[i].args + 2 && strcmp(argv[1], command[i].name) == 0)
			return command[i].run(argv + 2) ? 1 : 0;
	fprintf(stderr, "usage: the first lines of tools/bench/wire.c\n");
	return 2;
}
