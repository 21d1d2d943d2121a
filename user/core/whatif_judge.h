/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a configuration does to a packet of a source with these listings: the
 * policy of README.md ("What a packet gets") in plain C, without any map.
 * Private to core/whatif*.c.
 */
#ifndef CORE_WHATIF_JUDGE_H
#define CORE_WHATIF_JUDGE_H

#include "core/whatif.h"

/* The claims on one address. Their texts live as long as the model does not change. */
struct claims_seen {
	struct whatif_claim claim[WHATIF_CLAIMS_MAX];
	size_t count;
};

/* A whatif_claim_fn; arg is the struct claims_seen. */
void claims_keep(void *arg, const struct whatif_claim *claim);

/* What the listings come to: by index of the configuration's categories. */
struct standing {
	bool allowed;
	uint64_t acts;	   /* bit c: its policy acts */
	uint64_t monitors; /* bit c: it only counts */
};

/* running: the configuration that the claims of the never-block set are of. */
void standing_of(const struct config *config, const struct config *running,
		 const struct prefix *host, const struct claims_seen *claims, struct standing *ret);

enum fate { FATE_PASSED, FATE_TAGGED, FATE_LIMITED, FATE_DROPPED };

struct judged {
	enum fate fate;
	size_t category; /* index of what decided; CONFIG_CATEGORIES_MAX: none */
	uint32_t mark, dscp;
};

void judge(const struct config *config, const struct standing *standing,
	   const struct moat_sample *sample, bool enforce, struct judged *ret);

#endif
