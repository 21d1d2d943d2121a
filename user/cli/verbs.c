/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/verbs.h"

/* clang-format off */
const struct verb *const cli_verbs[] = {
	&verb_status,  &verb_explain,
	&verb_add,     &verb_allow,   &verb_remove,  &verb_list,
	&verb_top,     &verb_tail,    &verb_capture,
	&verb_import,  &verb_feeds,
	&verb_apply,   &verb_confirm, &verb_rollback,
	&verb_attach,  &verb_detach,  &verb_pause,   &verb_resume,
	&verb_audit,   &verb_metrics, &verb_token,
	&verb_completion, &verb_version,
	NULL,
};
/* clang-format on */
