/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attaching to interfaces, and what is attached: links, their pins, and who
 * else is there.
 */
#include <dirent.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <sys/stat.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "core/log.h"
#include "plane/bpffs.h"
#include "plane/kernel.h"
#include "plane/program_state.h"
#include "plane/tc.h"

#define PROGRAM_NAME "moat_ingress" /* of bpf/moat.bpf.c */
#define HINT_MAX     96		    /* characters */

static const char *mode_text(enum attach_mode mode)
{
	return mode == ATTACH_NATIVE ? "native" : mode == ATTACH_GENERIC ? "generic" : "none";
}

/* What XDP program an interface has, and how. */
struct present {
	enum attach_mode mode;
	uint32_t program;
};

static int query(uint32_t ifindex, struct present *ret)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, opts);
	int r;

	kernel_quiet(true);
	r = bpf_xdp_query((int)ifindex, 0, &opts);
	kernel_quiet(false);
	if (r)
		return r;
	*ret = (struct present){ .program = opts.prog_id };
	if (opts.attach_mode == XDP_ATTACHED_SKB)
		ret->mode = ATTACH_GENERIC;
	else if (opts.attach_mode != XDP_ATTACHED_NONE)
		ret->mode = ATTACH_NATIVE;
	return 0;
}

/* The interface a link filters, 0 if there is none any more. */
static uint32_t link_ifindex(int link)
{
	struct bpf_link_info info;

	if (kernel_link_info(link, &info) || info.type != BPF_LINK_TYPE_XDP)
		return 0;
	return info.xdp.ifindex;
}

/* Whether the link is what filters this interface (of this network namespace) now. */
static bool link_is_on(int link, uint32_t ifindex, struct present *ret)
{
	struct bpf_link_info info;

	return link >= 0 && link_ifindex(link) == ifindex && !kernel_link_info(link, &info) &&
	       !query(ifindex, ret) && ret->program == info.prog_id;
}

/* Names the program that is in the way. */
static int refuse_foreign(const struct program *p, uint32_t ifindex, struct problem *why)
{
	struct bpf_prog_info info = {};
	struct present there = {};
	const char *name = "?";
	char hint[HINT_MAX] = "";

	if (query(ifindex, &there) || !there.program)
		return kernel_error(why, -EBUSY, "interface '%s': cannot attach", p->name);
	if (!kernel_prog_info_by_id(there.program, &info))
		name = info.name;
	else /* takes CAP_SYS_ADMIN */
		snprintf(hint, sizeof(hint), " ('bpftool prog show id %u' names it)",
			 there.program);
	if (!strcmp(name, PROGRAM_NAME))
		snprintf(hint, sizeof(hint),
			 " (another moat, or this one while the interface had another name)");
	return problem_set(
		why, -EEXIST,
		"interface '%s': XDP program '%s' (id %u, %s) is attached by somebody else%s; "
		"detach it (by the tool that attached it, or: ip link set dev %s xdp off), or take "
		"the interface out of the configuration",
		p->name, name, there.program, mode_text(there.mode), hint, p->name);
}

/* ---- links ---- */

static int create_link(struct program *p, uint32_t ifindex, enum attach_mode mode)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts,
		    .flags = mode == ATTACH_NATIVE ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE);
	int fd = program_suit(p, mode, NULL);

	if (fd < 0)
		return fd;
	fd = bpf_link_create(p->fd.ingress, (int)ifindex, BPF_XDP, &opts);
	return fd < 0 ? -errno : fd;
}

/* Errors that generic mode would meet as well. */
static bool is_final(int error)
{
	return error == -EBUSY || error == -EEXIST || error == -EPERM || error == -ENODEV;
}

/* Attaches where nothing of ours is. Returns the link's fd. */
static int attach_new(struct program *p, uint32_t ifindex, enum config_mode mode,
		      struct problem *why)
{
	int fd = create_link(p, ifindex, mode == CONFIG_GENERIC ? ATTACH_GENERIC : ATTACH_NATIVE);
	int native = fd;

	p->fallback = false;
	if (fd < 0 && mode == CONFIG_AUTO && !is_final(fd)) {
		fd = create_link(p, ifindex, ATTACH_GENERIC);
		p->fallback = fd >= 0;
		if (fd >= 0)
			problem_set(why, 0,
				    "interface '%s': native XDP refused by the driver (%s), using generic",
				    p->name, strerror(-native));
	}
	if (fd == -EBUSY || fd == -EEXIST)
		return refuse_foreign(p, ifindex, why);
	if (fd < 0 && mode == CONFIG_NATIVE)
		return kernel_error(why, fd,
				    "interface '%s': native XDP refused by the driver (mode: auto would use "
				    "generic)",
				    p->name);
	if (fd < 0)
		return kernel_error(why, fd, "interface '%s': cannot attach", p->name);
	return fd;
}

