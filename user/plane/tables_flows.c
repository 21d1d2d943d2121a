/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of flows opened from here, and which local ports open one.
 */
#include <bpf/bpf.h>

#include "plane/kernel.h"
#include "plane/tables_map.h"

int tables_set_flows(struct tables *t, uint32_t flows, const struct moat_ports *clients,
		     struct problem *why)
{
	uint32_t zero = 0;
	int r = bpf_map_update_elem(t->fd[SHARED_CLIENTS], &zero, clients, BPF_ANY);

	if (r)
		return kernel_error(why, r, "BPF map '%s': cannot be written", MOAT_MAP_CLIENTS);
	return tables_set_slot(t, SLOT_FLOWS, flows, why);
}

uint32_t tables_flows(const struct tables *t)
{
	return t->slot[SLOT_FLOWS].room;
}
