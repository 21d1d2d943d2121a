/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What listed sources sent (plane/hits.h), for whoever asks.
 */
#ifndef DAEMON_HITS_H
#define DAEMON_HITS_H

#include "daemon/daemon.h"

/*
 * Puts the size that the configuration says in force: at start, before the
 * interfaces, and after a reload. What cannot be had is in
 * daemon.hits_problem; then nothing is noted, and the filter does its work.
 */
void hits_apply(struct daemon *d);

#endif
