/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replies: pass. Makes the place where flows opened from here are noted, or
 * takes it away. The programs of the interfaces are ifaces' business.
 */
#ifndef DAEMON_REPLIES_H
#define DAEMON_REPLIES_H

#include "daemon/daemon.h"

/*
 * Puts what the configuration says in force: at start, before the interfaces,
 * and after a reload. What cannot be had is in daemon.replies_problem, and the
 * replies it concerns are judged like any packet.
 */
void replies_apply(struct daemon *d);

#endif
