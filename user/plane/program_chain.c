/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attaching beside other programs. What keeps the filter in force is libxdp's
 * pins; moat pins the program besides, which says that one may be there.
 */
#include <net/if.h>

#include <bpf/bpf.h>

#include "core/log.h"
#include "plane/bpffs.h"
#include "plane/chain.h"
#include "plane/kernel.h"
#include "plane/program_state.h"
#include "plane/tables_map.h"

#define MAPS_MAX 64 /* of a program */

void program_set_chain(struct program *p, uint32_t priority)
{
	p->priority = priority;
}

/* ---- which of a dispatcher's programs are ours ---- */

static uint32_t map_id(int fd)
{
	struct bpf_map_info info;

	return kernel_map_info(fd, &info) ? 0 : info.id;
}

/* Whether a program writes to this map. */
static bool has_map(uint32_t program, uint32_t map)
{
	_cleanup_close_ int fd = bpf_prog_get_fd_by_id(program);
	uint32_t maps[MAPS_MAX];
	struct bpf_prog_info info = { .nr_map_ids = MAPS_MAX, .map_ids = (uintptr_t)maps };
	uint32_t size = sizeof(info);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size))
		return false;
	for (uint32_t i = 0; i < info.nr_map_ids && i < MAPS_MAX; i++)
		if (maps[i] == map)
			return true;
	return false;
}

static const struct chain_program *find(const struct chain *chain, uint32_t id)
{
	for (size_t i = 0; i < chain->count; i++)
		if (chain->program[i].id == id)
			return &chain->program[i];
	return NULL;
}

/* Takes off what has our counters, but for one program: the last moat's, or what it left half done. */
static int detach_ours(uint32_t ifindex, int stats, uint32_t keep)
{
	struct chain now;
	int r = chain_look(ifindex, &now);

	for (size_t i = 0; !r && i < now.count; i++)
		if (now.program[i].id != keep && has_map(now.program[i].id, map_id(stats)))
			r = chain_detach(ifindex, now.program[i].id);
	return r;
}

/* ---- attaching ---- */

struct seat {
	uint32_t ifindex, priority;
	enum attach_mode mode;
};

static int take_seat(void *arg, struct bpf_object *object, const char *name, uint32_t *ret_id)
{
	const struct seat *seat = arg;

	return chain_attach(object, name, seat->priority, seat->ifindex, seat->mode, ret_id);
}

/* Loads the program for the dispatcher, on the maps of the one that was loaded, which it replaces. */
static int attach_as(struct program *p, uint32_t ifindex, enum attach_mode mode)
{
	bool frags = mode != ATTACH_GENERIC && program_features()->frags;
	struct object_program fresh = OBJECT_PROGRAM_NONE;
	struct seat seat = { ifindex, p->priority, mode };
	const struct object_parts parts = program_parts(p);
	uint32_t id;
	int r = object_load_chained(p->tables->fd, &parts, frags, take_seat, &seat, &fresh, &id);

	if (r)
		return r;
	object_program_close(&p->fd); /* the maps are the same, and mapped */
	p->fd = fresh;
	p->id = id;
	p->frags = frags;
	return 0;
}

/* What may go by itself. The rest would be met again, at the price of the verifier's walk. */
static bool is_passing(int error)
{
	return error == -ENODEV || error == -EBUSY || error == -EAGAIN || error == -ENOMEM;
}

static int explain(const struct program *p, int error, struct problem *why)
{
	if (error == -EOPNOTSUPP || error == -EINVAL)
		return problem_set(
			why, error,
			"interface '%s': XDP programs cannot be chained here: the kernel lets this "
			"program not be attached to a dispatcher (%s); take 'attach' out of the "
			"configuration and restart",
			p->name,
			error == -EINVAL
				? "its verifier refuses it there, as that of Linux 5.10 does"
				: "containers lack the rights; libxdp would have it stand "
				  "alone");
	return kernel_error(why, error,
			    "interface '%s': cannot be put under the dispatcher of libxdp, which is "
			    "tried again when moatd restarts",
			    p->name);
}

static int look(const struct program *p, uint32_t ifindex, struct chain *ret, struct problem *why)
{
	int r = chain_look(ifindex, ret);

	return r ? kernel_error(why, r, "interface '%s': XDP programs cannot be looked at", p->name)
		 : 0;
}

int program_chain_allowed(const struct program *p, uint32_t ifindex, struct problem *why)
{
	struct chain now;
	int r = look(p, ifindex, &now, why);

	return r || !p->unchained ? r : explain(p, p->unchained, why);
}

/* Those that are there have chosen the mode. */
static int join(struct program *p, uint32_t ifindex, enum config_mode mode, const struct chain *now)
{
	enum attach_mode first = now->mode
					 ?: mode == CONFIG_GENERIC ? ATTACH_GENERIC
								   : ATTACH_NATIVE;
	int r = attach_as(p, ifindex, first);

	p->fallback = false;
	if (r && r != -EOPNOTSUPP && r != -EPERM && mode == CONFIG_AUTO && !now->mode) {
		r = attach_as(p, ifindex, ATTACH_GENERIC);
		p->fallback = !r;
	}
	return r;
}

int program_chain_attach(struct program *p, uint32_t ifindex, enum config_mode mode,
			 struct problem *why)
{
	_cleanup_close_ int before = bpffs_get(p->pins, PIN_CHAINED);
	struct chain now;
	int r = look(p, ifindex, &now, why);

	if (r)
		return r;
	if (now.alone)
		return -EEXIST;
	if (p->unchained)
		return explain(p, p->unchained, why);
	if (!find(&now, p->id)) {
		/* First the pin: what ends in between is found by it. */
		r = (before < 0 ? bpffs_pin(p->fd.ingress, p->pins, PIN_CHAINED) : 0)
			    ?: join(p, ifindex, mode, &now);
		if (r) {
			if (before < 0)
				bpffs_unpin(p->pins, PIN_CHAINED);
			p->unchained = is_passing(r) ? 0 : r;
			return explain(p, r, why);
		}
	}
	r = bpffs_pin(p->fd.ingress, p->pins, PIN_CHAINED)
		    ?: detach_ours(ifindex, p->fd.stats, p->id);
	return r ? kernel_error(why, r,
				"interface '%s': what it had under the dispatcher cannot be replaced",
				p->name)
		 : 0;
}

int program_chain_check(const struct program *p, uint32_t ifindex, struct attachment *ret,
			struct problem *why)
{
	struct chain now;
	int r = chain_look(ifindex, &now);

	if (r || now.alone || !find(&now, p->id))
		return problem_set(why, -ENOLINK,
				   "interface '%s': the program is not under the dispatcher",
				   p->name);
	ret->mode = now.mode;
	ret->program = p->id;
	chain_describe(&now, p->id, ret->chain);
	return 0;
}

int program_chain_detach(const char *pins, uint32_t ifindex)
{
	_cleanup_close_ int chained = bpffs_get(pins, PIN_CHAINED);
	_cleanup_close_ int stats = bpffs_get(pins, PIN_STATS);
	int r = 0;

	if (chained < 0)
		return 0;
	if (ifindex && stats >= 0)
		r = detach_ours(ifindex, stats, 0);
	return r ?: bpffs_unpin(pins, PIN_CHAINED);
}
