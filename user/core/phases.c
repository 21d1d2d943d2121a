/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/phases.h"

int phases_init(struct phases *p, uint32_t size)
{
	if (!size)
		size = 1;
	*p = (struct phases){
		.value = calloc(size, sizeof(*p->value)),
		.state = calloc(size, sizeof(*p->state)),
		.link = calloc(size, sizeof(*p->link)),
		.fresh = calloc(size, sizeof(*p->fresh)),
		.size = size,
		.unused = 1,
	};
	return p->value && p->state && p->link && p->fresh ? 0 : -ENOMEM;
}

void phases_fini(struct phases *p)
{
	free(p->value);
	free(p->state);
	free(p->link);
	free(p->fresh);
	*p = (struct phases){};
}

uint32_t phases_take(struct phases *p)
{
	uint32_t index = p->free;

	if (index) {
		p->free = p->link[index];
	} else {
		while (p->state[p->unused] != PHASE_NEVER)
			p->unused++;
		index = p->unused++;
	}
	p->state[index] = PHASE_USED;
	p->used++;
	p->fresh[p->freshes++] = index;
	return index;
}

void phases_retire(struct phases *p, uint32_t index)
{
	p->state[index] = PHASE_RETIRED;
	p->link[index] = p->retired;
	p->retired = index;
}

void phases_settle(struct phases *p)
{
	while (p->retired) {
		uint32_t index = p->retired;

		p->retired = p->link[index];
		p->link[index] = p->free;
		p->free = index;
		p->state[index] = PHASE_FREE;
		p->used--;
	}
	p->freshes = 0;
}

void phases_adopt(struct phases *p, const struct moat_phase *values)
{
	static const struct moat_phase unwritten;

	/* What was never written is not copied, so that it takes no memory here either. */
	for (uint32_t i = 1; i < p->size; i++) {
		if (memcmp(&values[i], &unwritten, sizeof(unwritten)))
			p->value[i] = values[i];
	}
}

bool phases_adopt_chain(struct phases *p, uint32_t first)
{
	uint32_t taken = 0;
	uint32_t at = first;

	while (at && at < p->size && p->state[at] == PHASE_NEVER && taken < MOAT_PHASES_MAX) {
		p->state[at] = PHASE_USED;
		at = p->value[at].next;
		taken++;
	}
	p->used += taken;
	if (!at)
		return true;
	p->used -= taken;
	for (at = first; taken; taken--) {
		p->state[at] = PHASE_NEVER;
		at = p->value[at].next;
	}
	return false;
}
