/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guard of the blast radius, for listings that are added many at once.
 */
#ifndef DAEMON_API_RADIUS_H
#define DAEMON_API_RADIUS_H

#include "core/radius.h"
#include "daemon/daemon.h"
#include "daemon/http_reply.h"

/*
 * Whether count rows may be added: few may always, many only if they would not
 * hit more of what passes now than radius_budget, or with force. False: reply
 * says why not.
 */
bool api_within_radius(struct daemon *d, const struct listing_input *row, size_t count, bool force,
		       struct http_reply *reply);

/* Whom the rows would have hit of those that passed. 0 or -ENOMEM. */
int api_radius(struct daemon *d, const struct listing_input *row, size_t count,
	       struct radius_estimate *ret);

#endif
