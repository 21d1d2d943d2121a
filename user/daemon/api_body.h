/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bodies that are read as they come: rows of listings, of keys to be ended,
 * and of reports. For the table of routes and the handlers behind it.
 */
#ifndef DAEMON_API_BODY_H
#define DAEMON_API_BODY_H

#include "daemon/api_rows.h"
#include "daemon/http_reply.h"
#include "daemon/http_request.h"

extern const struct http_sink api_body_listings, api_body_keys, api_body_reports;

/*
 * The rows of a body that is whole, which belong to the request. NULL: reply
 * says what is wrong with them.
 */
struct rows *api_body_rows(const struct http_request *rq, struct http_reply *reply);

/* Whether a body has a media type that such a route takes. False: reply says which there are. */
bool api_body_type_fits(const struct http_request *rq, bool rows, struct http_reply *reply);

#endif
