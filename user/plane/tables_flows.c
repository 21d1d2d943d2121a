/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of flows opened from here: made, adopted, put in its slot.
 */
#include <bpf/bpf.h>

#include "plane/bpffs.h"
#include "plane/kernel.h"
#include "plane/tables_map.h"

static const uint32_t zero;

/* Whether the programs find this table already. The slot tells the id of what is in it. */
static bool is_in_slot(const struct tables *t, int flows)
{
	struct bpf_map_info info;
	uint32_t id = 0;

	return !bpf_map_lookup_elem(t->fd[SHARED_SLOT], &zero, &id) &&
	       !kernel_map_info(flows, &info) && info.id == id;
}

static void close_flows(struct tables *t)
{
	base_closep(&t->flows);
	t->flows = -1;
	t->flow_room = 0;
}

static int forget_flows(struct tables *t, struct problem *why)
{
	int r = bpf_map_delete_elem(t->fd[SHARED_SLOT], &zero);

	close_flows(t);
	r = r && r != -ENOENT ? r : bpffs_unpin(t->dir, MOAT_MAP_FLOWS);
	return r ? kernel_error(why, r, "BPF map '%s': cannot be removed", MOAT_MAP_FLOWS) : 0;
}

/* Returns the fd of the pinned table if it is one of that size, else of a new one. */
static int open_flows(const struct tables *t, uint32_t flows, struct problem *why)
{
	_cleanup_close_ int pinned = bpffs_get(t->dir, MOAT_MAP_FLOWS);

	if (object_is_map(pinned, MOAT_MAP_FLOWS, flows))
		return take_fd(pinned);
	return object_make_flows(flows, why);
}

static int put_in_slot(struct tables *t, int flows, struct problem *why)
{
	int r = bpffs_pin(flows, t->dir, MOAT_MAP_FLOWS);

	if (!r && !is_in_slot(t, flows))
		r = bpf_map_update_elem(t->fd[SHARED_SLOT], &zero, &flows, BPF_ANY);
	return r ? kernel_error(why, r, "BPF map '%s': cannot be put in place", MOAT_MAP_FLOWS) : 0;
}

int tables_set_flows(struct tables *t, uint32_t flows, const struct moat_ports *clients,
		     struct problem *why)
{
	_cleanup_close_ int fresh = -1;
	int r;

	r = bpf_map_update_elem(t->fd[SHARED_CLIENTS], &zero, clients, BPF_ANY);
	if (r)
		return kernel_error(why, r, "BPF map '%s': cannot be written", MOAT_MAP_CLIENTS);
	if (!flows)
		return forget_flows(t, why);
	if (t->flow_room == flows && is_in_slot(t, t->flows))
		return 0;
	fresh = open_flows(t, flows, why);
	r = fresh < 0 ? fresh : put_in_slot(t, fresh, why);
	if (r) {
		forget_flows(t, NULL);
		return r;
	}
	close_flows(t);
	t->flows = take_fd(fresh);
	t->flow_room = flows;
	return 0;
}

uint32_t tables_flows(const struct tables *t)
{
	return t->flow_room;
}