static void drop_link(struct program *p, int link)
{
	bpf_link_detach(link);
	base_closep(&p->link);
	p->link = -1;
	bpffs_unpin(p->pins, PIN_LINK);
}

/* The kernel allows one mode at a time, so packets pass between the two. */
static int change_mode(struct program *p, int link, uint32_t ifindex, enum config_mode mode,
		       const struct present *was, struct problem *why)
{
	enum config_mode back = was->mode == ATTACH_NATIVE ? CONFIG_NATIVE : CONFIG_GENERIC;
	int fd;

	drop_link(p, link);
	fd = attach_new(p, ifindex, mode, why);
	if (fd >= 0) {
		problem_set(why, 0,
			    "interface '%s': changed from %s to %s XDP; packets passed unfiltered for a "
			    "moment in between",
			    p->name, mode_text(was->mode),
			    mode == CONFIG_NATIVE ? "native" : "generic");
		return fd;
	}
	if (is_final(fd))
		return fd;
	log_warning("%s; going back to %s XDP", why->text, mode_text(was->mode));
	fd = attach_new(p, ifindex, back, why);
	if (fd >= 0)
		problem_set(why, 0,
			    "interface '%s': %s XDP refused by the driver, stays %s; packets passed "
			    "unfiltered for a moment while it was tried",
			    p->name, mode == CONFIG_NATIVE ? "native" : "generic",
			    mode_text(was->mode));
	return fd;
}

static bool suits(enum config_mode wanted, enum attach_mode is)
{
	return wanted == CONFIG_AUTO || (wanted == CONFIG_NATIVE) == (is == ATTACH_NATIVE);
}

/* The link that is there gets the new program; no packet goes unfiltered. */
static int update_link(struct program *p, int link, uint32_t ifindex, enum config_mode mode,
		       struct problem *why)
{
	struct present there = {};
	int r;

	if (!link_is_on(link, ifindex, &there))
		return -ENOLINK;
	if (!suits(mode, there.mode))
		return change_mode(p, link, ifindex, mode, &there, why);
	r = program_suit(p, there.mode, why);
	if (r)
		return r;
	r = there.program == p->id ? 0 : bpf_link_update(link, p->fd.ingress, NULL);
	if (r)
		return kernel_error(why, r,
				    "interface '%s': cannot put the new program in place of the old one, "
				    "which stays in force",
				    p->name);
	p->fallback = mode == CONFIG_AUTO && there.mode == ATTACH_GENERIC;
	r = fcntl(link, F_DUPFD_CLOEXEC, 3);
	return r < 0 ? -errno : r;
}

/* Taking the pin would end a filter that is in force: that is for people to decide. */
static int refuse_pinned(const struct program *p, uint32_t ifindex, struct problem *why)
{
	return problem_set(
		why, -EEXIST,
		"interface '%s': what %s pins filters another interface (index %u: renamed, or in "
		"another network namespace): 'moatctl detach %s' there, or set other 'pins' here",
		p->name, p->pins, ifindex, p->name);
}

/* Returns the fd of a link that filters the interface with p. */
static int take_link(struct program *p, uint32_t ifindex, enum config_mode mode,
		     struct problem *why)
{
	_cleanup_close_ int pinned = bpffs_get(p->pins, PIN_LINK);
	int fd;

	if (pinned >= 0) {
		fd = update_link(p, pinned, ifindex, mode, why);
		if (fd != -ENOLINK)
			return fd;
		if (link_ifindex(pinned))
			return refuse_pinned(p, link_ifindex(pinned), why);
		log_notice("interface '%s': what was pinned for it filters nothing now, attaching anew",
			   p->name);
		drop_link(p, pinned);
	} else if (p->link >= 0) { /* somebody removed the pin */
		fd = update_link(p, p->link, ifindex, mode, why);
		if (fd != -ENOLINK)
			return fd;
	}
	return attach_new(p, ifindex, mode, why);
}

