/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/fake_events.h"

#include <time.h>

struct fake_rings fake_rings;

static uint64_t boot_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
}

bool fake_event(uint8_t last)
{
	static const uint8_t frame[] = {
		2,    0,    0, 0,  0, 1, 2, 0, 0,  0, 0, 2, 0x08, 0x00,			      /**/
		0x45, 0,    0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 198,  51,	100, 0, 192, 0, 2, 1, /**/
		0x9c, 0x40, 0, 22,
	};
	struct moat_event *event = &fake_rings.event[fake_rings.events];

	if (!fake_rings.wanted)
		return false;
	if (fake_rings.events == FAKE_EVENTS) {
		fake_rings.counts.lost++;
		return false;
	}
	*event = (struct moat_event){
		.time = boot_ns(),
		.ifindex = 7,
		.length = 60,
		.verdict = MOAT_VERDICT_DROP,
		.reason = MOAT_LISTED,
		.category = 1,
		.matched = 32,
		.ip = 14,
		.size = sizeof(frame),
	};
	memcpy(event->head, frame, sizeof(frame));
	event->head[14 + 15] = last;
	fake_rings.events++;
	fake_rings.counts.written++;
	return true;
}

uint64_t tables_events_memory(void)
{
	return 0;
}

int tables_set_events(struct tables *t, struct problem *why)
{
	(void)t;
	return fake_rings.error ? problem_set(why, fake_rings.error, "no rings") : 0;
}

void tables_renew_events(struct tables *t, uint64_t rate, uint64_t until_ns)
{
	(void)t;
	fake_rings.rate = rate;
	fake_rings.until = until_ns;
	fake_rings.renewals++;
}

void program_set_events(struct program *p, uint32_t wanted)
{
	(void)p;
	fake_rings.wanted = wanted;
}

size_t tables_read_events(struct tables *t, tables_event_fn fn, void *arg, size_t most)
{
	size_t count = fake_rings.events < most ? fake_rings.events : most;

	(void)t;
	for (size_t i = 0; i < count; i++)
		fn(arg, &fake_rings.event[i]);
	memmove(fake_rings.event, fake_rings.event + count,
		(fake_rings.events - count) * sizeof(fake_rings.event[0]));
	fake_rings.events -= count;
	return count;
}

void tables_count_events(const struct tables *t, struct tables_event_counts *ret)
{
	(void)t;
	*ret = fake_rings.counts;
}
