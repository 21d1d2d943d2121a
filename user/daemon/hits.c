/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/hits.h"

#include "core/log.h"
#include "plane/hits.h"

void hits_apply(struct daemon *d)
{
	struct problem why = {};

	tables_set_hits(d->tables, d->config->hits, &why);
	if (*why.text && strcmp(why.text, d->hits_problem) != 0)
		log_warning("hits: %s", why.text);
	snprintf(d->hits_problem, sizeof(d->hits_problem), "%s", why.text);
}
