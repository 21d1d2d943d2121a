/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/events.h"

#include <time.h>

#include "core/log.h"
#include "core/units.h"
#include "daemon/events_log.h"
#include "daemon/events_sflow.h"
#include "daemon/labels.h"
#include "daemon/protocols.h"
#include "moat/stats.h"
#include "plane/events.h"

#define LOOK_MS	      10   /* between looks at the rings */
#define LOOK_SOON_MS  1	   /* while they are filling up */
#define LOOK_MOST     2000 /* events in one look: then the others of the loop have their turn */
#define FILL_HIGH     15   /* percent of a ring */
#define LEASE_RENEWED 8	   /* renewals that may be missed until the programs switch off: 2 s */
#define TELL_MS	      1000
#define NS	      1000000000ULL

#define PROTOCOL_NAME 16

struct events_reader {
	struct events_reader *next, **link;
	struct events_reader_kind kind;
	uint32_t rate;		     /* its own, a second */
	uint64_t credit;	     /* of its rate: NS an event */
	uint64_t lost0, suppressed0; /* when it came */
	struct events_told told, said;
	int64_t said_at; /* ms */
};

struct iface_name {
	uint32_t ifindex;
	char name[16];
};

struct json {
	bool made;
	size_t size;
	char text[EVENT_JSON_MAX];
};

struct events {
	struct daemon *d;
	struct events_reader *first;
	size_t readers;
	int look, renew;     /* timers; 0: nobody reads */
	uint32_t wanted;     /* MOAT_EVENT_... that is in force */
	uint32_t rate;	     /* likewise */
	uint64_t looked;     /* boot ns, of the last look */
	uint64_t read, slow; /* ever */
	struct tables_event_counts counts;
	int64_t lost_at;

	/* What events are called. */
	struct iface_name *iface; /* owned */
	size_t ifaces, ifaces_room;
	int64_t boot_to_unix; /* ns */
	int64_t second;	      /* that text is of */
	char second_text[32];
	char protocol[256][PROTOCOL_NAME];
	struct json json[2];

	struct events_log *log;	      /* owned; NULL: none */
	struct events_sflow *sflow;   /* likewise */
	struct events_numbers before; /* of those that a reload ended: counters never go back */
	struct problem problem;	      /* why one of them is not there */
};

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * NS + (uint64_t)now.tv_nsec;
}

/* ---- what an event is called ---- */

static void note_ifaces(struct events *e)
{
	size_t count = ifaces_count(e->d->ifaces);

	if (count > e->ifaces_room) {
		struct iface_name *grown = reallocarray(e->iface, count, sizeof(*grown));

		if (!grown)
			return;
		e->iface = grown;
		e->ifaces_room = count;
	}
	e->ifaces = count;
	for (size_t i = 0; i < count; i++) {
		struct iface_view view;

		ifaces_view(e->d->ifaces, i, &view);
		e->iface[i].ifindex = view.attachment.ifindex;
		snprintf(e->iface[i].name, sizeof(e->iface[i].name), "%s", view.name);
	}
}

static const char *iface_name(const struct events *e, uint32_t ifindex)
{
	for (size_t i = 0; i < e->ifaces; i++)
		if (e->iface[i].ifindex == ifindex)
			return e->iface[i].name;
	return "";
}

static void name_event(struct events *e, struct event *event)
{
	const struct moat_event *raw = event->raw;
	int64_t second;

	event_parse(raw, &event->packet);
	event->unix_ns = (int64_t)raw->time + e->boot_to_unix;
	second = event->unix_ns / (int64_t)NS;
	if (second != e->second) {
		e->second = second;
		units_time_format(second, e->second_text);
	}
	event->names = (struct event_names){
		.second = e->second_text,
		.micros = (uint32_t)(event->unix_ns % (int64_t)NS / 1000),
		.iface = iface_name(e, raw->ifindex),
		.family = label_family(raw->family),
		.protocol = e->protocol[event->packet.protocol],
		.verdict = label_verdict(raw->verdict),
		.reason = label_reason(raw->reason),
		.category = moat_reason_has_category(raw->reason)
				    ? sync_categories(e->d->sync)->name[raw->category]
				    : "",
	};
}

const char *events_json(struct events *e, const struct event *event, bool bytes, size_t *ret_size)
{
	struct json *json = &e->json[bytes];

	if (!json->made)
		json->size =
			event_json(event->raw, &event->packet, &event->names, bytes, json->text);
	json->made = true;
	*ret_size = json->size;
	return json->text;
}

/* ---- to the readers ---- */

static bool is_wanted(const struct events_filter *f, const struct event *event)
{
	const struct moat_event *raw = event->raw;

	if (raw->verdict == MOAT_VERDICT_PASS && !f->passes)
		return false;
	if ((f->verdicts && !(f->verdicts >> raw->verdict & 1)) ||
	    (f->reasons && !(f->reasons >> raw->reason & 1)))
		return false;
	if (f->categories &&
	    (!moat_reason_has_category(raw->reason) || !(f->categories >> raw->category & 1)))
		return false;
	if (f->iface[0] && strcmp(f->iface, event->names.iface) != 0)
		return false;
	return !f->has_source || (event->packet.known != EVENT_NOTHING &&
				  prefix_covers(&f->source, &event->packet.source));
}

