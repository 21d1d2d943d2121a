/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tables that lie in a slot: made, adopted over a restart, exchanged under a
 * running program, taken away.
 */
#include <bpf/bpf.h>

#include "moat/abi.h"
#include "plane/bpffs.h"
#include "plane/kernel.h"
#include "plane/tables_map.h"

const char *const slot_table_name[SLOT_MAX] = {
	[SLOT_FLOWS] = MOAT_MAP_FLOWS,
	[SLOT_HITS] = MOAT_MAP_HITS,
};

static const enum object_shared slot_map[SLOT_MAX] = {
	[SLOT_FLOWS] = SHARED_SLOT,
	[SLOT_HITS] = SHARED_HIT_SLOT,
};

static const uint32_t zero;

/* Whether the programs find this table already. The slot tells the id of what is in it. */
static bool is_in_slot(const struct tables *t, enum slot slot, int table)
{
	struct bpf_map_info info;
	uint32_t id = 0;

	return !bpf_map_lookup_elem(t->fd[slot_map[slot]], &zero, &id) &&
	       !kernel_map_info(table, &info) && info.id == id;
}

static void close_table(struct slot_state *state)
{
	base_closep(&state->fd);
	*state = (struct slot_state){ .fd = -1 };
}

static int forget(struct tables *t, enum slot slot, struct problem *why)
{
	const char *name = slot_table_name[slot];
	int r = bpf_map_delete_elem(t->fd[slot_map[slot]], &zero);

	close_table(&t->slot[slot]);
	r = r && r != -ENOENT ? r : bpffs_unpin(t->dir, name);
	return r ? kernel_error(why, r, "BPF map '%s': cannot be removed", name) : 0;
}

/* Returns the fd of the pinned table if it is one of that size, else of a new one. */
static int open_table(const struct tables *t, const char *name, uint32_t entries,
		      struct problem *why)
{
	_cleanup_close_ int pinned = bpffs_get(t->dir, name);

	if (object_is_map(pinned, name, entries))
		return take_fd(pinned);
	return object_make_table(name, entries, why);
}

static int put_in_slot(struct tables *t, enum slot slot, int table, struct problem *why)
{
	const char *name = slot_table_name[slot];
	int r = bpffs_pin(table, t->dir, name);

	if (!r && !is_in_slot(t, slot, table))
		r = bpf_map_update_elem(t->fd[slot_map[slot]], &zero, &table, BPF_ANY);
	return r ? kernel_error(why, r, "BPF map '%s': cannot be put in place", name) : 0;
}

int tables_set_slot(struct tables *t, enum slot slot, uint32_t entries, struct problem *why)
{
	struct slot_state *state = &t->slot[slot];
	_cleanup_close_ int fresh = -1;
	int r;

	if (!entries)
		return forget(t, slot, why);
	if (state->room == entries && is_in_slot(t, slot, state->fd))
		return 0;
	fresh = open_table(t, slot_table_name[slot], entries, why);
	r = fresh < 0 ? fresh : put_in_slot(t, slot, fresh, why);
	if (r) {
		forget(t, slot, NULL);
		return r;
	}
	close_table(state);
	*state = (struct slot_state){ .fd = take_fd(fresh), .room = entries };
	return 0;
}
