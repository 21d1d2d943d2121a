/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/samples.h"

#include <sys/random.h>
#include <time.h>

#include "core/log.h"

#define CHANCE_FIRST (MOAT_SAMPLE_CERTAIN / 64) /* until something is known of the traffic */

/* What is known of an interface from one look to the next. */
struct source {
	char name[16];
	const struct program *program; /* never followed: tells that it is another one now */
	uint64_t missed;
	int64_t looked; /* ms */
};

struct samples {
	struct daemon *d;
	struct window *window;	/* owned: of what passed */
	struct window *dropped; /* owned */
	int timer;
	struct source *source; /* owned */
	size_t sources;
	uint64_t taken, missed;
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

uint32_t samples_chance(uint32_t chance, double packets, int64_t ms, size_t interfaces)
{
	double rate = packets * 1000 / (double)(ms > 0 ? ms : 1);
	double want = (double)SAMPLES_RATE / (double)(interfaces ? interfaces : 1);
	double most = chance ? (double)chance * 2 : (double)(uint32_t)CHANCE_FIRST;
	double next = rate > want ? want / rate * MOAT_SAMPLE_CERTAIN : MOAT_SAMPLE_CERTAIN;

	if (next > most)
		next = most;
	if (next >= (double)MOAT_SAMPLE_CERTAIN)
		return MOAT_SAMPLE_CERTAIN;
	return next > 1 ? (uint32_t)next : 1;
}

static uint32_t drop_chance(uint8_t n)
{
	return n ? MOAT_SAMPLE_CERTAIN >> (n - 1) : 0;
}

uint8_t samples_drop_sampling(uint32_t chance)
{
	uint8_t n = 1;

	/* Half of twice a chance is a bit less than it: that is no reason to take half. */
	while (n < 32 && drop_chance(n) - (drop_chance(n) >> 8) > chance)
		n++;
	return n;
}

/* ---- a look ---- */

#define LOOK_MAX 4096 /* samples of one interface in one look that are kept; the rest is missed */

struct look {
	struct samples *s;
	int64_t now; /* seconds */
	uint32_t ifindex;
	struct taken {
		struct moat_sample sample[LOOK_MAX];
		size_t count, over;
		double packets; /* that they stand for */
	} passed, dropped;
};

static double weight_of(const struct moat_sample *sample)
{
	return (double)MOAT_SAMPLE_CERTAIN / (double)(sample->chance ? sample->chance : 1);
}

/* The kernel wrote it, but into memory that others could map: it must not lead us astray. */
static bool is_sound(const struct moat_sample *sample)
{
	return sample->family < MOAT_OTHER && sample->verdict < MOAT_VERDICT_MAX &&
	       sample->reason < MOAT_REASON_MAX && sample->category < MOAT_CATEGORIES;
}

static void take(void *arg, const struct moat_sample *sample)
{
	struct look *look = arg;
	struct taken *to = sample->verdict == MOAT_VERDICT_DROP ? &look->dropped : &look->passed;

	to->packets += weight_of(sample);
	if (to->count == LOOK_MAX) {
		to->over++;
	} else if (is_sound(sample) && sample->reason != MOAT_PAUSED) {
		to->sample[to->count] = *sample;
		to->sample[to->count++].reserved = look->ifindex;
	}
}

/* Found by name, made if need be. NULL: out of memory. */
static struct source *source_of(struct samples *s, const struct iface_view *view, int64_t now)
{
	struct source *grown, *source = NULL;

