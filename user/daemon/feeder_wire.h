/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the feeder and its child say to each other. For feeder*.c and tests.
 *
 * The child is the same program, run again with FEEDER_CHILD as its only
 * argument, so both sides agree on every layout below. It finds:
 *
 *	fd 0	struct feeder_order, in a memfd
 *	fd 1	a pipe that takes frames
 *	fd 2	/dev/null
 *	fd 3	what to read, if order.input; what to send, if order.post
 *	fd 4	where the fetched bytes are kept, if order.keep
 *
 * and writes frames of FEEDER_ROWS, then one of FEEDER_END, then exits with 0.
 * The child is not trusted: feeder_check_*() look at all of a frame before
 * anybody else does.
 */
#ifndef DAEMON_FEEDER_WIRE_H
#define DAEMON_FEEDER_WIRE_H

#include <limits.h>

#include "daemon/feeder.h"

#define FEEDER_CHILD "--feeder-child"

#define FEEDER_URL_MAX	 4096
#define FEEDER_TYPES_MAX 256

enum feeder_fd {
	FEEDER_FD_ORDER,
	FEEDER_FD_OUT,
	FEEDER_FD_NULL,
	FEEDER_FD_INPUT,
	FEEDER_FD_KEEP,
	FEEDER_FD_MAX,
};

#define FEEDER_ORDER_MAGIC 0x6d6f6174 /* in order, with the size of the structs behind it */

struct feeder_order {
	uint32_t magic;
	uint32_t size; /* of this struct and of struct feeder_end, added */
	int32_t parent;
	bool input, keep, post;
	int64_t deadline_ms;	  /* from the start of the job ... */
	int64_t started_ms;	  /* ... by CLOCK_MONOTONIC */
	char url[FEEDER_URL_MAX]; /* "": input */
	char header_file[PATH_MAX], key_file[PATH_MAX];
	char etag[FEEDER_TAG_MAX], last_modified[FEEDER_TAG_MAX];
	char types[FEEDER_TYPES_MAX];
	struct feed_options parse; /* types is set by the child */
};

#define FEEDER_FRAME_MAGIC 0x6665    /* in order of bytes of the host, as all here */
#define FEEDER_BATCH	   256	     /* rows of a frame at most */
#define FEEDER_ROWS_MAX	   20000000U /* rows of a job at most */

enum feeder_frame_kind { FEEDER_ROWS = 1, FEEDER_END };

struct feeder_frame {
	uint16_t magic;
	uint16_t kind;
	uint32_t count; /* rows behind it; FEEDER_END: 1 */
};

/* struct feeder_result as it goes through the pipe. */
struct feeder_end {
	uint8_t ok, not_modified;
	uint8_t kept; /* all bytes were written to FEEDER_FD_KEEP */
	uint8_t reserved;
	int32_t http_status;
	int64_t retry_after, modified;
	char etag[FEEDER_TAG_MAX], last_modified[FEEDER_TAG_MAX];
	struct feed_summary summary;
	char why[PROBLEM_MAX];
};

#define FEEDER_FRAME_MAX (sizeof(struct feeder_frame) + FEEDER_BATCH * sizeof(struct feed_row))
_Static_assert(sizeof(struct feeder_end) <= FEEDER_BATCH * sizeof(struct feed_row), "fits a frame");

/* Bytes behind a frame's head, 0 if the head is a lie. */
size_t feeder_check_frame(const struct feeder_frame *frame);

/* What is wrong with a row, NULL: nothing. */
const char *feeder_check_row(const struct feed_row *row);

/* What is wrong with the end after so many rows, NULL: nothing. */
const char *feeder_check_end(const struct feeder_end *end, uint64_t rows);

#endif
