/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the verifier has to walk, and how large the programs are: compared with
 * what was recorded (tests/prog/verifier_bounds.h), so that a change that makes
 * a program much dearer to load, or much longer, is seen with the change.
 *
 * VERIFIER_RECORD=FILE writes a new record instead ("make verifier-record").
 * Needs root.
 */
#include "tests/prog/cmocka.h"

#include <sys/utsname.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "moat.skel.h"
#include "core/base.h"
#include "tests/prog/verifier_bounds.h"

#define DEVIATION    10	    /* percent, to either side */
#define SLACK	     32	    /* that may come or go besides, so that a tiny program may change */
#define WALK_MAX     300000 /* of the 1,000,000 that a kernel allows: older ones prune less */
#define LOG_STATS    4	    /* BPF_LOG_STATS: the sums alone */
#define LOG_ROOM     65536
#define PROGRAMS     8
#define PROGRAM_NAME 24

struct figures {
	char name[PROGRAM_NAME];
	uint32_t object;   /* instructions as compiled */
	uint32_t verified; /* instructions walked */
	uint32_t jited;	   /* bytes of machine code; 0: not told */
	char stack[64];	   /* bytes by function, "96+0+24" */
};

static struct figures measured[PROGRAMS];
static size_t programs;

static const struct figures recorded[] = {
#define X(program, object, verified, jited) { #program, object, verified, jited, "" },
	VERIFIER_BOUNDS(X)
#undef X
};

/* ---- measuring ---- */

static int quiet(enum libbpf_print_level level, const char *fmt, va_list args)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, fmt, args) : 0;
}

/* With the sieve, and multi-buffer support where the kernel has it, as moatd loads it. */
static struct moat *load(bool frags, char (*logs)[LOG_ROOM])
{
	struct moat *skel = moat__open();
	struct bpf_program *program;

	assert_non_null(skel);
	programs = 0;
	bpf_object__for_each_program(program, skel->obj)
	{
		assert_true(programs < PROGRAMS);
		bpf_program__set_autoload(program, true); /* also what stands in for another one */
		bpf_program__set_log_level(program, LOG_STATS);
		bpf_program__set_log_buf(program, logs[programs++], LOG_ROOM);
	}
	skel->rodata->moat_sieved = 1;	   /* else the verifier leaves its branches out */
	skel->rodata->moat_event_room = 1; /* likewise */
	skel->rodata->moat_frags = frags;
	if (frags) {
		bpf_program__set_flags(skel->progs.moat_ingress, BPF_F_XDP_HAS_FRAGS);
		bpf_program__set_flags(skel->progs.moat_chained, BPF_F_XDP_HAS_FRAGS);
	}
	if (!moat__load(skel))
		return skel;
	moat__destroy(skel);
	return NULL;
}

static void read_log(const char *log, struct figures *f)
{
	const char *processed = strstr(log, "processed ");
	const char *stack = strstr(log, "stack depth ");

	assert_non_null(processed);
	assert_int_equal(sscanf(processed, "processed %u insns", &f->verified), 1);
	if (stack) /* since 7.3 the deepest in one number, and a line for each function */
		assert_true(sscanf(stack, "stack depth %63[0-9+]", f->stack) == 1 ||
			    sscanf(stack, "stack depth max %63[0-9]", f->stack) == 1);
}

static void read_info(int fd, struct figures *f)
{
	struct bpf_prog_info info = {};
	uint32_t size = sizeof(info);

	assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &size), 0);
	f->jited = info.jited_prog_len;
	if (info.verified_insns) /* since 5.16 */
		assert_int_equal(info.verified_insns, f->verified);
}

static int measure(void **state)
{
	_cleanup_free_ char(*logs)[LOG_ROOM] = calloc(PROGRAMS, sizeof(*logs));
	struct bpf_program *program;
	struct moat *skel;
	size_t i = 0;

	(void)state;
	assert_non_null(logs);
	libbpf_set_print(quiet);
	skel = load(true, logs) ?: load(false, logs);
	if (!skel) {
		print_error("the programs do not load (these tests need root and BPF)\n");
		return -1;
	}
	bpf_object__for_each_program(program, skel->obj)
	{
		struct figures *f = &measured[i];

		snprintf(f->name, sizeof(f->name), "%s", bpf_program__name(program));
		f->object = (uint32_t)bpf_program__insn_cnt(program);
		read_log(logs[i++], f);
		read_info(bpf_program__fd(program), f);
		print_message("%s: %u instructions, the verifier walked %u, stack %s, "
			      "%u bytes of machine code\n",
			      f->name, f->object, f->verified, f->stack, f->jited);
	}
	moat__destroy(skel);
	return 0;
}

/* ---- what it was made and measured with ---- */

/* The major version that the object carries in its .comment; 0: it does not say. */
static unsigned int clang_version(void)
{
	static const char words[] = "clang version ";
	size_t size;
	const char *elf = moat__elf_bytes(&size);
	const char *at = memmem(elf, size, words, strlen(words));
	unsigned int version = 0;

	return at && sscanf(at + strlen(words), "%u", &version) == 1 ? version : 0;
}

