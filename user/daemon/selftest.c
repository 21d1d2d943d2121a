/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/selftest.h"

#include <linux/in.h>

#include "core/log.h"
#include "daemon/labels.h"

struct prefix selftest_source(uint8_t family)
{
	static const struct prefix source[] = {
		[MOAT_IPV4] = { .family = MOAT_IPV4, .len = 32, .addr = { 198, 51, 100, 255 } },
		[MOAT_IPV6] = { .family = MOAT_IPV6,
				.len = 128,
				.addr = { 0x20, 0x01, 0x0d, 0xb8, 0x6d, 0x6f, 0x61,
					  0x74, [15] = 1 } },
	};

	return source[family];
}

static int selftest_verdict(struct daemon *d, uint8_t family, struct problem *why)
{
	struct explain_query query = { .protocol = IPPROTO_UDP, .port = 9 };
	char text[PREFIX_TEXT_MAX];
	struct explanation e;
	int r;

	query.address = selftest_source(family);
	r = daemon_explain(d, &query, NULL, NULL, &e, why);
	if (r < 0)
		return r;
	if (!e.listed)
		return problem_set(why, -EAGAIN, "the self-test's source is not in force yet");
	if (e.differ)
		return problem_set(why, -EPROTO,
				   "a packet of %s left as %s (%s, category %u), the model says %s "
				   "(%s, category %u): the kernel does not hold what it should; "
				   "restart moatd to reconcile",
				   prefix_format(&query.address, text),
				   label_verdict(e.outcome.verdict), label_reason(e.outcome.reason),
				   e.outcome.category, label_verdict(e.model_verdict),
				   label_reason(e.model_reason), e.model_category);
	return 0;
}

static int selftest_attachments(struct daemon *d, struct problem *why)
{
	for (size_t n = 0; n < ifaces_count(d->ifaces); n++) {
		struct iface_view view;

		ifaces_view(d->ifaces, n, &view);
		if (view.attachment.mode == ATTACH_NONE)
			continue;
		/* What is chained is another program than the probe. */
		if (!program_same(*view.attachment.chain ? view.program : d->probe,
				  view.attachment.program))
			return problem_set(why, -EPROTO,
					   "interface '%s': the attached program (id %u) is not the "
					   "one moatd loaded; 'moatctl attach %s' replaces it",
					   view.name, view.attachment.program, view.name);
	}
	return 0;
}

void selftest_run(struct daemon *d)
{
	struct problem why = {};
	int r = selftest_attachments(d, &why);

	for (uint8_t family = 0; family < 2 && !r; family++)
		r = selftest_verdict(d, family, &why);
	if (r < 0 && strcmp(why.text, d->selftest_problem) != 0)
		log_error("self-test: %s", why.text);
	if (!r && *d->selftest_problem)
		log_notice("self-test: passes again");
	d->selftest_ok = !r;
	snprintf(d->selftest_problem, sizeof(d->selftest_problem), "%s", r ? why.text : "");
}
