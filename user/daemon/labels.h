/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The names of verdicts, families, reasons and actions, from the lists in
 * include/moat/. A number that has no name is "" (a label's unused value).
 */
#ifndef DAEMON_LABELS_H
#define DAEMON_LABELS_H

#include "core/base.h"
#include "moat/policy.h"
#include "moat/reason.h"

const char *label_verdict(uint32_t verdict);
const char *label_family(uint32_t family);
const char *label_reason(uint32_t reason);
const char *label_reason_text(uint32_t reason);
const char *label_action(uint32_t action);
const char *label_never_block(uint32_t kind); /* enum discover_kind */

#endif
