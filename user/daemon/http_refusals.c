/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/http_refusals.h"

static const struct {
	const char *label, *text;
} refusals[] = {
#define X(name, label, text) { label, text },
	HTTP_REFUSALS(X)
#undef X
};

const char *http_refusal_label(enum http_refusal refusal)
{
	return refusals[refusal].label;
}

const char *http_refusal_text(enum http_refusal refusal)
{
	return refusals[refusal].text;
}
