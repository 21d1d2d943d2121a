/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two configuration files compared, and one shown, key by key as they were
 * written: what a person changed, not what it comes to.
 *
 * Who uses it: whoever applies a configuration, for the audit log and for
 * people. Values are never handed out by config_changes(): they may be secret.
 */
#ifndef CORE_CONFIG_CHANGE_H
#define CORE_CONFIG_CHANGE_H

#include "core/config.h"
#include "core/emit.h"

#define CHANGE_KEY_MAX	256 /* bytes of "categories.botnet.action" */
#define CHANGE_TEXT_MAX 384 /* bytes of what config_changes_text() writes */

/*
 * Calls fn for each key that was added, removed or has another value:
 * "capacity.ipv4", "feeds.partner.url", "interfaces.eth0" (elements of lists
 * are told by their name, other lists are one value). Returns how many, or
 * -ENOMEM. Both files were parsed once, so they are good.
 */
ssize_t config_changes(const struct config *was, const struct config *next,
		       void (*fn)(void *arg, const char *key), void *arg);

/* "categories.botnet.action, feeds.partner and 3 more keys", "nothing". Returns buf. */
const char *config_changes_text(const struct config *was, const struct config *next,
				char buf[static CHANGE_TEXT_MAX]);

/*
 * The file as JSON under key, all values as text. Of an address
 * (https://user:secret@host/path?key=secret) the user and the query are
 * replaced by stars.
 */
void config_emit(const struct config *config, struct emit *e, const char *key);

#endif
