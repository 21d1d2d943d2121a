/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Prefix-to-AS tables in the format MaxMind DB, by libmaxminddb: databases of
 * GeoLite2-ASN's kind (autonomous_system_number), and those that call it "asn".
 *
 * The file is not trusted: the walk visits each node of the search tree once
 * at most, and ends where that is not enough.
 */
#ifndef DAEMON_FEEDER_MMDB_H
#define DAEMON_FEEDER_MMDB_H

#include <sys/types.h>

#include "core/feed_asn.h"

/* Whether the mark of the format is in the end of a file of that size. */
bool mmdb_recognise(int fd, off_t size);

/* Adds the networks of a database to asn. fd is a file that may be opened again. */
int mmdb_read(int fd, struct feed_asn *asn, struct problem *why);

#endif
