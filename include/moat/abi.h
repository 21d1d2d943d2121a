/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Integer types for both sides of the kernel line, and the version of what
 * crosses it.
 *
 * Every other header of this folder includes this one and nothing else of the
 * system's. The one conditional of the folder stands here: the BPF compiler
 * takes its types from the trimmed vmlinux.h, user space from the kernel's
 * UAPI headers.
 */
#ifndef MOAT_ABI_H
#define MOAT_ABI_H

#ifdef __bpf__
#include "vmlinux.h"
#else
#include <linux/bpf.h>
#include <linux/types.h>
#endif

/*
 * The layout of every pinned map. A daemon refuses pins of another version,
 * so any change to a struct, to the meaning of a field or to the numbering of
 * an X-macro (other than appending) raises it.
 */
#define MOAT_ABI 2

/* Map and program names carry at most 15 characters in the kernel. */
#define MOAT_MAP_SOURCE4  "moat_source4"
#define MOAT_MAP_SOURCE6  "moat_source6"
#define MOAT_MAP_PHASES	  "moat_phases"
#define MOAT_MAP_LENGTHS  "moat_lengths"
#define MOAT_MAP_CLASSES  "moat_classes"
#define MOAT_MAP_POLICIES "moat_policies"
#define MOAT_MAP_PORTS	  "moat_ports"
#define MOAT_MAP_NAMES	  "moat_names"
#define MOAT_MAP_CONTROL  "moat_control"
#define MOAT_MAP_CLIENTS  "moat_clients"
#define MOAT_MAP_SLOT	  "moat_flow_slot"
#define MOAT_MAP_FLOWS	  "moat_flows"
#define MOAT_MAP_HITS	  "moat_hits"
#define MOAT_MAP_HIT_SLOT "moat_hit_slot"
#define MOAT_MAP_IFACE	  "moat_iface"
#define MOAT_MAP_STATS	  "moat_stats"
#define MOAT_MAP_SAMPLES  "moat_samples"

/* Events (moat/event.h): shared by all interfaces, never pinned. */
#define MOAT_MAP_EVENT_LANE "moat_event_lane"
#define MOAT_MAP_EVENT_RING "moat_event_ring"

/* The sieve (moat/sieve.h): shared by all interfaces, never pinned. */
#define MOAT_MAP_SIEVE	  "moat_sieve"
#define MOAT_MAP_BLOCKS4  "moat_blocks4"
#define MOAT_MAP_HOSTS4	  "moat_hosts4"
#define MOAT_MAP_NODES4	  "moat_nodes4"
#define MOAT_MAP_LEAVES4  "moat_leaves4"
#define MOAT_MAP_BUCKETS6 "moat_buckets6"
#define MOAT_MAP_FILTER6  "moat_filter6"

#endif
