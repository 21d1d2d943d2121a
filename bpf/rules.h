/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a listed source's class means for this packet.
 *
 * The class lists its categories strongest action first; the first whose scope
 * fits decides. If that drops, and the source is shared by many, the packet is
 * tagged instead.
 */
#ifndef BPF_RULES_H
#define BPF_RULES_H

#include "bpf/lookup.h"
#include "bpf/maps.h"
#include "bpf/parse.h"

#define NO_CATEGORY (~0U)

static __always_inline bool rule_fits_port(__u16 port, __u32 index)
{
	const struct moat_ports *ports = bpf_map_lookup_elem(&moat_ports, &index);

	return ports && packet_port_is_in(ports, port);
}

/* Unknown protocols and ports fit: hiding them must not be a way through. */
static __always_inline bool rule_fits(const union transport *transport,
				      const struct moat_policy *policy, __u32 index)
{
	__u8 protocol = transport->protocol;

	if (!(policy->flags & MOAT_POLICY_PROTOCOLS) || transport->known == TRANSPORT_UNKNOWN)
		return true;
	if (!(policy->protocols[protocol >> 6] & (1ULL << (protocol & 63))))
		return false;
	if (!(policy->flags & MOAT_POLICY_PORTS) || transport->known == TRANSPORT_PROTOCOL)
		return true;
	return rule_fits_port(transport->port, index);
}

/*
 * The category of the class that decides for this transport, or NO_CATEGORY.
 * index is the class's entry, bank that of its policies.
 */
__attribute__((noinline)) __u32 rules_scoped(__u32 index, __u32 bank, __u64 word)
{
	union transport transport = { .word = word };
	const struct moat_class *class = bpf_map_lookup_elem(&moat_classes, &index);

	if (!class)
		return NO_CATEGORY;
	for (__u32 i = 0; i < MOAT_CATEGORIES - 1 && i < class->count; i++) {
		__u32 category = class->order[i] & (MOAT_CATEGORIES - 1);
		__u32 at = MOAT_POLICY_INDEX(category, bank);
		const struct moat_policy *policy = bpf_map_lookup_elem(&moat_policies, &at);

		if (policy && rule_fits(&transport, policy, at))
			return category;
	}
	return NO_CATEGORY;
}

/*
 * Token bucket as a virtual schedule (GCRA, ITU-T I.371): tat is when the
 * bucket will be full again, a packet conforms while that is no further away
 * than the burst. One word of state, exact on many CPUs under its lock.
 */
static __always_inline enum moat_reason rule_limit(const struct packet *pkt,
						   const struct moat_policy *policy,
						   struct moat_source *record)
{
	__u64 cost = policy->cost;
	__u64 burst = policy->burst;
	__u64 now = bpf_ktime_get_boot_ns();
	bool conforms = false;
	__u64 tat;

	if (!record)
		return MOAT_WITHIN_LIMIT; /* just removed */
	if (policy->flags & MOAT_POLICY_BITS)
		cost = (cost * pkt->length) >> 20;

	bpf_spin_lock(&record->lock);
	tat = record->tat < now ? now : record->tat;
	if (tat - now + cost <= burst) {
		record->tat = tat + cost;
		conforms = true;
	}
	bpf_spin_unlock(&record->lock);
	return conforms ? MOAT_WITHIN_LIMIT : MOAT_LIMIT;
}

static __always_inline enum moat_reason rule_tag(struct packet *pkt,
						 const struct moat_policy *policy,
						 enum moat_reason why)
{
	pkt->mark = policy->mark;
	pkt->dscp = policy->dscp;
	pkt->tag = policy->flags & (MOAT_POLICY_MARK | MOAT_POLICY_DSCP);
	return why;
}

/* The category that decided stays the packet's; the tag is that of the shared one. */
static __always_inline enum moat_reason rule_drop(struct packet *pkt,
						  const struct moat_class *class, __u32 bank)
{
	__u32 index = MOAT_POLICY_INDEX(class->shared & (MOAT_CATEGORIES - 1), bank);
	const struct moat_policy *shared;

	if (!class->shared)
		return MOAT_LISTED;
	shared = bpf_map_lookup_elem(&moat_policies, &index);
	return shared ? rule_tag(pkt, shared, MOAT_SHARED) : MOAT_LISTED;
}

static __always_inline enum moat_reason rule_apply(struct packet *pkt,
						   const struct moat_policy *policy,
						   const struct moat_class *class, __u32 bank,
						   const struct found *found)
{
	switch (policy->action) {
	case MOAT_ACTION_DROP:
		return rule_drop(pkt, class, bank);
	case MOAT_ACTION_LIMIT:
		return rule_limit(pkt, policy, lookup_record(pkt, found));
	case MOAT_ACTION_TAG:
		return rule_tag(pkt, policy, MOAT_TAGGED);
	}
	return MOAT_MONITORED;
}

/* found is the live match of the packet's source. Always returns a reason. */
static __always_inline enum moat_reason rules_check(struct xdp_md *ctx, struct packet *pkt,
						    const struct moat_control *control,
						    const struct found *found)
{
	__u32 bank = control->policy_bank & 1;
	__u32 index = MOAT_CLASS_INDEX(found->class & (MOAT_CLASSES - 1), bank);
	const struct moat_policy *policy;
	const struct moat_class *class;
	__u32 category;

	if (found->class == MOAT_CLASS_ALLOW)
		return MOAT_ALLOWED;
	class = bpf_map_lookup_elem(&moat_classes, &index);
	if (class && !class->count && class->shared)
		return MOAT_CLEAN; /* a reload has made it shared; the daemon takes it out */
	if (!class || !class->count)
		return MOAT_INTERNAL;

	category = class->order[0];
	if (class->scoped)
		category = rules_scoped(index, bank, parse_transport(ctx, pkt->ip, pkt->family));
	if (category == NO_CATEGORY)
		return MOAT_OUT_OF_SCOPE;

	pkt->category = category & (MOAT_CATEGORIES - 1);
	index = MOAT_POLICY_INDEX(pkt->category, bank);
	policy = bpf_map_lookup_elem(&moat_policies, &index);
	return policy ? rule_apply(pkt, policy, class, bank, found) : MOAT_INTERNAL;
}

#endif
