/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests of a verb that lives on: several at a time, while keys, signals and
 * whether anybody reads the output are watched.
 *
 *	live_new(cli, LIVE_SIGNALS, &live);
 *	live_get(live, 0, path, &options);
 *	for (;;) {
 *		happened = live_wait(live, 500);
 *		if (happened & LIVE_ENDED)
 *			code = live_answer(live, 0, &answer, why);
 *		...
 *	}
 *
 * Signals are taken from the process while there is a struct live, and given
 * back by live_free(); SIGPIPE is ignored meanwhile. One at a time.
 */
#ifndef CLI_LIVE_H
#define CLI_LIVE_H

#include "cli/client.h"
#include "cli/client_curl.h"

#define LIVE_REQUESTS 4

struct live;

/* Which signals: those that end a process, and the terminal's new size. */
/* clang-format off */
enum { LIVE_NO_SIGNALS = 0, LIVE_SIGNALS = 1, LIVE_RESIZE = 2 };
/* clang-format on */

int live_new(struct cli *cli, unsigned int signals, struct live **ret); /* an exit code */
struct live *live_free(struct live *l);
DEFINE_CLEANUP(struct live, live_free)

/* Bytes of a successful answer as they come. False: enough, the request ends. */
typedef bool (*live_take_fn)(void *arg, const char *data, size_t size);

struct live_options {
	const char *accept; /* a header line "Accept: ...", or NULL */
	long timeout_ms;    /* for all of it; 0: without end */
	live_take_fn take;  /* NULL: it is kept for live_answer() */
	void *arg;
};

/* Begins request number slot, which is not under way. False: out of memory. */
bool live_get(struct live *l, unsigned int slot, const char *path, const struct live_options *o);
bool live_busy(const struct live *l, unsigned int slot);

/* clang-format off */
enum {
	LIVE_ENDED   = 1,  /* a request; see live_busy() */
	LIVE_KEY     = 2,  /* standard input has something */
	LIVE_STOP    = 4,  /* a signal that ends a process */
	LIVE_RESIZED = 8,  /* the terminal */
	LIVE_UNREAD  = 16, /* nobody reads the output any more */
};
/* clang-format on */

/* Also look at: keys on a terminal (-1: no), and who reads out (-1: do not). */
void live_watch(struct live *l, int keys, int out);
/* Until something happens, timeout_ms at most; bits of above, 0: nothing. */
unsigned int live_wait(struct live *l, int timeout_ms);

/*
 * What came of a request that is not under way any more. CLI_DONE: there is an
 * answer, of whatever status; ret is the caller's. CLI_NO_DAEMON: why.
 */
int live_answer(struct live *l, unsigned int slot, struct answer *ret,
		char why[static CLIENT_WHY_MAX]);

/*
 * Writes all of it, unless a signal comes while nobody takes it: 0,
 * -EINTR (then live_wait() tells of the signal), -EPIPE, or another error.
 */
int live_write(const struct live *l, int fd, const void *bytes, size_t size);

#endif