static int pin_all(const struct program *p, int link, struct problem *why)
{
	int r;

	r = bpffs_pin(p->fd.iface, p->pins, PIN_IFACE)
		    ?: bpffs_pin(p->fd.stats, p->pins, PIN_STATS);
	if (!r && link >= 0 && !p->trial)
		r = bpffs_pin(link, p->pins, PIN_LINK);
	return r ? kernel_error(why, r, "interface '%s': cannot pin to '%s'", p->name, p->pins) : 0;
}

static int attach_alone(struct program *p, uint32_t ifindex, enum config_mode mode,
			struct problem *why)
{
	_cleanup_close_ int link = -1;
	int r = program_chain_detach(p->pins, ifindex);

	if (r)
		return kernel_error(why, r,
				    "interface '%s': cannot be taken from under libxdp's dispatcher",
				    p->name);
	link = take_link(p, ifindex, mode, why);
	if (link < 0)
		return link;
	r = pin_all(p, link, why);
	if (r)
		return r;
	base_closep(&p->link);
	p->link = take_fd(link);
	return 0;
}

/* Our own link gives way to the dispatcher: the kernel allows one of them. */
static int change_to_chain(struct program *p, int link, uint32_t ifindex, enum config_mode mode,
			   struct problem *why)
{
	struct problem refused = {};
	int r = program_chain_allowed(p, ifindex, &refused);
	bool moved = !r;

	if (moved) {
		drop_link(p, link);
		r = program_chain_attach(p, ifindex, mode, &refused);
	}
	if (!r)
		return problem_set(why, 0,
				   "interface '%s': changed from an own link to libxdp's dispatcher; "
				   "packets passed unfiltered for a moment in between",
				   p->name);
	r = attach_alone(p, ifindex, mode, why);
	if (!r)
		problem_set(why, 0, "%s; the filter keeps its own link%s", refused.text,
			    moved ? " (packets passed unfiltered for a moment while it was tried)"
				  : "");
	return r;
}

static int attach_chained(struct program *p, uint32_t ifindex, enum config_mode mode,
			  struct problem *why)
{
	_cleanup_close_ int pinned = bpffs_get(p->pins, PIN_LINK);
	int link = pinned >= 0 ? pinned : p->link;
	struct present there = {};
	int r;

	if (p->trial)
		return problem_set(why, -EOPNOTSUPP,
				   "interface '%s': a chained program cannot be attached on trial: it "
				   "would not end with moatd",
				   p->name);
	if (link_is_on(link, ifindex, &there))
		return change_to_chain(p, link, ifindex, mode, why);
	if (pinned >= 0 && link_ifindex(pinned))
		return refuse_pinned(p, link_ifindex(pinned), why);
	if (link >= 0)
		drop_link(p, link);
	r = pin_all(p, -1, why) ?: program_chain_attach(p, ifindex, mode, why);
	return r == -EEXIST ? refuse_foreign(p, ifindex, why) : r;
}

int program_attach(struct program *p, enum config_mode mode, struct problem *why)
{
	struct problem tc = {};
	uint32_t ifindex;
	int r;

	if (!p->pins)
		return problem_set(why, -EINVAL, "probe: cannot be attached");
	ifindex = if_nametoindex(p->name);
	if (!ifindex)
		return problem_set(why, -ENODEV, "interface '%s': does not exist", p->name);
	r = bpffs_prepare(p->pins, why);
	if (r)
		return r;
	r = program_carried_pin(p);
	if (r)
		return kernel_error(why, r, "interface '%s': cannot pin its counters to '%s'",
				    p->name, p->pins);
	r = p->priority ? attach_chained(p, ifindex, mode, why)
			: attach_alone(p, ifindex, mode, why);
	if (r)
		return r;

	/* The filter is in force whether or not marks work. */
	if (tc_attach(p->name, ifindex, TC_POINT_INGRESS, p->fd.mark, &tc))
		problem_set(why, 0, "%s", tc.text);
	if (!p->replies)
		tc_detach(ifindex, TC_POINT_EGRESS);
	else if (tc_attach(p->name, ifindex, TC_POINT_EGRESS, p->fd.egress, &tc))
		problem_set(why, 0, "%s", tc.text);
	return 0;
}

void program_set_trial(struct program *p, bool trial)
{
	p->trial = trial;
}

static bool has_pin(const struct program *p, const char *pin)
{
	char path[PATH_MAX];

	return !bpffs_path(path, p->pins, pin) && !access(path, F_OK);
}

/* Where it cannot be, it may have kept its link. */
static bool is_chained(const struct program *p)
{
	return p->priority && p->link < 0;
}

