/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What another configuration would have done to the traffic of the last
 * minutes (core/whatif.h), asked of the listings and samples of this daemon.
 */
#ifndef DAEMON_EFFECT_H
#define DAEMON_EFFECT_H

#include "core/config_change.h"
#include "core/emit.h"
#include "core/whatif.h"
#include "daemon/daemon.h"

struct effect {
	struct whatif_effect traffic;
	char changes[CHANGE_TEXT_MAX]; /* keys, for people */
	char unjudged[WHATIF_TEXT];    /* what it changes and that is not judged; "": nothing */
};

/* 0 or -ENOMEM. */
int effect_of(struct daemon *d, const struct config *next, struct effect *ret);

/* "effect" */
void effect_emit(const struct effect *effect, struct emit *e);

#endif
