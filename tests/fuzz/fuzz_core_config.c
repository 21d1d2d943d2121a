// SPDX-License-Identifier: BSD-2-Clause
/*
 * Any bytes into config_parse(). Either they become a configuration within its
 * limits, or the message has file, line and column and no control characters.
 */
#include <ctype.h>

#include "core/config.h"
#include "core/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good)
{
	if (!good)
		abort();
}

static const char *skip_number(const char *p)
{
	check(*p >= '1' && *p <= '9');
	while (isdigit((unsigned char)*p))
		p++;
	return p;
}

static void check_problem(const struct problem *why)
{
	static const char head[] = "fuzz:";
	const char *p = why->text;

	check(!strncmp(p, head, strlen(head)));
	p = skip_number(p + strlen(head));
	check(*p == ':');
	p = skip_number(p + 1);
	check(!strncmp(p, ": ", 2) && p[2]);
	for (; *p; p++)
		check((unsigned char)*p >= 0x20 && (unsigned char)*p < 0x7f);
}

static void check_category(const struct config_category *c)
{
	const struct moat_policy *p = &c->policy;

	check(c->name[0] && strcmp(c->name, "allow") && strcmp(c->name, "selftest"));
	check(p->action < MOAT_ACTION_MAX);
	check(!(p->flags & MOAT_POLICY_PORTS) == !c->ports);
	check(!(p->flags & MOAT_POLICY_PORTS) || p->flags & MOAT_POLICY_PROTOCOLS);
	check(p->dscp <= 63);
	if (p->action == MOAT_ACTION_LIMIT)
		check(p->cost > 0 && p->burst > 0 && p->burst < 1ULL << 62);
	check(c->k_of >= 1 && c->k_of <= MODEL_K_MAX);
	check(c->k_of == 1 || p->action != MOAT_ACTION_MONITOR);
	if (p->flags & MOAT_POLICY_SHARED)
		check(p->action == MOAT_ACTION_TAG && !(p->flags & MOAT_POLICY_PROTOCOLS));
	if (p->action == MOAT_ACTION_TAG)
		check(p->flags & (MOAT_POLICY_MARK | MOAT_POLICY_DSCP));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(config_freep) struct config *c = NULL;
	struct problem why = {};

	if (config_parse("fuzz", (const char *)data, size, &c, &why)) {
		check(!c);
		check_problem(&why);
		return 0;
	}
	check(c->interfaces > 0 && c->categories <= CONFIG_CATEGORIES_MAX);
	check(c->capacity[0] > 0 && c->capacity[1] > 0);
	check(c->min_prefix[MOAT_IPV4] <= 32 && c->min_prefix[MOAT_IPV6] <= 128);
	check(c->database && c->socket && c->pins);
	for (size_t i = 0; i < c->categories; i++)
		check_category(&c->category[i]);
	for (size_t i = 0; i < c->never_blocks; i++)
		check(c->never_block[i].len <= prefix_max(c->never_block[i].family));
	return 0;
}
