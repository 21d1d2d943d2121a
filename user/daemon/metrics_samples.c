/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/metrics_samples.h"

#include "daemon/samples.h"

void metrics_samples_write(struct daemon *d, struct text *out)
{
	struct samples_numbers n;

	samples_numbers(d->samples, &n);
	text_metric(out, "moat_samples_total", "counter",
		    "Samples taken of the packets that passed.");
	text_sample(out, "moat_samples_total", (double)n.taken, NULL);
	text_metric(out, "moat_samples_missed_total", "counter",
		    "Packets that were to be samples while there was no room for them.");
	text_sample(out, "moat_samples_missed_total", (double)n.missed, NULL);
	text_metric(out, "moat_samples_window", "gauge",
		    "Samples of the last minutes that the blast radius is estimated from.");
	text_sample(out, "moat_samples_window", (double)n.window, NULL);
}
