/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a client says in its headers about the answer it wants: a media type,
 * and only if something changed, or did not (RFC 9110, chapters 12 and 13).
 */
#ifndef DAEMON_API_NEGOTIATE_H
#define DAEMON_API_NEGOTIATE_H

#include "daemon/http_reply.h"
#include "daemon/http_request.h"

/* Whether the client takes the media type ("application/json"); who says nothing takes all. */
bool api_accepts(const char *accept, const char *type);

/* Sets reply->etag to one that is of this body and no other. */
void api_etag_of_body(struct http_reply *reply);

/* Whether a header If-Match or If-None-Match names the tag: a list of tags, or "*". */
bool api_etag_named(const char *header, const char *etag);

/*
 * An answer to GET or HEAD that has an etag says so, and becomes 304 if the
 * client has it already, 412 if it wants another one.
 */
void api_conditions(const struct http_request *rq, struct http_reply *reply);

#endif
