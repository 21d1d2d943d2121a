/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counters of moats whose layout was another one: a version that knows more
 * reasons, or fewer. Their map stays pinned beside that in use, as stats_1,
 * stats_2, ..., from before the new program takes over, and is added to what
 * that counts: no packet is lost, none counted twice, at whatever moment moatd
 * dies. Nobody writes to such a map once the old program has run for the last
 * time.
 *
 * Only the number of reasons may differ, and only those without a category
 * (include/moat/abi.h: append only): it follows from the number of cells.
 */
#include <bpf/bpf.h>

#include "core/log.h"
#include "plane/bpffs.h"
#include "plane/kernel.h"
#include "plane/program_state.h"

#define ROWS	(MOAT_FAMILY_MAX * MOAT_VERDICT_MAX)
#define REASONS 256 /* more than that is no layout of moat's */

/* The reasons a layout knows, 0: it is none that can be read. */
static uint32_t reasons_of(const struct bpf_map_info *info)
{
	uint32_t plain = info->max_entries - MOAT_POLICY_CELLS;

	if (info->type != BPF_MAP_TYPE_PERCPU_ARRAY || info->max_entries <= MOAT_POLICY_CELLS ||
	    plain % ROWS || plain / ROWS > REASONS || info->value_size < 2 * sizeof(uint64_t) ||
	    info->value_size % sizeof(uint64_t) || info->value_size > 8 * sizeof(uint64_t))
		return 0;
	return plain / ROWS;
}

static void pin_name(char buf[static 16], size_t index)
{
	snprintf(buf, 16, PIN_STATS "_%zu", index + 1);
}

static bool is_carried(const struct program *p, uint32_t id)
{
	for (size_t i = 0; i < CARRIED_MAX; i++)
		if (p->carried[i].fd >= 0 && p->carried[i].id == id)
			return true;
	return false;
}

static void carry(struct program *p, size_t index, int fd)
{
	struct bpf_map_info info;

	if (kernel_map_info(fd, &info) || !reasons_of(&info) || is_carried(p, info.id)) {
		close(fd);
		return;
	}
	p->carried[index] = (struct carried){
		.fd = fd,
		.id = info.id,
		.cells = info.max_entries,
		.words = info.value_size / sizeof(uint64_t),
		.reasons = reasons_of(&info),
	};
}

void program_carried_open(struct program *p, int replaced)
{
	size_t at = 0;
	char name[16];

	for (size_t i = 0; i < CARRIED_MAX; i++) {
		int fd;

		pin_name(name, i);
		fd = bpffs_get(p->pins, name);
		if (fd >= 0)
			carry(p, i, fd);
	}
	while (at < CARRIED_MAX && p->carried[at].fd >= 0)
		at++;
	if (replaced < 0)
		return;
	if (at == CARRIED_MAX) {
		log_warning("interface '%s': counters of %d other layouts are kept already; those of "
			    "the last one start anew",
			    p->name, CARRIED_MAX);
		close(replaced);
		return;
	}
	carry(p, at, replaced);
	p->carried[at].fresh = p->carried[at].fd >= 0;
	if (p->carried[at].fresh)
		log_notice("interface '%s': its counters have the layout of another moat; they are "
			   "kept, and counted on",
			   p->name);
}

int program_carried_pin(struct program *p)
{
	int r = 0;

	for (size_t i = 0; i < CARRIED_MAX && !r; i++) {
		char name[16];

		if (!p->carried[i].fresh)
			continue;
		pin_name(name, i);
		r = bpffs_pin(p->carried[i].fd, p->pins, name);
		p->carried[i].fresh = r;
	}
	return r;
}

int program_carried_unpin(const char *pins)
{
	int r = 0;

	for (size_t i = 0; i < CARRIED_MAX && !r; i++) {
		char name[16];

		pin_name(name, i);
		r = bpffs_unpin(pins, name);
	}
	return r;
}

void program_carried_close(struct program *p)
{
	for (size_t i = 0; i < CARRIED_MAX; i++)
		base_closep(&p->carried[i].fd);
}

/* The cell of this moat for one of theirs; a reason it does not know is its own trouble. */
static uint32_t cell_here(const struct carried *c, uint32_t cell)
{
	uint32_t plain = ROWS * c->reasons;
	uint32_t reason = cell % c->reasons;

	if (cell >= plain)
		return MOAT_PLAIN_CELLS + cell - plain;
	if (reason >= MOAT_REASON_MAX)
		reason = MOAT_INTERNAL;
	return cell / c->reasons * MOAT_REASON_MAX + reason;
}

static int add_cells(const struct carried *c, uint64_t *copies, struct moat_stats *to)
{
	for (uint32_t cell = 0; cell < c->cells; cell++) {
		struct moat_stats *here = &to[cell_here(c, cell)];
		int r = bpf_map_lookup_elem(c->fd, &cell, copies);

		if (r)
			return r;
		for (size_t cpu = 0; cpu < kernel_cpus(); cpu++) {
			here->packets += copies[cpu * c->words];
			here->bytes += copies[cpu * c->words + 1];
		}
	}
	return 0;
}

int program_carried_add(const struct program *p, struct moat_stats *to)
{
	for (size_t i = 0; i < CARRIED_MAX; i++) {
		const struct carried *c = &p->carried[i];
		_cleanup_free_ uint64_t *copies = NULL;
		int r;

		if (c->fd < 0)
			continue;
		copies = calloc(kernel_cpus() * c->words, sizeof(*copies));
		if (!copies)
			return -ENOMEM;
		r = add_cells(c, copies, to);
		if (r)
			return r;
	}
	return 0;
}
