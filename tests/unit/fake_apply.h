/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A configuration that is applied, for the tests of the HTTP side.
 */
#ifndef TESTS_FAKE_APPLY_H
#define TESTS_FAKE_APPLY_H

#include "daemon/apply.h"

struct fake_apply {
	int error; /* of the next call, with: */
	const char *why;
	struct apply_view view;
	/* What was asked last. */
	const char *call; /* "apply", "confirm", "rollback"; NULL: nothing */
	char text[256];
	int64_t seconds;
	char actor[32];
};

extern struct fake_apply fake_apply;

void fake_apply_reset(void);

#endif
