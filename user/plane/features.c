/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel can do, found by trying, never by its version.
 */
#include <linux/if_ether.h>

#include <bpf/bpf.h>

#include "plane/program.h"

#define PROBE_FRAME 64 /* bytes */

/* The smallest XDP program: r0 = XDP_PASS; exit. */
static int load_pass(uint32_t flags)
{
	const struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_XDP, .prog_flags = flags);

	return bpf_prog_load(BPF_PROG_TYPE_XDP, "moat_probe", "GPL", code, ARRAY_SIZE(code), &opts);
}

static bool has_frags(void)
{
	_cleanup_close_ int fd = load_pass(BPF_F_XDP_HAS_FRAGS);

	return fd >= 0;
}

static bool has_batch(void)
{
	_cleanup_close_ int fd = bpf_map_create(BPF_MAP_TYPE_HASH, "moat_probe", sizeof(uint32_t),
						sizeof(uint32_t), 1, NULL);
	uint32_t key = 0, value = 0, count = 1;
	LIBBPF_OPTS(bpf_map_batch_opts, opts);

	return fd >= 0 && !bpf_map_update_batch(fd, &key, &value, &count, &opts) && count == 1;
}

static bool can_run(int fd, bool with_context)
{
	unsigned char frame[PROBE_FRAME] = {};
	struct xdp_md in = { .data_end = sizeof(frame) }, out = {};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame),
		    .repeat = 1);

	if (with_context) {
		opts.ctx_in = &in;
		opts.ctx_size_in = sizeof(in);
		opts.ctx_out = &out;
		opts.ctx_size_out = sizeof(out);
	}
	return fd >= 0 && !bpf_prog_test_run_opts(fd, &opts) && opts.retval == XDP_PASS;
}

const struct features *program_features(void)
{
	static struct features found;
	static bool probed;

	if (!probed) {
		_cleanup_close_ int fd = load_pass(0);

		found.batch = has_batch();
		found.frags = has_frags();
		found.test_run = can_run(fd, false);
		found.metadata = can_run(fd, true);
		probed = true;
	}
	return &found;
}

size_t program_lacks(void (*fn)(void *arg, const char *what, const char *without), void *arg)
{
	const struct features *has = program_features();
	const struct {
		bool there;
		const char *what, *without;
	} all[] = {
		{ has->batch, "batch",
		  "no batches for maps: sources are written and counters read one by one, slower" },
		{ has->frags, "frags",
		  "no multi-buffer XDP: with a large MTU drivers may refuse native mode" },
		{ has->test_run, "test_run",
		  "no test runs of XDP: no self-test, and explain does not ask the program" },
		{ has->metadata, "metadata",
		  "no metadata in test runs: the mark that explain shows is the policy's" },
	};
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		if (all[i].there)
			continue;
		fn(arg, all[i].what, all[i].without);
		count++;
	}
	return count;
}