/* "6.18" */
static void kernel_version(char ret[static 16])
{
	struct utsname name;
	unsigned int major, minor;

	assert_int_equal(uname(&name), 0);
	assert_int_equal(sscanf(name.release, "%u.%u", &major, &minor), 2);
	snprintf(ret, 16, "%u.%u", major, minor);
}

static bool same_clang(void)
{
	if (clang_version() == VERIFIER_CLANG)
		return true;
	print_message("recorded with clang %u, this object was made by %u: not compared\n",
		      VERIFIER_CLANG, clang_version());
	return false;
}

static bool same_kernel(void)
{
	char kernel[16];

	kernel_version(kernel);
	if (!strcmp(kernel, VERIFIER_KERNEL))
		return true;
	print_message("recorded on Linux %s, this is %s: not compared\n", VERIFIER_KERNEL, kernel);
	return false;
}

/* ---- recording ---- */

static int record(const char *path)
{
	FILE *file = fopen(path, "we");
	char kernel[16];

	if (!file) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return 1;
	}
	kernel_version(kernel);
	fprintf(file,
		"/* SPDX-License-Identifier: BSD-2-Clause */\n"
		"/*\n"
		" * What the programs were when somebody last looked: tests/prog/test_verifier.c\n"
		" * compares. Written by \"sudo make verifier-record\", not by hand.\n"
		" */\n"
		"#ifndef PROG_VERIFIER_BOUNDS_H\n"
		"#define PROG_VERIFIER_BOUNDS_H\n"
		"\n"
		"#define VERIFIER_CLANG\t%u\n"
		"#define VERIFIER_KERNEL \"%s\"\n"
		"\n"
		"/* clang-format off */\n"
		"/*  program, instructions as compiled, walked by the verifier, bytes of machine code */\n"
		"#define VERIFIER_BOUNDS(X)",
		clang_version(), kernel);
	for (size_t i = 0; i < programs; i++)
		fprintf(file, " \\\n\tX(%s, %u, %u, %u)", measured[i].name, measured[i].object,
			measured[i].verified, measured[i].jited);
	fprintf(file, "\n/* clang-format on */\n\n#endif\n");
	return fclose(file) ? 1 : 0;
}

/* ---- comparing ---- */

static const struct figures *record_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(recorded); i++)
		if (!strcmp(recorded[i].name, name))
			return &recorded[i];
	return NULL;
}

static bool within(const char *program, const char *what, uint32_t now, uint32_t then)
{
	uint32_t may = then / 100 * DEVIATION + SLACK;

	if (now <= then + may && now + may >= then)
		return true;
	print_error("%s: %s: %u, recorded %u (+-%u %%): if this is meant, record it by "
		    "'sudo make verifier-record' and commit it with the change\n",
		    program, what, now, then, DEVIATION);
	return false;
}

static void every_program_is_recorded(void **state)
{
	(void)state;
	for (size_t i = 0; i < programs; i++)
		if (!record_of(measured[i].name))
			fail_msg("%s is new: 'sudo make verifier-record'", measured[i].name);
	assert_int_equal(programs, ARRAY_SIZE(recorded));
}

static void the_programs_are_as_long_as_recorded(void **state)
{
	bool good = true;

	(void)state;
	if (!same_clang())
		skip();
	for (size_t i = 0; i < programs; i++) {
		const struct figures *then = record_of(measured[i].name);

		if (then)
			good &= within(then->name, "instructions", measured[i].object,
				       then->object);
	}
	assert_true(good);
}

static void the_verifier_walks_and_the_machine_gets_as_much_as_recorded(void **state)
{
	bool good = true;

	(void)state;
	if (!same_clang() || !same_kernel())
		skip();
	for (size_t i = 0; i < programs; i++) {
		const struct figures *then = record_of(measured[i].name);

		if (!then)
			continue;
		good &= within(then->name, "instructions walked by the verifier",
			       measured[i].verified, then->verified);
		if (measured[i].jited && then->jited)
			good &= within(then->name, "bytes of machine code", measured[i].jited,
				       then->jited);
	}
	assert_true(good);
}

static void the_verifier_is_far_from_its_limit(void **state)
{
	(void)state;
	for (size_t i = 0; i < programs; i++)
		assert_true(measured[i].verified < WALK_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_program_is_recorded),
		cmocka_unit_test(the_programs_are_as_long_as_recorded),
		cmocka_unit_test(the_verifier_walks_and_the_machine_gets_as_much_as_recorded),
		cmocka_unit_test(the_verifier_is_far_from_its_limit),
	};
	const char *path = getenv("VERIFIER_RECORD");

	if (path)
		return measure(NULL) ? 1 : record(path);
	return cmocka_run_group_tests(tests, measure, NULL);
}
