/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the two halves of fetching share. For feeder_fetch*.c only.
 */
#ifndef DAEMON_FEEDER_FETCH_PRIVATE_H
#define DAEMON_FEEDER_FETCH_PRIVATE_H

#include <curl/curl.h>

#include "daemon/feeder_fetch.h"

struct fetch {
	const struct feeder_order *order;
	int fd;			    /* input or local file, -1: by HTTP */
	bool fd_is_ours;	    /* to close */
	int64_t modified;	    /* of a local file, 0 */
	char *url;		    /* of this hop; owned */
	char *origin;		    /* of the order's url: "scheme://host:port"; owned */
	char *host;		    /* of this hop, for problems; owned */
	struct curl_slist *secrets; /* of header_file and key_file; only for the origin */
	char *body;		    /* to send by POST; owned; NULL: a list is asked for */
	void *ca;		    /* authorities instead of the system's, or NULL; owned */
	size_t ca_size;
	const struct fetch_sink *sink;
	struct feeder_end *end;
	uint64_t bytes; /* of the list */
	bool begun, enough;
};

/* Hands on bytes of the list. Non-zero: no more are wanted (f->enough), or negative with why. */
int fetch_give(struct fetch *f, const void *bytes, size_t size, bool proven, struct problem *why);

/* feeder_fetch_http.c */
int fetch_run_http(struct fetch *f, struct problem *why);

/* The scheme, host and port of a URL as one word; owned by the caller, NULL: no such URL. */
char *fetch_origin(const char *url, char **ret_host);

#endif
