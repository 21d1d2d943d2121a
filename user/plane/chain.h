/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Beside other XDP programs: libxdp's dispatcher, which calls several programs
 * in the order of their priorities while they say XDP_PASS. The only user of
 * libxdp. Private to plane/.
 *
 * libxdp keeps its state in BPFFS/xdp, locks it, and puts a new dispatcher in
 * place of the old one in one step. Looking at programs takes CAP_SYS_ADMIN.
 */
#ifndef PLANE_CHAIN_H
#define PLANE_CHAIN_H

#include "plane/program.h"

struct bpf_object;

#define CHAIN_MAX  10 /* programs under a dispatcher */
#define CHAIN_NAME 16

/* What an interface has. */
struct chain {
	enum attach_mode mode; /* ATTACH_NONE: no XDP program */
	bool alone;	       /* one that is under no dispatcher: it is none of ours to move */
	struct chain_program {
		uint32_t id, priority;
		char name[CHAIN_NAME];
	} program[CHAIN_MAX]; /* in the order they run */
	size_t count;
};

/* 0 also where there is nothing; negative errno: it cannot be told. */
int chain_look(uint32_t ifindex, struct chain *ret);

/*
 * Loads the object, which must not be loaded yet, with the program of this
 * name, and puts it under the interface's dispatcher, which is made if there
 * is none. -EOPNOTSUPP: the kernel, or a lack of rights, lets it stand alone
 * only; then it was taken off again. *ret_id: of the program.
 */
int chain_attach(struct bpf_object *object, const char *name, uint32_t priority, uint32_t ifindex,
		 enum attach_mode mode, uint32_t *ret_id);

/* Takes a program from under the dispatcher; the last one takes it with it. */
int chain_detach(uint32_t ifindex, uint32_t id);

/* "behind xdp_filter (10), before other (60), priority 20" for program id; "" if it is not there. */
void chain_describe(const struct chain *chain, uint32_t id, char buf[static CHAIN_PLACE]);

#endif
