/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Every map: who writes it, who reads it, what empty means.
 *
 * The sizes written here are placeholders where the daemon sets the size
 * before loading (sources, phases, sieve, flows, hits, samples, events). All
 * maps but those of the sieve and of events, moat_samples and moat_clock are
 * pinned; moat_iface, moat_stats, moat_samples and moat_clock exist once for each
 * interface, the others once.
 */
#ifndef BPF_MAPS_H
#define BPF_MAPS_H

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "moat/control.h"
#include "moat/event.h"
#include "moat/flow.h"
#include "moat/hits.h"
#include "moat/policy.h"
#include "moat/sample.h"
#include "moat/sieve.h"
#include "moat/source.h"
#include "moat/stats.h"

/* One load of a word that the daemon may be writing. */
#define WHOLE(at) (*(const volatile __u64 *)(at))

/* The installed sources. Daemon writes, program reads (and writes tat). Empty: every packet passes. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct moat_key4);
	__type(value, struct moat_source);
} moat_source4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct moat_key6);
	__type(value, struct moat_source);
} moat_source6 SEC(".maps");

/* Later phases of sources; entry 0 is never used. Daemon writes. Empty: a source ends with its first phase. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct moat_phase);
} moat_phases SEC(".maps");

/* Prefix lengths in use, by MOAT_LENGTHS_INDEX. Daemon writes. Empty: every packet passes. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct moat_lengths);
} moat_lengths SEC(".maps");

/* Classes in two banks, by MOAT_CLASS_INDEX. Daemon writes. Empty: packets pass with reason internal. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2 * MOAT_CLASSES);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct moat_class);
} moat_classes SEC(".maps");

/* Policies in two banks, by MOAT_POLICY_INDEX. Daemon writes. Empty: action monitor, no scope. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2 * MOAT_CATEGORIES);
	__type(key, __u32);
	__type(value, struct moat_policy);
} moat_policies SEC(".maps");

/* Ports of scoped policies, indexed as moat_policies. Daemon writes. Empty: no port fits. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2 * MOAT_CATEGORIES);
	__type(key, __u32);
	__type(value, struct moat_ports);
} moat_ports SEC(".maps");

/* Names of the categories. Daemon writes and reads, program does not use it. Empty: category unused. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MOAT_CATEGORIES);
	__type(key, __u32);
	__type(value, struct moat_name);
} moat_names SEC(".maps");

/* The switches. Daemon writes. Empty: not paused, bank 0. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct moat_control);
} moat_control SEC(".maps");

/*
 * Local UDP ports that the kernel gives to clients: who sends from one opens a flow. Daemon writes.
 * Empty: no UDP flow is noted.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct moat_ports);
} moat_clients SEC(".maps");

/* Flows opened from here; the oldest give way. tc program writes, XDP program reads. Empty: nothing is a reply. */
struct flow_table {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1);
	__type(key, struct moat_flow_key);
	__type(value, struct moat_flow);
} moat_flows SEC(".maps");

/* Where the programs find moat_flows. Daemon writes. Empty: no flow is noted, nothing is a reply. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct flow_table);
} moat_flow_slot SEC(".maps");

/* What listed sources sent; those not seen for long give way. Program writes, daemon reads. Empty: nothing yet. */
struct hit_table {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1);
	__type(key, struct moat_hit_key);
	__type(value, struct moat_hit);
} moat_hits SEC(".maps");

/* Where the program finds moat_hits. Daemon writes. Empty: no hit is noted. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct hit_table);
} moat_hit_slot SEC(".maps");

/* The switches of one interface. Daemon writes. Empty: every action only counts. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct moat_iface);
} moat_iface SEC(".maps");

/* The counters of one interface, by moat_cell(). Program writes, daemon reads. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, MOAT_CELLS);
	__type(key, __u32);
	__type(value, struct moat_stats);
} moat_stats SEC(".maps");

/* Samples of one interface, by CPU. Program writes, daemon reads. Empty or short: nothing is sampled there. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct moat_samples);
} moat_samples SEC(".maps");

/* Who may write events, by CPU. Program and daemon write. Empty: nothing is written. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct moat_event_lane);
} moat_event_lane SEC(".maps");

/* The events, moat_event_room of each CPU. Program writes, daemon reads. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct moat_event);
} moat_event_ring SEC(".maps");

/* The last time that was read, for bpf/clock.h. Programs only. Empty: the clock is read. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} moat_clock SEC(".maps");

/* ---- the sieve, moat/sieve.h: daemon writes, program reads. Empty: every lookup asks the records. ---- */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct moat_sieve);
} moat_sieve SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, __u64);
} moat_blocks4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct moat_bucket4);
} moat_hosts4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct moat_node_part);
} moat_nodes4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, union moat_leaf);
} moat_leaves4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct moat_bucket6);
} moat_buckets6 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, __u64);
} moat_filter6 SEC(".maps");

#endif
