/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/metrics_store.h"

#include <time.h>

void metrics_store_write(struct daemon *d, struct text *out)
{
	struct store *store = sync_store(d->sync);
	size_t due;

	if (store && store_review_due(store, time(NULL), &due, NULL) == 0) {
		text_metric(out, "moat_listings_review_due", "gauge",
			    "Listings in force whose review date has passed; counted to 100,000.");
		text_sample(out, "moat_listings_review_due", (double)due, NULL);
	}
}
