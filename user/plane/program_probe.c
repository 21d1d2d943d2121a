/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs the loaded program on a frame, and says what it did with it.
 */
#include <bpf/bpf.h>
#include <linux/if_ether.h>

#include "plane/kernel.h"
#include "plane/program_state.h"

#define META_MAX 256 /* of metadata before a frame that comes back */

/* What a run left: the frame with the metadata before it. */
struct result {
	uint32_t xdp;
	const unsigned char *frame;
	uint32_t size;
	uint32_t meta; /* bytes before frame */
};

/* The inverse of moat_cell(). */
static void read_cell(uint32_t cell, struct outcome *ret)
{
	uint32_t row;

	if (cell < MOAT_PLAIN_CELLS) {
		ret->reason = cell % MOAT_REASON_MAX;
		ret->category = 0;
		row = cell / MOAT_REASON_MAX;
	} else {
		cell -= MOAT_PLAIN_CELLS;
		ret->category = cell % MOAT_CATEGORIES;
		ret->reason = cell / MOAT_CATEGORIES % MOAT_POLICY_REASONS;
		row = cell / MOAT_CATEGORIES / MOAT_POLICY_REASONS;
	}
	ret->verdict = row % MOAT_VERDICT_MAX;
	ret->family = row / MOAT_VERDICT_MAX;
}

/* The cell that counted the packet, MOAT_CELLS if none did. */
static uint32_t find_cell(const struct moat_stats *cells)
{
	uint32_t cell = 0;

	while (cell < MOAT_CELLS && !cells[cell].packets)
		cell++;
	return cell;
}

static int run(const struct program *p, const void *frame, uint32_t size, struct result *ret)
{
	struct xdp_md in = { .data_end = size }, out = {};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = size,
		    .data_out = p->frame, .data_size_out = PROGRAM_FRAME_MAX, .repeat = 1);
	int r;

	if (program_features()->metadata) {
		opts.ctx_in = &in;
		opts.ctx_size_in = sizeof(in);
		opts.ctx_out = &out;
		opts.ctx_size_out = sizeof(out);
	}
	r = bpf_prog_test_run_opts(p->fd.ingress, &opts);
	if (r)
		return r;
	/* Metadata comes before the frame; then out.data is where the frame begins. */
	if (out.data > META_MAX || out.data > opts.data_size_out)
		return -EPROTO;
	*ret = (struct result){
		.xdp = opts.retval,
		.frame = p->frame + out.data,
		.size = opts.data_size_out - out.data,
		.meta = out.data,
	};
	return 0;
}

/* Kernels before 5.15 do not show metadata: there it is what the policy says. */
static uint32_t mark_of_policy(const struct program *p, uint8_t category)
{
	uint32_t index = MOAT_POLICY_INDEX(category, p->control->policy_bank & 1);
	struct moat_policy policy;

	if (bpf_map_lookup_elem(p->policies, &index, &policy) || !(policy.flags & MOAT_POLICY_MARK))
		return 0;
	return policy.mark;
}

static uint32_t read_mark(const struct program *p, const struct result *result,
			  const struct outcome *outcome)
{
	struct moat_tag tag;

	if (!program_features()->metadata)
		return outcome->reason == MOAT_TAGGED ? mark_of_policy(p, outcome->category) : 0;
	if (result->meta < sizeof(tag))
		return 0;
	memcpy(&tag, result->frame - sizeof(tag), sizeof(tag));
	return tag.magic == MOAT_TAG_MAGIC ? tag.mark : 0;
}

int program_probe(struct program *probe, void *frame, uint32_t *size, uint32_t room,
		  struct outcome *ret, struct problem *why)
{
	struct result result = {};
	struct outcome outcome = {};
	uint32_t cell;
	int r;

	if (!probe->cells)
		return problem_set(why, -EINVAL, "probe: this program is an interface's");
	if (*size < ETH_HLEN || *size > PROGRAM_FRAME_MAX - META_MAX)
		return problem_set(why, -EINVAL,
				   "probe: a frame of %u bytes cannot be run, only %u to %u", *size,
				   ETH_HLEN, PROGRAM_FRAME_MAX - META_MAX);

	memset(&probe->cells[probe->last_cell], 0, sizeof(*probe->cells));
	r = run(probe, frame, *size, &result);
	if (r)
		return kernel_error(why, r, "probe: the kernel did not run the program");
	cell = find_cell(probe->cells);
	if (cell == MOAT_CELLS)
		return problem_set(why, -EPROTO, "probe: the program did not count the packet");
	probe->last_cell = cell;
	if (result.size > room)
		return problem_set(why, -ENOBUFS, "probe: no room for the frame that came back");

	read_cell(cell, &outcome);
	outcome.xdp = result.xdp;
	outcome.mark = read_mark(probe, &result, &outcome);
	memcpy(frame, result.frame, result.size);
	*size = result.size;
	*ret = outcome;
	return 0;
}
