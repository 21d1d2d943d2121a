/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/fake_feeder.h"

#include <limits.h>

struct fake_feeder fake_feeder;

struct feeder {
	struct loop *loop;
	int timer;
	int fd;
	bool fetch;
	char keep[PATH_MAX];
	struct feed_options parse;
	int (*rows)(void *arg, const struct feed_row *row, size_t count);
	void (*done)(void *arg, const struct feeder_result *result);
	void *arg;
};

static int give_row(void *arg, const struct feed_row *row)
{
	const struct feeder *f = arg;

	return f->rows(f->arg, row, 1);
}

static void parse(struct feeder *f, const char *bytes, size_t size, struct feeder_result *result)
{
	struct feed_parser *p = NULL;

	if (feed_parser_new(&f->parse, give_row, f, &p))
		return;
	feed_parser_push(p, bytes, size);
	result->ok = feed_parser_finish(p, &result->summary) == 0;
	feed_parser_free(p);
}

static void parse_file(struct feeder *f, struct feeder_result *result)
{
	char bytes[65536];
	ssize_t n = read(f->fd, bytes, sizeof(bytes));

	parse(f, bytes, n > 0 ? (size_t)n : 0, result);
}

static void keep(const struct feeder *f)
{
	_cleanup_fclose_ FILE *file = f->keep[0] ? fopen(f->keep, "we") : NULL;

	if (file)
		fputs(fake_feeder.list, file);
}

static void fetch(struct feeder *f, struct feeder_result *result)
{
	result->retry_after = fake_feeder.retry_after;
	if (fake_feeder.not_modified) {
		result->ok = result->not_modified = true;
		return;
	}
	if (!fake_feeder.list) {
		problem_set(&result->why, 0, "nobody answers");
		return;
	}
	parse(f, fake_feeder.list, strlen(fake_feeder.list), result);
	if (!result->ok || result->summary.fault)
		return;
	snprintf(result->etag, sizeof(result->etag), "%s", fake_feeder.etag ?: "");
	keep(f);
}

static struct feeder *feeder_free(struct feeder *f)
{
	loop_timer_remove(f->loop, f->timer);
	if (f->fd >= 0)
		close(f->fd);
	free(f);
	return NULL;
}

static void end(void *arg)
{
	struct feeder *f = arg;
	struct feeder_result result = {};

	if (f->fetch)
		fetch(f, &result);
	else
		parse_file(f, &result);
	f->done(f->arg, &result);
	feeder_free(f);
}

int feeder_start(struct loop *loop, const struct feeder_job *job,
		 int (*rows)(void *arg, const struct feed_row *row, size_t count),
		 void (*done)(void *arg, const struct feeder_result *result), void *arg,
		 struct feeder **ret, struct problem *why)
{
	struct feeder *f = calloc(1, sizeof(*f));

	if (!f)
		return problem_set(why, -ENOMEM, "out of memory");
	*f = (struct feeder){ .loop = loop,
			      .fd = job->url ? -1 : job->fd,
			      .fetch = job->url,
			      .parse = job->parse,
			      .rows = rows,
			      .done = done,
			      .arg = arg };
	snprintf(f->keep, sizeof(f->keep), "%s", job->keep ?: "");
	fake_feeder.fetches += f->fetch;
	fake_feeder.files += !f->fetch;
	if (f->fetch) {
		snprintf(fake_feeder.url, sizeof(fake_feeder.url), "%s", job->url);
		snprintf(fake_feeder.if_none_match, sizeof(fake_feeder.if_none_match), "%s",
			 job->etag ?: "");
	}
	if (!fake_feeder.hold)
		f->timer = loop_timer(loop, 1, 0, end, f);
	*ret = f;
	return 0;
}

struct feeder *feeder_cancel(struct feeder *f)
{
	if (!f)
		return NULL;
	fake_feeder.cancelled++;
	return feeder_free(f);
}
