/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/labels.h"

#include "daemon/discover.h"

static const char *const verdicts[MOAT_VERDICT_MAX] = {
#define X(name, label) [MOAT_VERDICT_##name] = label,
	MOAT_VERDICTS(X)
#undef X
};

static const char *const families[MOAT_FAMILY_MAX] = {
#define X(name, label) [MOAT_##name] = label,
	MOAT_FAMILIES(X)
#undef X
};

static const char *const actions[MOAT_ACTION_MAX] = {
#define X(name, label) [MOAT_ACTION_##name] = label,
	MOAT_ACTIONS(X)
#undef X
};

static const char *const never_block[DISCOVER_KINDS] = {
#define X(name, label, several) [DISCOVER_##name] = label,
	DISCOVER_LIST(X)
#undef X
};

static const struct {
	const char *label, *text;
} reasons[MOAT_REASON_MAX] = { [MOAT_CLEAN] = { MOAT_CLEAN_LABEL, MOAT_CLEAN_TEXT },
#define X(name, verdict, label, text) [MOAT_##name] = { label, text },
			       MOAT_REASONS_POLICY(X) MOAT_REASONS_PLAIN(X)
#undef X
};

static const char *or_empty(const char *s)
{
	return s ? s : "";
}

const char *label_verdict(uint32_t verdict)
{
	return verdict < MOAT_VERDICT_MAX ? verdicts[verdict] : "";
}

const char *label_family(uint32_t family)
{
	return family < MOAT_FAMILY_MAX ? families[family] : "";
}

const char *label_action(uint32_t action)
{
	return action < MOAT_ACTION_MAX ? actions[action] : "";
}

const char *label_never_block(uint32_t kind)
{
	return kind < DISCOVER_KINDS ? never_block[kind] : "";
}

const char *label_reason(uint32_t reason)
{
	return reason < MOAT_REASON_MAX ? or_empty(reasons[reason].label) : "";
}

const char *label_reason_text(uint32_t reason)
{
	return reason < MOAT_REASON_MAX ? or_empty(reasons[reason].text) : "";
}
