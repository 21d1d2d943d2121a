/* SPDX-License-Identifier: BSD-2-Clause */
#include "plane/tc.h"

#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "plane/kernel.h"

#define TC_HANDLE   0x6d6f6174 /* "moat" */
#define TC_PRIORITY 1	       /* first, so that other filters see the mark */

#define ANSWER_MAX    32768 /* bytes a netlink message of a dump */
#define ANSWER_WAIT_S 2

static const struct {
	enum bpf_tc_attach_point hook;
	const char *program; /* of bpf/moat.bpf.c */
	const char *without; /* what does not work without it */
} points[] = {
	[TC_POINT_INGRESS] = { BPF_TC_INGRESS, "moat_mark", "packets will not be marked" },
	[TC_POINT_EGRESS] = { BPF_TC_EGRESS, "moat_egress",
			      "replies are judged like any packet (replies: pass has no effect)" },
};

static struct bpf_tc_hook hook_of(uint32_t ifindex, enum tc_point point)
{
	return (struct bpf_tc_hook){
		.sz = sizeof(struct bpf_tc_hook),
		.ifindex = (int)ifindex,
		.attach_point = points[point].hook,
	};
}

/*
 * Whether our place is taken: 0 free, 1 by a program of moat, -EEXIST by
 * another. Names need CAP_SYS_ADMIN; without it the handle must do.
 */
static int look(const struct bpf_tc_hook *hook, enum tc_point point)
{
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = TC_HANDLE, .priority = TC_PRIORITY);
	struct bpf_prog_info info;
	int r;

	kernel_quiet(true);
	r = bpf_tc_query(hook, &opts);
	kernel_quiet(false);
	if (r)
		return 0;
	if (kernel_prog_info_by_id(opts.prog_id, &info))
		return 1;
	return strcmp(info.name, points[point].program) ? -EEXIST : 1;
}

int tc_attach(const char *iface, uint32_t ifindex, enum tc_point point, int program,
	      struct problem *why)
{
	struct bpf_tc_hook hook = hook_of(ifindex, point);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = TC_HANDLE, .priority = TC_PRIORITY,
		    .prog_fd = program, .flags = BPF_TC_F_REPLACE);
	int r;

	kernel_quiet(true);
	r = bpf_tc_hook_create(&hook);
	kernel_quiet(false);
	if (r && r != -EEXIST)
		return kernel_error(why, r,
				    "interface '%s': %s: no clsact (is the kernel's sch_ingress there?)",
				    iface, points[point].without);
	if (look(&hook, point) == -EEXIST)
		return problem_set(why, -EEXIST,
				   "interface '%s': %s: a tc filter of somebody else has priority %d and "
				   "handle 0x%x",
				   iface, points[point].without, TC_PRIORITY, TC_HANDLE);
	kernel_quiet(true);
	r = bpf_tc_attach(&hook, &opts);
	kernel_quiet(false);
	if (r)
		return kernel_error(
			why, r,
			"interface '%s': %s: no tc filter at priority %d (is another kind of filter "
			"there?)",
			iface, points[point].without, TC_PRIORITY);
	return 0;
}

bool tc_attached(uint32_t ifindex, enum tc_point point)
{
	struct bpf_tc_hook hook = hook_of(ifindex, point);

	return look(&hook, point) == 1;
}

/* Whether any filter is at parent; true also if that cannot be told. */
static bool has_filters(uint32_t ifindex, uint32_t parent)
{
	struct {
		struct nlmsghdr header;
		struct tcmsg tc;
	} ask = {
		.header = { .nlmsg_len = sizeof(ask),
			    .nlmsg_type = RTM_GETTFILTER,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.tc = { .tcm_family = AF_UNSPEC, .tcm_ifindex = (int)ifindex, .tcm_parent = parent },
	};
	_cleanup_close_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	const struct timeval wait = { .tv_sec = ANSWER_WAIT_S };
	_cleanup_free_ struct nlmsghdr *answer = malloc(ANSWER_MAX);
	ssize_t size;

	if (fd < 0 || !answer || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) ||
	    send(fd, &ask, sizeof(ask), 0) != sizeof(ask))
		return true;
	/* The first message tells: a filter, or the end of the list. */
	size = recv(fd, answer, ANSWER_MAX, 0);
	return size < (ssize_t)sizeof(*answer) || answer->nlmsg_type != NLMSG_DONE;
}

int tc_detach(uint32_t ifindex, enum tc_point point)
{
	struct bpf_tc_hook hook = hook_of(ifindex, point);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = TC_HANDLE, .priority = TC_PRIORITY);
	int r = 0;

	if (look(&hook, point) != 1)
		return 0;
	kernel_quiet(true);
	r = bpf_tc_detach(&hook, &opts);
	if (!r && !has_filters(ifindex, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS)) &&
	    !has_filters(ifindex, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS))) {
		hook.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS;
		bpf_tc_hook_destroy(&hook);
	}
	kernel_quiet(false);
	return r;
}
