/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fetches and parses one feed in a child without rights.
 *
 * The child has no capabilities, another user where that is possible, no new
 * privileges, bounded memory, CPU time and file size, and a seccomp filter; it
 * fetches (libcurl) or reads what it was handed, parses (core/feed.h) and
 * writes rows of fixed size to a pipe. It may crash, hang or lie: what comes
 * out of the pipe is checked row by row, a deadline ends it, and a job without
 * an honest end is a failed job.
 *
 * Who uses it: the daemon's feeds, on the loop; several jobs may run at once.
 */
#ifndef DAEMON_FEEDER_H
#define DAEMON_FEEDER_H

#include "core/feed.h"
#include "core/problem.h"
#include "daemon/loop.h"

#define FEEDER_DEADLINE_MS (10 * 60 * 1000)
#define FEEDER_TAG_MAX	   256
#define FEEDER_BODY_MAX	   65536 /* bytes of what is sent */

/* What to do. Strings are copied. */
struct feeder_job {
	const char *url; /* https, http, file; NULL: read fd */
	int fd; /* taken over when url is NULL, also if the start fails; e.g. a sealed memfd; else -1 */
	const char *keep; /* file that gets the bytes of a good fetch (atomically), or NULL */
	const char *header_file; /* file with one "Name: value" a line, for secrets; NULL: none */
	const char *key_file;	 /* file with the key of a LAPI and nothing else; NULL: none */
	const char *body; /* JSON to send there by POST, with a NUL; NULL: a list is asked for */
	const char *etag,
		*last_modified; /* of the last good fetch, for a conditional request; NULL */
	int64_t deadline_ms;	/* 0: FEEDER_DEADLINE_MS */
	struct feed_options parse;
};

struct feeder_result {
	bool ok; /* the job came to its honest end: summary is valid, or the body was taken */
	bool not_modified;   /* 304: nothing was parsed, the last good fetch is fresh again */
	int http_status;     /* 0: not http */
	int64_t retry_after; /* seconds the server asked for, 0: it did not */
	int64_t modified;    /* Last-Modified as unix seconds, 0 */
	char etag[FEEDER_TAG_MAX], last_modified[FEEDER_TAG_MAX]; /* of a good list only */
	struct feed_summary summary;
	struct problem why; /* if not ok, or of summary.fault: what and what to do; no secrets */
};

struct feeder;

/*
 * Starts a job. rows() gets batches as they come (return non-zero to cancel),
 * done() exactly once, at the end; the feeder is gone after done(). Both may
 * call feeder_cancel(). main() must know the child: see feeder_child.h.
 */
int feeder_start(struct loop *loop, const struct feeder_job *job,
		 int (*rows)(void *arg, const struct feed_row *row, size_t count),
		 void (*done)(void *arg, const struct feeder_result *result), void *arg,
		 struct feeder **ret, struct problem *why);

/* Ends the child; done() is not called. */
struct feeder *feeder_cancel(struct feeder *f);

#endif
