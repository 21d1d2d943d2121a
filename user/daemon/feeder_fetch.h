/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes of a feed from where it lies: a descriptor, a file, a server.
 *
 * fetch_prepare() opens and reads what needs the rights of the daemon: the
 * local file, the secrets, the authorities. fetch_run() needs none of them.
 * Whatever is said in a problem names the host at most, for a URL and the
 * headers may hold secrets.
 */
#ifndef DAEMON_FEEDER_FETCH_H
#define DAEMON_FEEDER_FETCH_H

#include "daemon/feeder_wire.h"

#define FETCH_REDIRECTS	    5
#define FETCH_CONNECT_MS    30000
#define FETCH_SLOW_SECONDS  120 /* below FETCH_SLOW_BYTES a second for so long: given up */
#define FETCH_SLOW_BYTES    10
#define FETCH_ERROR_MAX	    65536 /* bytes read of the body of an answer that is no list */
#define FETCH_HEADERS	    32	  /* of header_file */
#define FETCH_HEADERS_BYTES 16384
#define FETCH_KEY_MAX	    512 /* of a key file */
#define FETCH_CA_BYTES	    (8 << 20)

struct fetch;

int fetch_prepare(const struct feeder_order *order, struct fetch **ret, struct problem *why);
struct fetch *fetch_free(struct fetch *f);
DEFINE_CLEANUP(struct fetch, fetch_free)

struct fetch_sink {
	/* Before the first bytes. proven: a cut transfer would be noticed. */
	int (*begin)(void *arg, bool proven);
	/* Non-zero: no more is wanted, which is no failure of the fetch. */
	int (*bytes)(void *arg, const void *bytes, size_t size);
	void *arg;
};

/* Fills the parts of ret about the transfer. Negative with why, or 0, also if sink had enough. */
int fetch_run(struct fetch *f, const struct fetch_sink *sink, struct feeder_end *ret,
	      struct problem *why);

#endif