/* Without its pins, a filter ends with the process. */
static bool is_pinned(const struct program *p)
{
	return has_pin(p, PIN_IFACE) && has_pin(p, PIN_STATS) &&
	       (p->trial || has_pin(p, is_chained(p) ? PIN_CHAINED : PIN_LINK));
}

static int check_link(const struct program *p, struct attachment *ret, struct problem *why)
{
	struct present there = {};

	if (!link_is_on(p->link, ret->ifindex, &there))
		return problem_set(why, -ENOLINK, "interface '%s': the program is not attached",
				   p->name);
	if (there.program != p->id)
		return problem_set(why, -ENOLINK,
				   "interface '%s': another program (id %u) is attached", p->name,
				   there.program);
	ret->mode = there.mode;
	ret->program = there.program;
	return 0;
}

int program_check(const struct program *p, struct attachment *ret, struct problem *why)
{
	struct attachment now = { .ifindex = if_nametoindex(p->name) };
	int r;

	if (!now.ifindex)
		return problem_set(why, -ENOLINK, "interface '%s': does not exist", p->name);
	r = is_chained(p) ? program_chain_check(p, now.ifindex, &now, why)
			  : check_link(p, &now, why);
	if (r)
		return r;
	if (!is_pinned(p))
		return problem_set(why, -ENOLINK,
				   "interface '%s': its pins in %s are gone: the filter would end with "
				   "moatd",
				   p->name, p->pins);
	now.fallback = p->fallback;
	now.tc = tc_attached(now.ifindex, TC_POINT_INGRESS);
	now.replies = tc_attached(now.ifindex, TC_POINT_EGRESS);
	*ret = now;
	return 0;
}

/* ---- detaching ---- */

int program_detach(const char *dir, const char *iface, struct problem *why)
{
	_cleanup_close_ int link = -1;
	char pins[PATH_MAX], parent[PATH_MAX];
	uint32_t ifindex;
	int r;

	r = program_pins(pins, dir, iface) ?: bpffs_path(parent, dir, "if");
	if (r || access(pins, F_OK))
		return problem_set(why, -ENOENT,
				   "interface '%s': not attached (nothing is pinned in %s)", iface,
				   dir);
	link = bpffs_get(pins, PIN_LINK);
	ifindex = link >= 0 ? link_ifindex(link) : if_nametoindex(iface);
	r = link < 0 ? program_chain_detach(pins, ifindex) : bpf_link_detach(link);
	if (r && r != -ENOLINK)
		return kernel_error(why, r, "interface '%s': cannot detach", iface);
	if (ifindex) {
		tc_detach(ifindex, TC_POINT_EGRESS);
		tc_detach(ifindex, TC_POINT_INGRESS);
	}

	r = bpffs_unpin(pins, PIN_LINK) ?: bpffs_unpin(pins, PIN_IFACE) ?: bpffs_unpin(pins, PIN_STATS);
	r = r ?: program_carried_unpin(pins);
	if (r || rmdir(pins))
		return kernel_error(why, r ?: -errno,
				    "interface '%s': detached, but '%s' cannot be removed", iface,
				    pins);
	rmdir(parent); /* unless another interface is in it */
	return 0;
}

/* ---- pins ---- */

/* Undoes the escaping of program_pins(); false for what it would not have made. */
static bool unescape(char buf[static PROGRAM_INTERFACE_MAX], const char *name)
{
	size_t at = 0;

	for (; *name && at < PROGRAM_INTERFACE_MAX - 1; at++) {
		if (*name != '%') {
			buf[at] = *name++;
			continue;
		}
		if (strncmp(name, "%2e", 3) && strncmp(name, "%25", 3))
			return false;
		buf[at] = name[2] == 'e' ? '.' : '%';
		name += 3;
	}
	buf[at] = '\0';
	return at && !*name;
}

int program_each_pinned(const char *dir, int (*fn)(void *arg, const char *iface), void *arg)
{
	char path[PATH_MAX], name[PROGRAM_INTERFACE_MAX];
	struct dirent *entry;
	DIR *pins;
	int r;

	r = bpffs_path(path, dir, "if");
	if (r)
		return r;
	pins = opendir(path);
	if (!pins)
		return errno == ENOENT ? 0 : -errno;
	while (!r && (entry = readdir(pins)))
		if (entry->d_name[0] != '.' && unescape(name, entry->d_name))
			r = fn(arg, name);
	closedir(pins);
	return r;
}
