/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves every few seconds that the loaded program judges as the model says:
 * a packet of a reserved documentation address, which is always listed, must
 * be dropped, and the attachments must be what was attached.
 *
 * The packets go through the probe instance: the same instructions on the same
 * maps as on the wire, with counters of its own, so that the counters of the
 * interfaces stay what was seen on the wire.
 */
#ifndef DAEMON_SELFTEST_H
#define DAEMON_SELFTEST_H

#include "core/prefix.h"
#include "daemon/daemon.h"

#define SELFTEST_PERIOD_MS 3000

/* The source that is listed for the test: RFC 5737, RFC 3849. */
struct prefix selftest_source(uint8_t family);

/* Runs it and sets d->selftest_ok and d->selftest_problem. */
void selftest_run(struct daemon *d);

#endif
