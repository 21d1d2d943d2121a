/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What this kernel makes of the filter, one fact a line:
 *
 *	about DIR IFACE
 *
 *	insns PROGRAM NUMBER	instructions that the verifier looked at
 *	loads yes|no WHY	the object, by libbpf alone and as moatd loads it
 *	attaches MODE|no WHY	to IFACE; DIR is for pins and stays behind
 *	lacks WHAT WHY		what moat does without
 *
 * Exit status 0 if it loads and attaches in native mode.
 */
#include <stdio.h>
#include <stdlib.h>

#include <bpf/libbpf.h>

#include "moat.skel.h"
#include "plane/program.h"

#define PROGRAMS     16
#define VERIFIER_LOG 65536 /* bytes; statistics alone are a few lines */
#define LOG_STATS    4	   /* BPF_LOG_STATS of the kernel */
#define SOURCES	     1000

static void print_instructions(const char *name, const char *log)
{
	static const char before[] = "processed ";
	const char *at = strstr(log, before);

	printf("insns %s %lu\n", name, at ? strtoul(at + strlen(before), NULL, 10) : 0);
}

/*
 * By libbpf alone, with all its branches. With statistics the verifier gives
 * them in place of its reasons: what it refuses is loaded once more for those.
 */
static int load_plain(bool statistics)
{
	static char log[PROGRAMS][VERIFIER_LOG];
	struct moat *object = moat__open();
	struct bpf_program *program;
	size_t i = 0;
	int r;

	if (!object)
		return -errno;
	object->rodata->moat_sieved = 1;
	if (program_features()->frags) {
		object->rodata->moat_frags = 1;
		bpf_program__set_flags(object->progs.moat_ingress, BPF_F_XDP_HAS_FRAGS);
		bpf_program__set_flags(object->progs.moat_chained, BPF_F_XDP_HAS_FRAGS);
	}
	bpf_program__set_autoload(object->progs.moat_chained, true);
	bpf_object__for_each_program(program, object->obj)
	{
		if (!statistics || i == PROGRAMS)
			break;
		bpf_program__set_log_level(program, LOG_STATS);
		bpf_program__set_log_buf(program, log[i++], VERIFIER_LOG);
	}
	r = moat__load(object);
	i = 0;
	bpf_object__for_each_program(program, object->obj)
	{
		if (!statistics || i == PROGRAMS)
			break;
		print_instructions(bpf_program__name(program), log[i++]);
	}
	moat__destroy(object);
	return r;
}

static int attach(const char *dir, const char *iface)
{
	static const char *const modes[] = {
		[ATTACH_NONE] = "no nothing is attached",
		[ATTACH_NATIVE] = "native",
		[ATTACH_GENERIC] = "generic",
	};
	static const uint32_t capacity[2] = { SOURCES, SOURCES };
	_cleanup_(program_freep) struct program *program = NULL;
	_cleanup_(tables_freep) struct tables *tables = NULL;
	struct attachment attachment;
	struct problem why = {};
	int r;

	r = tables_open(dir, capacity, &tables, &why);
	r = r ?: program_load(tables, dir, iface, &program, &why);
	if (r) {
		printf("loads no %s\n", why.text);
		return r;
	}
	printf("loads yes\n");
	r = program_attach(program, CONFIG_NATIVE, &why);
	r = r ?: program_check(program, &attachment, &why);
	if (r) {
		printf("attaches no %s\n", why.text);
		return r;
	}
	printf("attaches %s\n", modes[attachment.mode]);
	r = program_detach(dir, iface, &why);
	if (r)
		printf("# %s\n", why.text);
	return attachment.mode == ATTACH_NATIVE ? 0 : -EOPNOTSUPP;
}

static void print_lack(void *arg, const char *what, const char *without)
{
	(void)arg;
	printf("lacks %s %s\n", what, without);
}

int main(int argc, char **argv)
{
	int plain, r;

	if (argc != 3) {
		fprintf(stderr, "usage: about DIR IFACE\n");
		return 2;
	}
	libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
	setlinebuf(stdout);
	program_init_log();
	plain = load_plain(true);
	if (plain) {
		printf("loads no %s\n", strerror(-plain));
		load_plain(false);
	}
	r = plain ? plain : attach(argv[1], argv[2]);
	program_lacks(print_lack, NULL);
	return r ? 1 : 0;
}
