/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every handler that reads or writes the database begins and ends with.
 */
#ifndef DAEMON_API_STORE_H
#define DAEMON_API_STORE_H

#include "daemon/api.h"

/* The database, or NULL: reply says why it cannot be used and what to do. */
struct store *api_store(struct daemon *d, bool to_write, struct http_reply *reply);

/* Brings what was written into force. False: reply says that it is not, yet. */
bool api_follow(struct daemon *d, struct http_reply *reply);

/* A whole number from 1 to max of the query, preset if not given. False: reply says why not. */
bool api_limit(const struct http_request *rq, size_t preset, size_t max, size_t *ret,
	       struct http_reply *reply);

#endif
