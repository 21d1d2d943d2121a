/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * GET /api/v1/events: what happens, as it happens, as server-sent events or as
 * JSON lines.
 */
#include <microhttpd.h>

#include "core/units.h"
#include "daemon/api.h"
#include "daemon/events.h"
#include "daemon/http_stream.h"
#include "daemon/labels.h"
#include "daemon/topics.h"

#define PACKETS	 "packets"
#define WORD_MAX 64
#define LIST_MAX 512 /* of a parameter that takes several words */

#define PACKET_HEAD "event: packet\ndata: "
#define PACKET_TAIL "\n\n"

/* One client. */
struct tap {
	struct daemon *d;
	struct http_stream *stream;
	struct events_reader *reader; /* NULL: topics alone */
	bool lines, bytes;
};

/* ---- to the client ---- */

static bool take(void *arg, const struct event *event)
{
	char text[sizeof(PACKET_HEAD) + EVENT_JSON_MAX + sizeof(PACKET_TAIL)];
	struct tap *tap = arg;
	size_t size, at = 0;
	const char *json = events_json(tap->d->events, event, tap->bytes, &size);

	if (!tap->lines) {
		memcpy(text, PACKET_HEAD, sizeof(PACKET_HEAD) - 1);
		at = sizeof(PACKET_HEAD) - 1;
	}
	memcpy(text + at, json, size);
	at += size;
	memcpy(text + at, PACKET_TAIL, sizeof(PACKET_TAIL) - 1);
	at += tap->lines ? 1 : sizeof(PACKET_TAIL) - 1;
	return http_stream_add(tap->stream, text, at);
}

static void tell(void *arg, const struct events_told *told)
{
	_cleanup_(text_free) struct text text = {};
	struct emit e = { .out = &text };
	struct tap *tap = arg;

	text_add(&text, tap->lines ? "{\"lost\":" : "event: lost\ndata: ");
	emit_begin(&e, NULL, '{');
	emit_whole(&e, "delivered", (int64_t)told->delivered);
	emit_whole(&e, "filtered", (int64_t)told->filtered);
	emit_whole(&e, "lost", (int64_t)told->lost);
	emit_whole(&e, "suppressed", (int64_t)told->suppressed);
	emit_whole(&e, "limited", (int64_t)told->limited);
	emit_whole(&e, "slow", (int64_t)told->slow);
	emit_end(&e, '}');
	text_add(&text, tap->lines ? "}\n" : "\n\n");
	if (!text.failed) /* no room: the next one says it, for the counts are of ever */
		http_stream_add(tap->stream, text.data, text.size);
}

static void closed(void *arg)
{
	struct tap *tap = arg;

	events_leave(tap->d->events, tap->reader);
	topics_leave(tap->d->topics, tap->stream);
	free(tap);
}

/* ---- what the client asks for ---- */

/* Calls fn for each word of a list with commas; false as soon as fn says so. */
static bool each_word(const char *list, bool (*fn)(void *arg, const char *word), void *arg)
{
	char word[WORD_MAX];

	for (;;) {
		size_t size = strcspn(list, ",");

		snprintf(word, sizeof(word), "%.*s", (int)size, list);
		if (size >= sizeof(word) || !fn(arg, word))
			return false;
		if (!list[size])
			return true;
		list += size + 1;
	}
}

struct bits {
	const char *(*label)(uint32_t number); /* NULL: names */
	const struct categories *names;
	uint32_t count;
	uint64_t *set;
};

static const char *bit_name(const struct bits *bits, uint32_t number)
{
	return bits->label ? bits->label(number) : bits->names->name[number];
}

static bool add_bit(void *arg, const char *word)
{
	const struct bits *bits = arg;

	for (uint32_t i = 0; i < bits->count; i++) {
		if (*word && !strcmp(bit_name(bits, i), word)) {
			*bits->set |= 1ULL << i;
			return true;
		}
	}
	return false;
}

static bool read_bits(const struct http_request *rq, const char *key, struct bits *bits,
		      struct http_reply *reply)
{
	_cleanup_(text_free) struct text known = {};
	const char *list = http_query(rq, key);

	if (!list || (strlen(list) < LIST_MAX && each_word(list, add_bit, bits)))
		return true;
	for (uint32_t i = 0; i < bits->count; i++)
		if (*bit_name(bits, i))
			text_add(&known, "%s%s", known.size ? ", " : "", bit_name(bits, i));
	http_reply_problem(reply, MHD_HTTP_BAD_REQUEST, NULL,
			   "%s='%.80s': expected words with commas between, of %s", key, list,
			   known.failed || !known.data ? "none" : known.data);
	return false;
}

