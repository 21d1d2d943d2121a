// SPDX-License-Identifier: BSD-2-Clause
/*
 * Every source is asked for: no view of the buckets is in force.
 */
#include "core/sieve_private.h"

struct sieve_six {
	uint64_t asked;
};

int six_new(const struct sieve_maps *maps, struct sieve_six **ret)
{
	(void)maps;
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

struct sieve_six *six_free(struct sieve_six *s)
{
	free(s);
	return NULL;
}

void six_put(struct sieve_six *s, const struct prefix *source, uint32_t class, uint32_t expires)
{
	(void)source;
	(void)class;
	(void)expires;
	s->asked = 1;
}

void six_delete(struct sieve_six *s, const struct prefix *source)
{
	(void)s;
	(void)source;
}

bool six_wants_grace(const struct sieve_six *s)
{
	(void)s;
	return false;
}

void six_grace(struct sieve_six *s)
{
	(void)s;
}

void six_numbers(const struct sieve_six *s, struct sieve_numbers *ret)
{
	ret->asked += s->asked;
}
