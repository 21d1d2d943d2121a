/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The prefix-to-AS tables of the configuration, opened for a list's child, and
 * whether they are others than those that a list was expanded by.
 */
#ifndef DAEMON_FEEDS_ASN_H
#define DAEMON_FEEDS_ASN_H

#include "core/config.h"
#include "daemon/feeder.h"

/* Opens them for a job; what cannot be opened is for the child to say, if the list needs it. */
void feeds_asn_open(const struct config *config, struct feeder_job *job);
void feeds_asn_close(struct feeder_job *job);

/* Of the files that a job has: another number if one was replaced or written. 0: there are none. */
uint64_t feeds_asn_stamp(const struct feeder_job *job);

#endif