static void give(struct events *e, struct events_reader *reader, const struct event *event)
{
	if (!is_wanted(&reader->kind.filter, event)) {
		reader->told.filtered++;
		return;
	}
	if (reader->rate < e->rate && reader->credit < NS) {
		reader->told.limited++;
		return;
	}
	if (!reader->kind.take(reader->kind.arg, event)) {
		reader->told.slow++;
		e->slow++;
		return;
	}
	reader->credit -= reader->credit < NS ? reader->credit : NS;
	reader->told.delivered++;
}

static void take_event(void *arg, const struct moat_event *raw)
{
	struct events *e = arg;
	struct event event = { .raw = raw };

	e->read++;
	if (!event_is_sound(raw))
		return;
	name_event(e, &event);
	e->json[0].made = e->json[1].made = false;
	for (struct events_reader *reader = e->first; reader; reader = reader->next)
		give(e, reader, &event);
}

static uint64_t missed(const struct events_told *told)
{
	return told->lost + told->suppressed + told->limited + told->slow;
}

static void tell(struct events *e, struct events_reader *reader, int64_t now_ms)
{
	reader->told.lost = e->counts.lost - reader->lost0;
	reader->told.suppressed = e->counts.suppressed - reader->suppressed0;
	if (!reader->kind.tell || now_ms - reader->said_at < TELL_MS ||
	    missed(&reader->told) == missed(&reader->said))
		return;
	reader->said = reader->told;
	reader->said_at = now_ms;
	reader->kind.tell(reader->kind.arg, &reader->told);
}

/* A quarter of a second's worth at most, as in the kernel, and not less than a few. */
static void add_credit(struct events_reader *reader, uint64_t elapsed_ns)
{
	uint64_t most = (uint64_t)reader->rate * NS / 4;

	if (elapsed_ns > NS)
		elapsed_ns = NS;
	if (most < 16 * NS)
		most = 16 * NS;
	reader->credit += elapsed_ns * reader->rate;
	if (reader->credit > most)
		reader->credit = most;
}

static void look(void *arg)
{
	struct events *e = arg;
	uint64_t now = clock_ns(CLOCK_BOOTTIME), lost = e->counts.lost;
	size_t count;

	for (struct events_reader *reader = e->first; reader; reader = reader->next)
		add_credit(reader, now - e->looked);
	e->looked = now;
	e->boot_to_unix = (int64_t)(clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME));
	count = tables_read_events(e->d->tables, take_event, e, LOOK_MOST);
	tables_count_events(e->d->tables, &e->counts);
	if (e->counts.lost != lost)
		e->lost_at = time(NULL);
	for (struct events_reader *reader = e->first; reader; reader = reader->next)
		tell(e, reader, (int64_t)(now / 1000000));
	if (count == LOOK_MOST || e->counts.fill >= FILL_HIGH)
		loop_timer_set(e->d->loop, e->look, count == LOOK_MOST ? 0 : LOOK_SOON_MS);
}

/* ---- on and off ---- */

static void switch_programs(struct events *e)
{
	struct iface_view view;

	for (size_t i = 0; i < ifaces_count(e->d->ifaces); i++) {
		ifaces_view(e->d->ifaces, i, &view);
		if (view.program)
			program_set_events(view.program, e->wanted);
	}
}

static void renew(void *arg)
{
	struct events *e = arg;

	note_ifaces(e);
	tables_renew_events(e->d->tables, e->rate,
			    clock_ns(CLOCK_BOOTTIME) +
				    LEASE_RENEWED * EVENTS_RENEW_MS * 1000000ULL);
	switch_programs(e);
}

static void ignore(void *arg, const struct moat_event *event)
{
	(void)arg;
	(void)event;
}

/* What was written while the last reader left is nobody's. */
static void discard(struct events *e)
{
	for (int looks = 0; looks < 2; looks++)
		tables_read_events(e->d->tables, ignore, NULL, SIZE_MAX);
	tables_count_events(e->d->tables, &e->counts);
}

/* After a reader came or left. */
static int follow_readers(struct events *e)
{
	bool on = e->first;

	e->wanted = on ? MOAT_EVENT_VERDICTS : 0;
	e->rate = 0;
	for (const struct events_reader *reader = e->first; reader; reader = reader->next) {
		if (reader->kind.filter.passes)
			e->wanted |= MOAT_EVENT_PASSES;
		if (reader->rate > e->rate)
			e->rate = reader->rate;
	}
	if (on && !e->look) {
		e->looked = clock_ns(CLOCK_BOOTTIME);
		e->look = loop_timer(e->d->loop, LOOK_MS, LOOK_MS, look, e);
		e->renew = loop_timer(e->d->loop, EVENTS_RENEW_MS, EVENTS_RENEW_MS, renew, e);
	}
	if (!on || e->look < 0 || e->renew < 0) {
		loop_timer_remove(e->d->loop, e->look);
		loop_timer_remove(e->d->loop, e->renew);
		e->look = e->renew = 0;
		e->wanted = 0;
		switch_programs(e);
		return on ? -ENOMEM : 0;
	}
	renew(e);
	return 0;
}

