// SPDX-License-Identifier: BSD-2-Clause
/*
 * The parts of the wire benchmark that a script cannot do; tools/bench/wire.sh
 * puts them together.
 *
 *	wire hold OBJECT_DIR IMPL SOURCES PIN		filter with its sources, pinned, not attached
 *	wire list SOURCES				the same sources as text
 *	wire fill-xdp-filter PINNED_MAP SOURCES		... in the map of xdp-filter
 *	wire measure OBJECT_DIR SOURCES TO_NETNS TO_IF FROM_NETNS FROM_IF SECONDS
 *
 * "measure" sends frames whose sources are all listed out of FROM_IF as fast
 * as one CPU can and prints how many a second TO_IF took in, in millions, and
 * which share of them reached an address of the stack.
 *
 * "hold" prints "ready", then does what standard input says, until that ends:
 *
 *	churn PER_SECOND SECONDS	has further sources come and go; prints how many a second
 *	check		asks for every verdict; prints how many were asked, how many were wrong, and
 *			how many packets of the wire were taken for clean
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "core/base.h"
#include "tools/bench/churn.h"
#include "tools/bench/filter.h"
#include "tools/bench/run.h"
#include "tools/bench/sender.h"
#include "tools/bench/sources.h"

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

static int answer_churn(struct churn *c, uint32_t per_second, uint32_t seconds)
{
	double rate = 0;
	int r = churn_run(c, per_second, seconds, &rate);

	printf("%.0f\n", rate);
	return r;
}

/* No IPv4 packet of the wire comes from a clean source. */
static int answer_check(const struct filter *f, const struct churn *c)
{
	struct churn_verdicts verdicts;
	struct counted counted;
	int r = filter_counted(f, MOAT_IPV4, &counted);

	if (r)
		return r;
	r = churn_check(c, &verdicts);
	printf("%" PRIu64 " %" PRIu64 " %" PRIu64 "\n", verdicts.asked, verdicts.wrong,
	       counted.clean);
	return r == -EBADMSG ? 0 : r;
}

static int obey(struct filter *f, uint32_t count)
{
	struct churn *c = NULL;
	char line[128];
	int r = churn_open(f, count, &c);

	if (r)
		return fail("churn", r);
	printf("ready\n");
	while (!r && !fflush(stdout) && fgets(line, sizeof(line), stdin)) {
		uint32_t per_second, seconds;

		if (sscanf(line, "churn %" SCNu32 " %" SCNu32, &per_second, &seconds) == 2 &&
		    per_second)
			r = answer_churn(c, per_second, seconds);
		else if (!strcmp(line, "check\n"))
			r = answer_check(f, c);
		else
			r = fail(line, -EINVAL);
	}
	churn_free(c);
	return r;
}

static int cmd_hold(char **arg)
{
	enum impl impl = IMPL_HASH;
	uint32_t count = number(arg[2]);
	uint32_t capacity[2] = { count + CHURN_SOURCES, CHURN_SOURCES };
	struct filter f;
	int r;

	while (impl < IMPL_MAX && strcmp(impl_name[impl], arg[1]) != 0)
		impl++;
	if (impl == IMPL_MAX)
		return fail(arg[1], -EINVAL);
	r = filter_open(&f, arg[0], impl, BUILD_WIRE, NULL, capacity);
	if (r)
		return r;
	r = filter_fill(&f, MOAT_IPV4, 0, count);
	if (!r && bpf_obj_pin(f.program, arg[3]))
		r = fail(arg[3], -errno);
	run_settle(0); /* with the sender, so that the receiver has its CPU alone */
	r = r ?: obey(&f, count);
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
		{ "hold", 4, cmd_hold },
		{ "list", 1, cmd_list },
		{ "fill-xdp-filter", 2, cmd_fill_xdp_filter },
		{ "measure", 7, cmd_measure },
	};

	for (size_t i = 0; i < ARRAY_SIZE(command); i++)
		if (argc == command[i].args + 2 && strcmp(argv[1], command[i].name) == 0)
			return command[i].run(argv + 2) ? 1 : 0;
	fprintf(stderr, "usage: the first lines of tools/bench/wire.c\n");
	return 2;
}
