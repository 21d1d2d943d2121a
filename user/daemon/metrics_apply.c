/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/metrics_apply.h"

#include "daemon/apply.h"
#include "daemon/trial.h"

static void write_trial(void *arg, const char *iface, int64_t left)
{
	text_sample(arg, "moat_attach_rollback_seconds", (double)left, "iface", iface, NULL);
}

void metrics_apply_write(struct daemon *d, struct text *out)
{
	struct apply_view view;

	apply_view(d->apply, &view);
	text_metric(out, "moat_config_unconfirmed", "gauge",
		    "1 while a configuration is in force that is rolled back unless confirmed.");
	text_sample(out, "moat_config_unconfirmed", view.waiting, NULL);
	text_metric(out, "moat_config_rollback_seconds", "gauge",
		    "Seconds until it is rolled back; 0 without one.");
	text_sample(out, "moat_config_rollback_seconds", (double)view.seconds_left, NULL);
	text_metric(out, "moat_config_changes_total", "counter",
		    "Configurations applied, confirmed and rolled back since start.");
	text_sample(out, "moat_config_changes_total", (double)view.applied, "op", "apply", NULL);
	text_sample(out, "moat_config_changes_total", (double)view.confirmed, "op", "confirm",
		    NULL);
	text_sample(out, "moat_config_changes_total", (double)view.rolled_back, "op", "rollback",
		    NULL);
	text_metric(out, "moat_attach_rollback_seconds", "gauge",
		    "Seconds until the filter comes off an interface unless that is confirmed.");
	trials_each(d->trials, write_trial, out);
}
