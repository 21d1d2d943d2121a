/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hits of a source as the API shows them, for every handler that does.
 */
#ifndef DAEMON_API_HITS_H
#define DAEMON_API_HITS_H

#include "core/emit.h"
#include "moat/hits.h"

/*
 * Members of the object that is open: hits, hits_exact, bytes, first_seen,
 * last_seen. NULL: there are none of this source; times are null then.
 */
void hits_emit(struct emit *e, const struct moat_hit *hit);

#endif
