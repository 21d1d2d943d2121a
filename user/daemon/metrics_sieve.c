/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/metrics_sieve.h"

size_t metrics_sieve_maps(const struct tables_sieve_state *state,
			  struct map_fill ret[static METRICS_SIEVE_MAPS])
{
	const struct sieve_numbers *n = &state->numbers;

	if (!state->on)
		return 0;
	ret[0] = (struct map_fill){ MOAT_MAP_HOSTS4, n->hosts, n->host_slots };
	ret[1] = (struct map_fill){ MOAT_MAP_NODES4, n->nodes, n->node_room };
	ret[2] = (struct map_fill){ MOAT_MAP_BUCKETS6, n->sources6, n->slots6 };
	return METRICS_SIEVE_MAPS;
}

void metrics_sieve_write(const struct tables_sieve_state *state, struct text *out)
{
	const struct sieve_numbers *n = &state->numbers;

	text_metric(out, "moat_sieve_enabled", "gauge",
		    "1 if lookups ask the sieve first, 0 if they go by the hash maps alone.");
	text_sample(out, "moat_sieve_enabled", state->on, NULL);
	text_metric(out, "moat_sieve_memory_bytes", "gauge", "Kernel memory that the sieve takes.");
	text_sample(out, "moat_sieve_memory_bytes", (double)state->memory, NULL);
	text_metric(out, "moat_sieve_asked", "gauge",
		    "Sources without room in the sieve: the hash maps answer for them.");
	text_sample(out, "moat_sieve_asked", (double)n->asked, NULL);
	text_metric(out, "moat_sieve_resizing", "gauge", "1 while the sieve grows or shrinks.");
	text_sample(out, "moat_sieve_resizing", n->resizing, NULL);
	text_metric(out, "moat_sieve_resizes_total", "counter",
		    "Times that the sieve has grown or shrunk.");
	text_sample(out, "moat_sieve_resizes_total", (double)n->resizes, NULL);
}
