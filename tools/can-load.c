// SPDX-License-Identifier: BSD-2-Clause
/*
 * Whether this machine can load the filter: one test line, and if not, why and
 * what to do, in plain text.
 *
 *	can-load OBJECT
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/libbpf.h>

static int quiet(enum libbpf_print_level level, const char *fmt, va_list args)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, fmt, args) : 0;
}

static const char *what_to_do(int error)
{
	if (geteuid() != 0)
		return "run it as root";
	switch (error) {
	case ENOENT:
		return "build the object first (make)";
	case EPERM:
	case EACCES:
		return "BPF is refused to root: a container needs CAP_BPF and CAP_NET_ADMIN, "
		       "and a kernel in lockdown refuses it too";
	case ENOSYS:
	case EOPNOTSUPP:
		return "the kernel has no BPF: 5.10 or newer with CONFIG_BPF_SYSCALL is needed";
	default:
		return "a kernel 5.10 or newer is needed; libbpf's messages say what it refused";
	}
}

int main(int argc, char **argv)
{
	struct bpf_object *object;
	int error;

	if (argc != 2) {
		fprintf(stderr, "usage: can-load OBJECT\n");
		return 2;
	}
	libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
	libbpf_set_print(quiet);
	object = bpf_object__open_file(argv[1], NULL);
	error = object ? -bpf_object__load(object) : errno;
	bpf_object__close(object);
	if (error) {
		printf("not ok - this machine can load the filter\n");
		printf("# %s: %s; %s\n", argv[1], strerror(error), what_to_do(error));
		return 1;
	}
	printf("ok - this machine can load the filter\n");
	return 0;
}
