/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The metrics of the samples, written into an exposition that was begun.
 */
#ifndef DAEMON_METRICS_SAMPLES_H
#define DAEMON_METRICS_SAMPLES_H

#include "core/text.h"
#include "daemon/daemon.h"

void metrics_samples_write(struct daemon *d, struct text *out);

#endif
