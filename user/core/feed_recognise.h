/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a file is, by its first bytes.
 *
 * Also where files that are no list at all are told apart: error pages and
 * messages that came with status 200 and were kept as content.
 */
#ifndef CORE_FEED_RECOGNISE_H
#define CORE_FEED_RECOGNISE_H

#include "core/feed_private.h"

/*
 * p->head holds the first bytes, all there are if ended. Sets p->format and
 * p->reader, or a fault.
 */
void feed_recognise(struct feed_parser *p, bool ended);

#endif
