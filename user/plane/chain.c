/* SPDX-License-Identifier: BSD-2-Clause */
#include "plane/chain.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#include <xdp/libxdp.h>

#include "core/log.h"

static struct xdp_program *close_program(struct xdp_program *p)
{
	xdp_program__close(p);
	return NULL;
}
DEFINE_CLEANUP(struct xdp_program, close_program)

static struct xdp_multiprog *close_dispatcher(struct xdp_multiprog *p)
{
	xdp_multiprog__close(p);
	return NULL;
}
DEFINE_CLEANUP(struct xdp_multiprog, close_dispatcher)

_printf_(2, 0) static int print(enum libxdp_print_level level, const char *fmt, va_list args)
{
	char line[PROBLEM_MAX];
	int size = vsnprintf(line, sizeof(line), fmt, args);

	/* What fails is said by the caller, with what to do. */
	if (size > 0 && level <= LIBXDP_INFO)
		log_debug("libxdp: %.*s", (int)strcspn(line, "\n"), line);
	return size;
}

/* ---- what libxdp leaves open ---- */

/*
 * libxdp before 1.4 forgets the descriptors by which it looked at programs
 * (its issue 343): whoever looks often would run out of them. Nobody else in
 * moatd opens programs meanwhile, so what is there after a look, and was not
 * before, is such a one.
 */
#define PROGRAMS_OPEN_MAX 1024

struct open_programs {
	int fd[PROGRAMS_OPEN_MAX];
	size_t count;
};

static bool has_open(const struct open_programs *open, int fd)
{
	for (size_t i = 0; i < open->count; i++)
		if (open->fd[i] == fd)
			return true;
	return false;
}

/* Without /proc there are none. */
static void list_open(struct open_programs *open)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;
	char what[32];

	open->count = 0;
	while (dir && open->count < PROGRAMS_OPEN_MAX && (entry = readdir(dir))) {
		ssize_t size = readlinkat(dirfd(dir), entry->d_name, what, sizeof(what) - 1);

		what[size > 0 ? size : 0] = '\0';
		if (!strcmp(what, "anon_inode:bpf-prog"))
			open->fd[open->count++] = (int)strtol(entry->d_name, NULL, 10);
	}
	if (dir)
		closedir(dir);
}

/* Of a list that is empty or full nothing follows. */
static void close_forgotten(const struct open_programs *before)
{
	struct open_programs now;

	if (!before->count || before->count == PROGRAMS_OPEN_MAX)
		return;
	list_open(&now);
	for (size_t i = 0; i < now.count; i++)
		if (!has_open(before, now.fd[i]))
			close(now.fd[i]);
}

/* ---- the dispatcher ---- */

/* The dispatcher, or the program alone, of an interface. 0 with NULL: there is none. */
static int open_dispatcher(uint32_t ifindex, struct xdp_multiprog **ret)
{
	struct xdp_multiprog *found;
	long r;

	libxdp_set_print(print);
	found = xdp_multiprog__get_from_ifindex((int)ifindex);
	r = libxdp_get_error(found);
	*ret = r ? NULL : found;
	return r == -ENOENT ? 0 : (int)r;
}

static enum attach_mode mode_of(const struct xdp_multiprog *found)
{
	return xdp_multiprog__attach_mode(found) == XDP_MODE_SKB ? ATTACH_GENERIC : ATTACH_NATIVE;
}

static int look(uint32_t ifindex, struct chain *ret)
{
	_cleanup_(close_dispatcherp) struct xdp_multiprog *found = NULL;
	const struct xdp_program *at = NULL;
	int r = open_dispatcher(ifindex, &found);

	if (r)
		return r;
	*ret = (struct chain){};
	if (!found)
		return 0;
	ret->mode = mode_of(found);
	ret->alone = xdp_multiprog__is_legacy(found);
	while (!ret->alone && (at = xdp_multiprog__next_prog(at, found))) {
		struct chain_program *to = &ret->program[ret->count];

		if (ret->count == CHAIN_MAX)
			return -E2BIG;
		to->id = xdp_program__id(at);
		to->priority = xdp_program__run_prio(at);
		snprintf(to->name, sizeof(to->name), "%s", xdp_program__name(at));
		ret->count++;
	}
	return 0;
}

int chain_look(uint32_t ifindex, struct chain *ret)
{
	struct open_programs before;
	int r;

	list_open(&before);
	r = look(ifindex, ret);
	close_forgotten(&before);
	return r;
}

/* Without the rights, or on an old kernel, libxdp attaches a program alone and says nothing. */
static int refuse_alone(struct xdp_program *program, uint32_t ifindex)
{
	struct chain now;
	int r = chain_look(ifindex, &now);

	if (!r && !now.alone)
		return 0;
	xdp_program__detach(program, (int)ifindex, XDP_MODE_UNSPEC, 0);
	return r ?: -EOPNOTSUPP;
}

int chain_attach(struct bpf_object *object, const char *name, uint32_t priority, uint32_t ifindex,
		 enum attach_mode mode, uint32_t *ret_id)
{
	_cleanup_(close_programp) struct xdp_program *program = NULL;
	DECLARE_LIBXDP_OPTS(xdp_program_opts, opts, .obj = object, .prog_name = name);
	long r;

	libxdp_set_print(print);
	program = xdp_program__create(&opts);
	r = libxdp_get_error(program);
	if (r) {
		program = NULL;
		return (int)r;
	}
	r = xdp_program__set_run_prio(program, priority)
		    ?: xdp_program__set_chain_call_enabled(program, XDP_PASS, true);
	r = r
		    ?: xdp_program__attach(program, (int)ifindex,
					   mode == ATTACH_GENERIC ? XDP_MODE_SKB : XDP_MODE_NATIVE,
					   0);
	r = r ?: refuse_alone(program, ifindex);
	if (!r)
		*ret_id = xdp_program__id(program);
	return (int)r;
}

static int detach(uint32_t ifindex, uint32_t id)
{
	_cleanup_(close_dispatcherp) struct xdp_multiprog *found = NULL;
	struct xdp_program *at = NULL;
	int r = open_dispatcher(ifindex, &found);

	if (r || !found || xdp_multiprog__is_legacy(found))
		return r ?: -ENOENT;
	while ((at = xdp_multiprog__next_prog(at, found)))
		if (xdp_program__id(at) == id)
			return xdp_program__detach(at, (int)ifindex, XDP_MODE_UNSPEC, 0);
	return -ENOENT;
}

int chain_detach(uint32_t ifindex, uint32_t id)
{
	struct open_programs before;
	int r;

	list_open(&before);
	r = detach(ifindex, id);
	close_forgotten(&before);
	return r;
}

void chain_describe(const struct chain *chain, uint32_t id, char buf[static CHAIN_PLACE])
{
	size_t used = 0, own = 0;

	buf[0] = '\0';
	while (own < chain->count && chain->program[own].id != id)
		own++;
	if (own == chain->count)
		return;
	for (size_t i = 0; i < chain->count && used < CHAIN_PLACE; i++) {
		const struct chain_program *other = &chain->program[i];

		if (i != own)
			used += (size_t)snprintf(buf + used, CHAIN_PLACE - used, "%s %s (%u), ",
						 i < own ? "behind" : "before", other->name,
						 other->priority);
	}
	if (used < CHAIN_PLACE)
		snprintf(buf + used, CHAIN_PLACE - used, "%spriority %u", used ? "" : "alone, ",
			 chain->program[own].priority);
}
