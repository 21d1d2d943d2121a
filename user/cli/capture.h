/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A capture file under way: packets of the daemon as pcapng, on a file, a pipe
 * or standard output, whole at any moment between two flushes.
 */
#ifndef CLI_CAPTURE_H
#define CLI_CAPTURE_H

#include "cli/sighting.h"
#include "cli/live.h"

#define CAPTURE_INTERFACES 256 /* that one file can name */

struct capture;

/* fd and live stay the caller's. NULL: out of memory. */
struct capture *capture_new(int fd, const struct live *live);
struct capture *capture_free(struct capture *c);
DEFINE_CLEANUP(struct capture, capture_free)

/* All return 0 or negative errno, which may be that of bytes that were added before. */

/* What the file is; then every interface that is known already. */
int capture_start(struct capture *c, int64_t now_ns);
int capture_interface(struct capture *c, const char *name);
/* An interface that was not named is named before the packet. */
int capture_packet(struct capture *c, const struct sighting *event);
/* So many packets are missing before the next one. */
void capture_lost(struct capture *c, uint64_t count);
/* Everything so far is on its way. */
int capture_flush(struct capture *c);
/* How many there are, and how many are missing, for each interface. */
int capture_finish(struct capture *c, int64_t now_ns);

uint64_t capture_packets(const struct capture *c);
uint64_t capture_missing(const struct capture *c);
uint64_t capture_size(const struct capture *c); /* bytes */

#endif
