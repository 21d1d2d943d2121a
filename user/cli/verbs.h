/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The verbs, each defined beside its code in verb_*.c.
 */
#ifndef CLI_VERBS_H
#define CLI_VERBS_H

#include "cli/cli.h"

extern const struct verb verb_status;
extern const struct verb verb_add;
extern const struct verb verb_allow;
extern const struct verb verb_remove;
extern const struct verb verb_list;
extern const struct verb verb_explain;
extern const struct verb verb_top;
extern const struct verb verb_tail;
extern const struct verb verb_capture;
extern const struct verb verb_completion;
extern const struct verb verb_metrics;
extern const struct verb verb_audit;
extern const struct verb verb_import;
extern const struct verb verb_feeds;
extern const struct verb verb_apply;
extern const struct verb verb_confirm;
extern const struct verb verb_rollback;
extern const struct verb verb_attach;
extern const struct verb verb_detach;
extern const struct verb verb_pause;
extern const struct verb verb_resume;
extern const struct verb verb_token;
extern const struct verb verb_version;

/* "confirm IFACE", of verb_switch.c. */
int switch_confirm(struct cli *cli, const char *iface);

#endif
