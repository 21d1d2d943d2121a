/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/effect.h"

#include "daemon/samples.h"

static void each_claim(void *source, const struct prefix *address, whatif_claim_fn fn, void *arg)
{
	const struct daemon *d = source;

	sync_each_claim(d->sync, address, fn, arg);
}

static const char *name_of(void *arg, uint32_t index)
{
	const struct daemon *d = arg;
	struct iface_view view;

	for (size_t i = 0; i < ifaces_count(d->ifaces); i++) {
		ifaces_view(d->ifaces, i, &view);
		if (view.attachment.ifindex == index)
			return view.name;
	}
	return NULL;
}

int effect_of(struct daemon *d, const struct config *next, struct effect *ret)
{
	const struct whatif_question question = {
		.now = d->config,
		.next = next,
		.claims = each_claim,
		.claims_arg = d,
		.interface = name_of,
		.interface_arg = d,
		.passed = samples_passed(d->samples),
		.dropped = samples_dropped(d->samples),
		.time = samples_now(),
	};

	*ret = (struct effect){};
	config_changes_text(d->config, next, ret->changes);
	whatif_unjudged(d->config, next, ret->unjudged);
	return whatif_ask(&question, &ret->traffic);
}

static void emit_share(struct emit *e, const char *key, bool judged,
		       const struct whatif_share *share)
{
	char source[PREFIX_TEXT_MAX];

	if (!judged) {
		emit_null(e, key);
		return;
	}
	emit_begin(e, key, '{');
	emit_real(e, "share", share->share);
	emit_real(e, "at_least", share->at_least);
	emit_real(e, "at_most", share->at_most);
	emit_begin(e, "categories", '[');
	for (size_t i = 0; i < share->categories; i++) {
		emit_begin(e, NULL, '{');
		emit_text(e, "category", share->category[i].name);
		emit_real(e, "share", share->category[i].share);
		emit_end(e, '}');
	}
	emit_end(e, ']');
	emit_begin(e, "sources", '[');
	for (size_t i = 0; i < share->tops; i++) {
		emit_begin(e, NULL, '{');
		emit_text(e, "source", prefix_format(&share->top[i].source, source));
		emit_real(e, "share", share->top[i].share);
		emit_end(e, '}');
	}
	emit_end(e, ']');
	emit_end(e, '}');
}

void effect_emit(const struct effect *effect, struct emit *e)
{
	const struct whatif_effect *traffic = &effect->traffic;

	emit_begin(e, "effect", '{');
	emit_text(e, "changes", effect->changes);
	emit_whole(e, "seconds", traffic->seconds);
	emit_whole(e, "passed_samples", (int64_t)traffic->passed);
	emit_whole(e, "dropped_samples", (int64_t)traffic->dropped);
	emit_share(e, "dropped_more", traffic->judged, &traffic->more);
	emit_share(e, "limited_more", traffic->judged, &traffic->limited);
	emit_share(e, "tagged_otherwise", traffic->judged, &traffic->tagged);
	emit_share(e, "dropped_less", traffic->judged_drops, &traffic->less);
	emit_text(e, "not_judged", *effect->unjudged ? effect->unjudged : NULL);
	emit_end(e, '}');
}
