/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/stream.h"

#include "cli/progress.h"

#define REST_MS	 PROGRESS_EVERY_MS
#define MS_PER_S 1000
#define ACCEPT	 "Accept: application/x-ndjson"

struct reader {
	struct cli *cli;
	const struct stream *stream;
	struct text line; /* what came of one */
	int code;
};

static void reader_free(struct reader *r)
{
	text_free(&r->line);
}

/* r->line is whole. */
static int take_line(struct reader *r)
{
	json_error_t error;
	json_t *event;
	int code;

	if (!r->line.size)
		return CLI_DONE;
	event = json_loadb(r->line.data, r->line.size, 0, &error);
	if (!event)
		return cli_fail(r->cli, CLI_REFUSED, "the daemon sent what is no JSON: %s",
				error.text);
	code = r->stream->line(r->stream->arg, r->line.data, event);
	json_decref(event);
	r->line.size = 0;
	return code;
}

static bool take_bytes(void *arg, const char *data, size_t size)
{
	struct reader *r = arg;

	while (size && r->code == CLI_DONE) {
		const char *end = memchr(data, '\n', size);
		size_t part = end ? (size_t)(end - data) : size;

		if (part > STREAM_LINE_MAX - r->line.size) {
			r->code = cli_fail(r->cli, CLI_REFUSED,
					   "the daemon sent a line of more than %d bytes",
					   STREAM_LINE_MAX);
			break;
		}
		text_add(&r->line, "%.*s", (int)part, data);
		if (r->line.failed)
			r->code = cli_fail(r->cli, CLI_REFUSED, "out of memory");
		else if (end)
			r->code = take_line(r);
		data += part + !!end;
		size -= part + !!end;
	}
	return r->code == CLI_DONE && r->stream->rest(r->stream->arg);
}

/* How the request ended, if not by us. */
static int ended(struct reader *r, struct live *live)
{
	_cleanup_(answer_free) struct answer answer = {};
	char why[CLIENT_WHY_MAX];
	int code = live_answer(live, 0, &answer, why);

	if (r->code != CLI_DONE)
		return r->code;
	if (code != CLI_DONE)
		return cli_fail(r->cli, code, "%s", why);
	if (!client_succeeded(r->cli, &answer, &code))
		return code;
	if (!r->stream->rest(r->stream->arg))
		return CLI_DONE;
	return cli_fail(r->cli, CLI_NO_DAEMON,
			"moatd ended the events: it was stopped or restarted; what was in force "
			"stays in force");
}

int stream_run(struct cli *cli, struct live *live, const struct stream *s)
{
	_cleanup_(reader_free) struct reader r = { .cli = cli, .stream = s };
	const struct live_options options = { .accept = ACCEPT, .take = take_bytes, .arg = &r };
	int64_t end = s->seconds ? progress_clock_ms() + s->seconds * MS_PER_S : INT64_MAX;
	unsigned int happened;
	int64_t left;

	if (!live_get(live, 0, s->path, &options))
		return cli_fail(cli, CLI_REFUSED, "out of memory");
	live_watch(live, -1, s->out);
	for (;;) {
		left = end - progress_clock_ms();
		if (left <= 0)
			return CLI_DONE;
		happened = live_wait(live, (int)(left < REST_MS ? left : REST_MS));
		if (!live_busy(live, 0))
			return ended(&r, live);
		if (happened & (LIVE_STOP | LIVE_UNREAD) || !s->rest(s->arg))
			return CLI_DONE;
	}
}
