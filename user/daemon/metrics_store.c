/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/metrics_store.h"

#include <time.h>

#include "daemon/audit_chain.h"

static void write_audit(struct daemon *d, struct text *out)
{
	struct audit_view view;

	audit_chain_view(d->audit, &view);
	if (!view.known)
		return;
	text_metric(out, "moat_audit_entries", "gauge", "Entries of the audit log.");
	text_sample(out, "moat_audit_entries", (double)view.entries, NULL);
	text_metric(out, "moat_audit_sealed", "gauge",
		    "Entries of the audit log up to the last one that is sealed.");
	text_sample(out, "moat_audit_sealed", (double)view.sealed, NULL);
	text_metric(out, "moat_audit_whole", "gauge",
		    "1 while nothing is known to be wrong with the chain of the audit log.");
	text_sample(out, "moat_audit_whole", !*view.broken, NULL);
}

void metrics_store_write(struct daemon *d, struct text *out)
{
	struct store *store = sync_store(d->sync);
	size_t due;

	if (store && store_review_due(store, time(NULL), &due, NULL) == 0) {
		text_metric(out, "moat_listings_review_due", "gauge",
			    "Listings in force whose review date has passed; counted to 100,000.");
		text_sample(out, "moat_listings_review_due", (double)due, NULL);
	}
	write_audit(d, out);
}