	for (size_t i = 0; i < s->sources && !source; i++)
		if (!strcmp(s->source[i].name, view->name))
			source = &s->source[i];
	if (!source) {
		grown = reallocarray(s->source, s->sources + 1, sizeof(*grown));
		if (!grown)
			return NULL;
		s->source = grown;
		source = &grown[s->sources++];
		*source = (struct source){};
		snprintf(source->name, sizeof(source->name), "%s", view->name);
	}
	if (source->program != view->program) {
		source->program = view->program;
		source->missed = 0;
		source->looked = now;
	}
	return source;
}

/* Those that a full ring missed are what the others stand for, too. */
static void add_to(struct window *window, int64_t now, const struct taken *taken, uint64_t missed)
{
	uint64_t all = taken->count + taken->over + missed;
	double more = taken->count ? (double)all / (double)taken->count : 1;

	for (size_t i = 0; i < taken->count; i++)
		window_add(window, now, &taken->sample[i], weight_of(&taken->sample[i]) * more);
}

static void add_samples(struct look *look, uint64_t missed)
{
	add_to(look->s->window, look->now, &look->passed, missed);
	add_to(look->s->dropped, look->now, &look->dropped, 0);
	look->s->taken += look->passed.count;
	look->s->missed += missed + look->passed.over;
}

/* Dropped packets have a third of the rate: they are asked about less. */
static void set_drop_sampling(struct program *program, const struct look *look, int64_t ms,
			      size_t interfaces)
{
	uint32_t chance = samples_chance(drop_chance(program_drop_sampling(program)),
					 look->dropped.packets, ms, interfaces * 3);

	program_set_drop_sampling(program, samples_drop_sampling(chance));
}

static void look_at(struct samples *s, const struct iface_view *view, size_t interfaces)
{
	int64_t now = now_ms();
	struct source *source = source_of(s, view, now);
	uint32_t chance = program_sampling(view->program);
	struct look *look = calloc(1, sizeof(*look));
	uint64_t missed;

	if (source && look) {
		look->s = s;
		look->now = now / 1000;
		look->ifindex = view->attachment.ifindex;
		program_samples(view->program, take, look, &missed);
		add_samples(look, missed - source->missed);
		look->passed.packets +=
			(double)(missed - source->missed) *
			((double)MOAT_SAMPLE_CERTAIN / (double)(chance ? chance : 1));
		program_set_sampling(view->program,
				     samples_chance(chance, look->passed.packets,
						    now - source->looked, interfaces));
		set_drop_sampling(view->program, look, now - source->looked, interfaces);
		source->missed = missed;
		source->looked = now;
	}
	free(look);
}

static bool is_sampled(const struct samples *s, const struct iface_view *view)
{
	return s->d->config->sampling && view->program && view->attachment.mode != ATTACH_NONE;
}

static void look_at_all(void *arg)
{
	struct samples *s = arg;
	struct iface_view view;
	size_t interfaces = 0;

	for (size_t i = 0; i < ifaces_count(s->d->ifaces); i++) {
		ifaces_view(s->d->ifaces, i, &view);
		interfaces += is_sampled(s, &view);
		if (view.program && !s->d->config->sampling && program_sampling(view.program)) {
			program_set_sampling(view.program, 0);
			program_set_drop_sampling(view.program, 0);
		}
	}
	if (!interfaces) {
		window_close(s->window);
		window_close(s->dropped);
		return;
	}
	window_open(s->window, now_ms() / 1000);
	window_open(s->dropped, now_ms() / 1000);
	for (size_t i = 0; i < ifaces_count(s->d->ifaces); i++) {
		ifaces_view(s->d->ifaces, i, &view);
		if (is_sampled(s, &view))
			look_at(s, &view, interfaces);
	}
}

/* ---- the whole ---- */

int samples_new(struct daemon *d, struct samples **ret)
{
	_cleanup_(samples_freep) struct samples *s = calloc(1, sizeof(*s));
	uint64_t seed = 0;
	int r;

	if (!s)
		return -ENOMEM;
	s->d = d;
	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) < 0)
		seed = (uint64_t)now_ms();
	r = window_new(seed, &s->window) ?: window_new(~seed, &s->dropped);
	if (r)
		return r;
	s->timer = loop_timer(d->loop, SAMPLES_LOOK_MS, SAMPLES_LOOK_MS, look_at_all, s);
	if (s->timer < 0)
		return s->timer;
	*ret = take_ptr(s);
	return 0;
}

struct samples *samples_free(struct samples *s)
{
	if (!s)
		return NULL;
	if (s->timer > 0)
		loop_timer_remove(s->d->loop, s->timer);
	window_free(s->window);
	window_free(s->dropped);
	free(s->source);
	free(s);
	return NULL;
}

int samples_estimate(const struct samples *s, struct radius *r, struct radius_estimate *ret)
{
	return radius_estimate(r, s ? s->window : NULL, now_ms() / 1000, ret);
}

const struct window *samples_passed(const struct samples *s)
{
	return s ? s->window : NULL;
}

const struct window *samples_dropped(const struct samples *s)
{
	return s ? s->dropped : NULL;
}

int64_t samples_now(void)
{
	return now_ms() / 1000;
}

void samples_numbers(const struct samples *s, struct samples_numbers *ret)
{
	struct window_numbers numbers = {};

	if (s)
		window_numbers(s->window, now_ms() / 1000, &numbers);
	*ret = (struct samples_numbers){
		.taken = s ? s->taken : 0,
		.missed = s ? s->missed : 0,
		.window = numbers.samples,
		.seconds = numbers.seconds,
	};
}