int events_join(struct events *e, const struct events_reader_kind *kind, struct events_reader **ret,
		struct problem *why)
{
	struct events_reader *reader;
	int r;

	if (!e)
		return problem_set(why, -ENOTSUP, "events: the rings could not be made");
	if (e->readers == EVENTS_READERS_MAX)
		return problem_set(why, -EBUSY, "events: %zu readers are there already",
				   e->readers);
	reader = calloc(1, sizeof(*reader));
	if (!reader)
		return problem_set(why, -ENOMEM, "events: out of memory");
	if (!e->first)
		discard(e);
	reader->kind = *kind;
	reader->rate = kind->filter.rate ? kind->filter.rate : e->d->config->events.rate;
	if (reader->rate > CONFIG_EVENTS_RATE_MAX)
		reader->rate = CONFIG_EVENTS_RATE_MAX;
	add_credit(reader, NS);
	reader->lost0 = e->counts.lost;
	reader->suppressed0 = e->counts.suppressed;
	reader->next = e->first;
	reader->link = &e->first;
	if (reader->next)
		reader->next->link = &reader->next;
	e->first = reader;
	e->readers++;
	r = follow_readers(e);
	if (r) {
		events_leave(e, reader);
		return problem_set(why, r, "events: out of memory");
	}
	*ret = reader;
	return 0;
}

void events_leave(struct events *e, struct events_reader *reader)
{
	if (!reader)
		return;
	*reader->link = reader->next;
	if (reader->next)
		reader->next->link = reader->link;
	e->readers--;
	free(reader);
	follow_readers(e);
}

void events_told(const struct events_reader *reader, struct events_told *ret)
{
	*ret = reader->told;
}

/* ---- the whole ---- */

static void note_log(const struct events *e, struct events_numbers *ret)
{
	struct events_log_numbers n;

	if (!e->log)
		return;
	events_log_numbers(e->log, &n);
	ret->logged += n.written;
	ret->log_lost += n.lost;
	if (*n.problem)
		ret->problem = n.problem;
}

static void note_sflow(const struct events *e, struct events_numbers *ret)
{
	struct events_sflow_numbers n;

	if (!e->sflow)
		return;
	events_sflow_numbers(e->sflow, &n);
	ret->sflow_sent += n.sent;
	ret->sflow_lost += n.lost;
	if (*n.problem)
		ret->problem = n.problem;
}

void events_reload(struct events *e)
{
	const struct config *c = e ? e->d->config : NULL;

	if (!e)
		return;
	e->problem.text[0] = '\0';
	note_log(e, &e->before);
	note_sflow(e, &e->before);
	e->log = events_log_free(e->log);
	e->sflow = events_sflow_free(e->sflow);
	if (c->events.log && events_log_new(e, e->d->loop, &c->events, &e->log, &e->problem))
		log_error("%s", e->problem.text);
	if (c->events.sflow_collector &&
	    events_sflow_new(e, e->d->loop, &c->events, &e->sflow, &e->problem))
		log_error("%s", e->problem.text);
}

void events_reopen(struct events *e)
{
	if (e && e->log)
		events_log_reopen(e->log);
}

int events_new(struct daemon *d, struct events **ret, struct problem *why)
{
	_cleanup_(events_freep) struct events *e = calloc(1, sizeof(*e));
	int r;

	if (!e)
		return problem_set(why, -ENOMEM, "events: out of memory");
	e->d = d;
	r = tables_set_events(d->tables, why);
	if (r)
		return r;
	for (unsigned int p = 0; p < ARRAY_SIZE(e->protocol); p++)
		protocol_format((uint8_t)p, e->protocol[p]);
	*ret = take_ptr(e);
	return 0;
}

struct events *events_free(struct events *e)
{
	if (!e)
		return NULL;
	events_log_free(e->log);
	events_sflow_free(e->sflow);
	while (e->first)
		events_leave(e, e->first);
	free(e->iface);
	free(e);
	return NULL;
}

void events_numbers(const struct events *e, struct events_numbers *ret)
{
	*ret = (struct events_numbers){ .problem = "" };
	if (!e)
		return;
	*ret = (struct events_numbers){
		.on = e->first,
		.readers = e->readers,
		.rate = e->first ? e->rate : 0,
		.read = e->read,
		.lost = e->counts.lost,
		.suppressed = e->counts.suppressed,
		.slow = e->slow,
		.lost_at = e->lost_at,
		.logged = e->before.logged,
		.log_lost = e->before.log_lost,
		.sflow_sent = e->before.sflow_sent,
		.sflow_lost = e->before.sflow_lost,
		.problem = e->problem.text,
	};
	note_log(e, ret);
	note_sflow(e, ret);
}
