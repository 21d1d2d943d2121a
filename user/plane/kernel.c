/* SPDX-License-Identifier: BSD-2-Clause */
#include "plane/kernel.h"

#include <linux/capability.h>
#include <sys/syscall.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "core/log.h"
#include "plane/program.h"

#define PRIVILEGE_TEXT_MAX 256
#define VERIFIER_LINES	   12 /* of a message that are shown: the last ones say why */

/* Capabilities in effect as one word; all of them if that cannot be told. */
static uint64_t capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};

	if (syscall(SYS_capget, &header, data))
		return ~0ULL;
	return data[0].effective | (uint64_t)data[1].effective << 32;
}

static bool capable(int capability)
{
	return capabilities() & (1ULL << capability);
}

/* Reading a packet at an offset that is computed takes CAP_PERFMON on top of CAP_BPF. */
static void missing_privilege(char *buf, size_t room)
{
	static const struct {
		int number;
		bool of_admin; /* CAP_SYS_ADMIN stands for it */
		const char *name;
	} needed[] = {
		{ CAP_BPF, true, "CAP_BPF" },
		{ CAP_NET_ADMIN, false, "CAP_NET_ADMIN" },
		{ CAP_PERFMON, true, "CAP_PERFMON" },
	};
	bool admin = capable(CAP_SYS_ADMIN);
	size_t at = 0;

	for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
		if (capable(needed[i].number) || (admin && needed[i].of_admin))
			continue;
		at += (size_t)snprintf(buf + at, room - at, "%s%s", at ? ", " : "", needed[i].name);
	}
	if (at)
		snprintf(buf + at, room - at, " missing: run as root, or grant what is missing");
	else
		snprintf(buf, room,
			 "although CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON are there: look for file "
			 "permissions, a security module, kernel lockdown, or (before 5.11) the "
			 "limit of locked memory");
}

int kernel_error(struct problem *why, int error, const char *fmt, ...)
{
	char text[PROBLEM_MAX], missing[PRIVILEGE_TEXT_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (error == -EPERM || error == -EACCES) {
		missing_privilege(missing, sizeof(missing));
		return problem_set(why, error, "%s: %s; %s", text, strerror(-error), missing);
	}
	return problem_set(why, error, "%s: %s", text, strerror(-error));
}

/*
 * The kernel answers by the fd's own kind, whatever the caller expects; so
 * callers check a field that tells before they believe the rest.
 */
static int info_by_fd(int fd, void *info, uint32_t size)
{
	memset(info, 0, size);
	return bpf_obj_get_info_by_fd(fd, info, &size);
}

int kernel_map_info(int fd, struct bpf_map_info *ret)
{
	return info_by_fd(fd, ret, sizeof(*ret));
}

int kernel_prog_info(int fd, struct bpf_prog_info *ret)
{
	return info_by_fd(fd, ret, sizeof(*ret));
}

int kernel_link_info(int fd, struct bpf_link_info *ret)
{
	return info_by_fd(fd, ret, sizeof(*ret));
}

int kernel_prog_info_by_id(uint32_t id, struct bpf_prog_info *ret)
{
	_cleanup_close_ int fd = bpf_prog_get_fd_by_id(id);

	return fd < 0 ? -errno : kernel_prog_info(fd, ret);
}

int kernel_check_cpus(struct problem *why)
{
	if (libbpf_num_possible_cpus() > 0)
		return 0;
	return problem_set(why, -ENOSYS,
			   "how many CPUs there are cannot be read in "
			   "/sys/devices/system/cpu/possible: mount sysfs on /sys where moatd runs");
}

size_t kernel_cpus(void)
{
	int cpus = libbpf_num_possible_cpus();

	return cpus > 0 ? (size_t)cpus : 1;
}

/* libbpf calls back without an argument of ours, so this is the process's. */
static int quiet;

void kernel_quiet(bool on)
{
	quiet += on ? 1 : -1;
}

/* Where the last lines of a text begin. */
static char *last_lines(char *text, unsigned int lines)
{
	char *at = text + strlen(text);

	if (at > text && at[-1] == '\n')
		at--;
	for (; at > text; at--)
		if (at[-1] == '\n' && !--lines)
			break;
	return at;
}

/* A verifier log comes as one message of thousands of lines, the cause at its end. */
static int print_libbpf(enum libbpf_print_level level, const char *fmt, va_list args)
{
	enum log_level as = level == LIBBPF_WARN && !quiet ? LOG_NOTICE : LOG_DEBUG;
	_cleanup_free_ char *text = NULL;
	char *rest = NULL;

	if (level == LIBBPF_DEBUG || vasprintf(&text, fmt, args) < 0)
		return 0;
	for (char *line = strtok_r(last_lines(text, VERIFIER_LINES), "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest))
		log_at(as, "%s", line);
	return 0;
}

void program_init_log(void)
{
	libbpf_set_print(print_libbpf);
}