/* Reasons that packets pass with: who asks for one of them wants what passes. */
static uint64_t passing_reasons(void)
{
	uint64_t set = 1ULL << MOAT_CLEAN;

#define X(name, verdict, label, text)                                                              \
	if (MOAT_VERDICT_##verdict == MOAT_VERDICT_PASS)                                           \
		set |= 1ULL << MOAT_##name;
	MOAT_REASONS_POLICY(X)
	MOAT_REASONS_PLAIN(X)
#undef X
	return set;
}

static bool read_source(const struct http_request *rq, struct events_filter *f,
			struct http_reply *reply)
{
	const char *text = http_query(rq, "source");

	if (!text)
		return true;
	f->has_source = !prefix_parse(text, &f->source);
	if (!f->has_source)
		http_reply_problem(reply, MHD_HTTP_BAD_REQUEST, NULL,
				   "source='%.80s': an address or a prefix is expected", text);
	return f->has_source;
}

static bool read_rate(const struct http_request *rq, struct events_filter *f,
		      struct http_reply *reply)
{
	const char *text = http_query(rq, "rate");
	uint64_t rate;

	if (!text)
		return true;
	if (units_number(text, &rate) || !rate || rate > CONFIG_EVENTS_RATE_MAX) {
		http_reply_problem(reply, MHD_HTTP_BAD_REQUEST, NULL,
				   "rate='%.80s': events a second are expected, 1 to %d", text,
				   CONFIG_EVENTS_RATE_MAX);
		return false;
	}
	f->rate = (uint32_t)rate;
	return true;
}

static bool read_iface(const struct http_request *rq, struct events_filter *f,
		       struct http_reply *reply)
{
	const char *text = http_query(rq, "iface");

	if (!text)
		return true;
	if (!*text || strlen(text) >= sizeof(f->iface)) {
		http_reply_problem(reply, MHD_HTTP_BAD_REQUEST, NULL,
				   "iface='%.80s': the name of an interface is expected", text);
		return false;
	}
	memcpy(f->iface, text, strlen(text));
	return true;
}

static bool read_filter(struct daemon *d, const struct http_request *rq, struct events_filter *f,
			struct http_reply *reply)
{
	struct bits verdicts = { .label = label_verdict,
				 .count = MOAT_VERDICT_MAX,
				 .set = &f->verdicts };
	struct bits reasons = { .label = label_reason,
				.count = MOAT_REASON_MAX,
				.set = &f->reasons };
	struct bits categories = { .names = sync_categories(d->sync),
				   .count = MOAT_CATEGORIES,
				   .set = &f->categories };

	if (!read_bits(rq, "verdict", &verdicts, reply) ||
	    !read_bits(rq, "reason", &reasons, reply) ||
	    !read_bits(rq, "category", &categories, reply) || !read_source(rq, f, reply) ||
	    !read_iface(rq, f, reply) || !read_rate(rq, f, reply) ||
	    !api_flag(rq, "passes", &f->passes, reply))
		return false;
	if (f->verdicts & 1ULL << MOAT_VERDICT_PASS || f->reasons & passing_reasons())
		f->passes = true;
	return true;
}

static bool read_format(const struct http_request *rq, bool *ret_lines, struct http_reply *reply)
{
	const char *format = http_query(rq, "format");
	const char *accept = http_header(rq, MHD_HTTP_HEADER_ACCEPT);

	*ret_lines = !format && accept && strstr(accept, HTTP_JSON_LINES);
	if (!format || !strcmp(format, "sse"))
		return true;
	*ret_lines = !strcmp(format, "ndjson");
	if (!*ret_lines)
		http_reply_problem(reply, MHD_HTTP_BAD_REQUEST, NULL,
				   "format='%.80s': sse or ndjson is expected", format);
	return *ret_lines;
}

struct wanted {
	bool packets;
	bool topic[TOPICS_MAX];
};

static bool add_topic(void *arg, const char *word)
{
	struct wanted *wanted = arg;
	int topic = topics_find(word);

	if (!strcmp(word, PACKETS))
		wanted->packets = true;
	else if (topic >= 0)
		wanted->topic[topic] = true;
	return topic >= 0 || !strcmp(word, PACKETS);
}

static bool read_topics(const struct http_request *rq, struct wanted *ret, struct http_reply *reply)
{
	const char *list = http_query(rq, "topic");

	if (each_word(list ?: PACKETS, add_topic, ret))
		return true;
	http_reply_problem(reply, MHD_HTTP_BAD_REQUEST, NULL,
			   "topic='%.80s': expected words with commas between, of " PACKETS
#define X(name, label) ", " label
				   TOPICS(X)
#undef X
					   ,
			   list);
	return false;
}

/* ---- the stream ---- */

static int start(struct tap *tap, const struct wanted *wanted, const struct events_filter *f,
		 struct problem *why)
{
	const struct events_reader_kind kind = {
		.filter = *f, .take = take, .tell = tell, .arg = tap
	};
	int r = 0;

	for (enum topic topic = 0; topic < TOPICS_MAX; topic++)
		if (wanted->topic[topic] &&
		    topics_join(tap->d->topics, topic, tap->stream, tap->lines))
			return problem_set(why, -EBUSY, "too many listen already");
	if (wanted->packets)
		r = events_join(tap->d->events, &kind, &tap->reader, why);
	return r;
}

void api_events(struct daemon *d, const struct http_request *rq, struct http_reply *reply)
{
	struct http_stream_kind kind = { .room = HTTP_STREAM_ROOM, .closed = closed };
	struct events_filter filter = {};
	struct wanted wanted = {};
	struct problem why = {};
	struct tap asked = { .d = d }, *tap;
	int r;

	if (!read_topics(rq, &wanted, reply) || !read_filter(d, rq, &filter, reply) ||
	    !read_format(rq, &asked.lines, reply) || !api_flag(rq, "bytes", &asked.bytes, reply))
		return;
	kind.type = asked.lines ? HTTP_JSON_LINES : HTTP_EVENT_STREAM;
	kind.heartbeat = asked.lines ? "\n" : ":\n\n";
	reply->type = kind.type;
	if (!strcmp(rq->method, MHD_HTTP_METHOD_HEAD))
		return;
	tap = calloc(1, sizeof(*tap));
	if (!tap) {
		http_reply_error(reply, -ENOMEM, &why);
		return;
	}
	*tap = asked;
	kind.arg = tap;
	tap->stream = http_stream_new(d->streams, &kind, reply);
	if (!tap->stream) {
		free(tap);
		return;
	}
	if (!tap->lines)
		http_stream_add(tap->stream, kind.heartbeat, strlen(kind.heartbeat));
	r = start(tap, &wanted, &filter, &why);
	if (r)
		http_reply_error(reply, r, &why); /* ends the stream, and with it the tap */
}
