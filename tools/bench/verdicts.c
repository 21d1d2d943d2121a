// SPDX-License-Identifier: BSD-2-Clause
/*
 * Whether the filter drops what a list of prefixes covers, and nothing else.
 *
 *	verdicts LINK_PIN < PREFIXES
 *
 * The reference is as simple as can be: the list's ranges, merged. Asked are, of
 * every prefix, its first and last address and the neighbours on both sides.
 * Prints "N asked, N wrong"; exit status 1 if any is wrong.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base.h"
#include "tools/bench/probe.h"

#define PREFIXES_MAX 8000000U
#define LINE_SIZE    128
#define WRONG_SHOWN  10

typedef unsigned __int128 address;

struct span {
	address first, last;
};

struct spans {
	int family;		     /* 4 or 6 */
	struct span *given, *merged; /* owned */
	size_t count, room, merges;
};

static address all_ones(int family, unsigned int len)
{
	unsigned int bits = (family == 4 ? 32 : 128) - len;

	return bits == 128 ? ~(address)0 : ((address)1 << bits) - 1;
}

static bool add(struct spans *s, address at, unsigned int len)
{
	size_t room = s->room ? s->room * 2 : 1024;
	struct span *grown;

	if (s->count == PREFIXES_MAX)
		return false;
	if (s->count == s->room) {
		grown = reallocarray(s->given, room, sizeof(*grown));
		if (!grown)
			return false;
		s->given = grown;
		s->room = room;
	}
	at &= ~all_ones(s->family, len);
	s->given[s->count++] = (struct span){ at, at | all_ones(s->family, len) };
	return true;
}

static bool take_line(char *line, struct spans *v4, struct spans *v6)
{
	struct spans *s = strchr(line, ':') ? v6 : v4;
	unsigned int bits = s->family == 4 ? 32 : 128;
	uint8_t bytes[16] = {};
	address at = 0;
	char *slash;

	line[strcspn(line, " \t\r\n#;")] = '\0';
	if (!*line)
		return true;
	slash = strchr(line, '/');
	if (slash) {
		*slash = '\0';
		bits = (unsigned int)strtoul(slash + 1, NULL, 10);
	}
	if (inet_pton(s->family == 4 ? AF_INET : AF_INET6, line, bytes) != 1 ||
	    bits > (s->family == 4 ? 32 : 128))
		return false;
	for (int i = 0; i < (s->family == 4 ? 4 : 16); i++)
		at = at << 8 | bytes[i];
	return add(s, at, bits);
}

static int by_first(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

static bool merge(struct spans *s)
{
	s->merged = calloc(s->count + 1, sizeof(*s->merged));
	if (!s->merged)
		return false;
	memcpy(s->merged, s->given, s->count * sizeof(*s->merged));
	qsort(s->merged, s->count, sizeof(*s->merged), by_first);
	for (size_t i = 0; i < s->count; i++) {
		struct span *last = s->merges ? &s->merged[s->merges - 1] : NULL;

		if (last && s->merged[i].first <= last->last) {
			if (s->merged[i].last > last->last)
				last->last = s->merged[i].last;
		} else {
			s->merged[s->merges++] = s->merged[i];
		}
	}
	return true;
}

static bool covers(const struct spans *s, address at)
{
	size_t low = 0, high = s->merges;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (s->merged[middle].last < at)
			low = middle + 1;
		else
			high = middle;
	}
	return low < s->merges && s->merged[low].first <= at;
}

struct tally {
	uint64_t asked, wrong;
};

static void ask(int program, const struct spans *s, address at, struct tally *t)
{
	int size = s->family == 4 ? 4 : 16;
	char text[INET6_ADDRSTRLEN];
	uint8_t bytes[16];
	bool wanted = covers(s, at), got;

	for (int i = 0; i < size; i++)
		bytes[i] = (uint8_t)(at >> 8 * (size - 1 - i));
	got = probe_drops(program, s->family, bytes);
	t->asked++;
	if (got == wanted)
		return;
	if (t->wrong++ < WRONG_SHOWN)
		fprintf(stderr, "verdicts: %s: %s, but it is %slisted\n",
			inet_ntop(size == 4 ? AF_INET : AF_INET6, bytes, text, sizeof(text)),
			got ? "dropped" : "passed", wanted ? "" : "not ");
}

static void ask_all(int program, const struct spans *s, struct tally *t)
{
	address end = all_ones(s->family, 0);

	for (size_t i = 0; i < s->count; i++) {
		const struct span *p = &s->given[i];

		ask(program, s, p->first, t);
		ask(program, s, p->last, t);
		if (p->first)
			ask(program, s, p->first - 1, t);
		if (p->last < end)
			ask(program, s, p->last + 1, t);
	}
}

int main(int argc, char **argv)
{
	struct spans v4 = { .family = 4 }, v6 = { .family = 6 };
	_cleanup_close_ int program = argc == 2 ? probe_program(argv[1]) : -EINVAL;
	struct tally tally = {};
	char line[LINE_SIZE];
	bool good = true;

	if (program < 0) {
		fprintf(stderr, "usage: verdicts LINK_PIN < PREFIXES (%s)\n", strerror(-program));
		return 2;
	}
	while (good && fgets(line, sizeof(line), stdin))
		good = take_line(line, &v4, &v6);
	if (!good || !merge(&v4) || !merge(&v6)) {
		fprintf(stderr, "verdicts: out of memory, or not a prefix: %s\n", line);
		return 2;
	}
	ask_all(program, &v4, &tally);
	ask_all(program, &v6, &tally);
	printf("%" PRIu64 " asked, %" PRIu64 " wrong\n", tally.asked, tally.wrong);
	free(v4.given);
	free(v4.merged);
	free(v6.given);
	free(v6.merged);
	return tally.wrong > 0;
}
