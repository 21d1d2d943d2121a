/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows on their way through the gate into the database and into force, for
 * every handler that adds listings.
 */
#ifndef DAEMON_API_ADD_H
#define DAEMON_API_ADD_H

#include "daemon/api.h"
#include "daemon/api_rows.h"

struct add_how {
	bool skip;	   /* what is refused is left out instead of failing the rest */
	bool force;	   /* guards that may be overruled are */
	bool dry_run;	   /* nothing is written */
	bool refused_only; /* the answer names what is refused, not all */
};

/*
 * Adds the rows and answers. *ret_added are those that passed the gate; -1: none
 * was written, and reply says why not.
 */
void api_add_rows(struct daemon *d, const struct http_request *rq, struct rows *rows,
		  const struct add_how *how, struct http_reply *reply, ssize_t *ret_added);

#endif
