/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A growing text buffer, and the Prometheus exposition format (text 0.0.4)
 * written into it. Errors stick: check text.failed once, at the end.
 */
#ifndef CORE_TEXT_H
#define CORE_TEXT_H

#include <stdarg.h>

#include "core/base.h"

struct text {
	char *data; /* owned; NUL-terminated once something was added */
	size_t size;
	size_t room;
	bool failed; /* out of memory: data is not to be used */
};

void text_free(struct text *t);
_printf_(2, 3) void text_add(struct text *t, const char *fmt, ...);

/* "# HELP" and "# TYPE" of a family; type is counter, gauge or histogram. Once, before its samples. */
void text_metric(struct text *t, const char *name, const char *type, const char *help);

/*
 * One sample. labels are name, value pairs ended by NULL; values are escaped.
 *	text_sample(t, "moat_sources", 12, "family", "ipv4", "state", "wanted", NULL);
 * Whole numbers are written whole.
 */
void text_sample(struct text *t, const char *name, double value, ...) __attribute__((sentinel));

#endif
