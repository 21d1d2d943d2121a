/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Takes out of a server's words what it was asked with: some repeat the key or
 * the address of a request in the page that they answer with.
 *
 * Who uses it: the child, on every text of its end that may quote a server.
 */
#ifndef DAEMON_FEEDER_HIDE_H
#define DAEMON_FEEDER_HIDE_H

#include "daemon/feeder_fetch.h"

#define HIDE_LEAST 6 /* bytes: what is shorter is found in any text, and no secret */

/*
 * Writes stars over the words of the job's headers, of its key, and of user
 * and query of its url, also where a text was cut inside of one. What a server
 * writes in another way (base64, entities) is not found.
 */
void fetch_hide(const struct fetch *f, char *text);

#endif
