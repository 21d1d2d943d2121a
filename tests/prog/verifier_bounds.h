/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the programs were when somebody last looked: tests/prog/test_verifier.c
 * compares. Written by "sudo make verifier-record", not by hand.
 */
#ifndef PROG_VERIFIER_BOUNDS_H
#define PROG_VERIFIER_BOUNDS_H

#define VERIFIER_CLANG	14
#define VERIFIER_KERNEL "6.18"

/* clang-format off */
/*  program, instructions as compiled, walked by the verifier, bytes of machine code */
#define VERIFIER_BOUNDS(X) \
	X(moat_ingress, 3582, 134542, 16012) \
	X(moat_chained, 3553, 132754, 15928) \
	X(moat_mark, 11, 13, 66) \
	X(moat_egress, 944, 15120, 4463)
/* clang-format on */

#endif
