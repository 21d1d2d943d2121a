/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/metrics.h"

#include <dirent.h>
#include <sys/resource.h>

#include "daemon/counters.h"
#include "daemon/labels.h"
#include "daemon/api_reports.h"
#include "daemon/metrics_apply.h"
#include "daemon/metrics_events.h"
#include "daemon/metrics_feeds.h"
#include "daemon/metrics_http.h"
#include "daemon/metrics_store.h"
#include "daemon/metrics_samples.h"
#include "daemon/metrics_sieve.h"
#include "moat/abi.h"
#include "moat/stats.h"
#include "plane/hits.h"

/* ---- packets: cells to series ---- */

/* Clean ones of each family exist from the start, so that rate() sees the first packet. */
static bool is_wanted(const struct counter *counter, const struct moat_stats *stats)
{
	if (stats->packets)
		return true;
	return !counter->has_category && counter->reason == MOAT_CLEAN &&
	       counter->verdict == MOAT_VERDICT_PASS;
}

struct iface_stats {
	char iface[sizeof(((struct config_interface *)NULL)->name)];
	struct moat_stats *cells; /* owned; NULL: could not be read */
};

static void write_cells(struct text *out, const char *metric, bool bytes,
			const struct categories *categories, const struct iface_stats *from)
{
	for (size_t i = 0; from->cells && i < MOAT_CELLS; i++) {
		const struct moat_stats *stats = &from->cells[i];
		struct counter counter = counter_of(i);

		if (!is_wanted(&counter, stats))
			continue;
		text_sample(out, metric, (double)(bytes ? stats->bytes : stats->packets), "iface",
			    from->iface, "family", label_family(counter.family), "verdict",
			    label_verdict(counter.verdict), "reason", label_reason(counter.reason),
			    "category", counter_category(categories, &counter), NULL);
	}
}

static void read_stats(struct daemon *d, size_t index, const struct categories *categories,
		       struct iface_stats *ret)
{
	struct iface_view view;

	ifaces_view(d->ifaces, index, &view);
	snprintf(ret->iface, sizeof(ret->iface), "%s", view.name);
	ret->cells = counters_read(&view);
	counters_join_monitored(categories, ret->cells);
}

static void write_packets(struct daemon *d, struct text *out)
{
	struct categories categories;
	size_t count = ifaces_count(d->ifaces);
	_cleanup_free_ struct iface_stats *stats = calloc(count + 1, sizeof(*stats));

	if (!stats) {
		out->failed = true;
		return;
	}
	counters_categories(d, &categories);
	for (size_t i = 0; i < count; i++)
		read_stats(d, i, &categories, &stats[i]);

	text_metric(out, "moat_packets_total", "counter",
		    "Packets by what happened to them; the sum over all series is the packets seen.");
	for (size_t i = 0; i < count; i++)
		write_cells(out, "moat_packets_total", false, &categories, &stats[i]);
	text_metric(out, "moat_bytes_total", "counter",
		    "Bytes of whole frames by what happened to them.");
	for (size_t i = 0; i < count; i++) {
		write_cells(out, "moat_bytes_total", true, &categories, &stats[i]);
		free(stats[i].cells);
	}
}

static void write_interfaces(struct daemon *d, struct text *out)
{
	struct iface_view view;

	text_metric(out, "moat_interface_attached", "gauge",
		    "1 for the mode the filter is attached in; all modes 0: not attached.");
	for (size_t i = 0; i < ifaces_count(d->ifaces); i++) {
		ifaces_view(d->ifaces, i, &view);
		text_sample(out, "moat_interface_attached", view.attachment.mode == ATTACH_NATIVE,
			    "iface", view.name, "mode", "native", NULL);
		text_sample(out, "moat_interface_attached", view.attachment.mode == ATTACH_GENERIC,
			    "iface", view.name, "mode", "generic", NULL);
	}
	text_metric(out, "moat_interface_enforcing", "gauge",
		    "1 if actions are taken on the interface, 0 if they only count.");
	for (size_t i = 0; i < ifaces_count(d->ifaces); i++) {
		ifaces_view(d->ifaces, i, &view);
		text_sample(out, "moat_interface_enforcing", view.enforce, "iface", view.name,
			    NULL);
	}
}

/* ---- sources and what holds them ---- */

static void write_listings(void *arg, const char *feed, const char *category, const char *state,
			   size_t count)
{
	text_sample(arg, "moat_listings", (double)count, "feed", feed, "category", category,
		    "state", state, NULL);
}

static void write_sources(struct daemon *d, const struct sync_numbers *n, struct text *out)
{
	text_metric(out, "moat_listings", "gauge",
		    "Listings of the abuse database, by whether they are in force here.");
	sync_each_count(d->sync, write_listings, out);

	text_metric(out, "moat_sources", "gauge",
		    "Sources that must be in the kernel, that are, and that it had no room for.");
	for (uint32_t family = MOAT_IPV4; family <= MOAT_IPV6; family++) {
		const char *label = label_family(family);

		text_sample(out, "moat_sources", (double)n->wanted[family], "family", label,
			    "state", "wanted", NULL);
		text_sample(out, "moat_sources", (double)n->installed[family], "family", label,
			    "state", "installed", NULL);
		text_sample(out, "moat_sources", (double)n->refused[family], "family", label,
			    "state", "refused", NULL);
	}
	text_metric(out, "moat_coverage_ratio", "gauge",
		    "Sources installed in the kernel over sources wanted; anything but 1 is degraded.");
	text_sample(out, "moat_coverage_ratio", n->coverage, NULL);

	text_metric(out, "moat_refused", "gauge", "Rows that are refused now, by cause.");
	for (int cause = GATE_PASSED + 1; cause < GATE_CAUSE_MAX; cause++)
		text_sample(out, "moat_refused", (double)n->by_cause[cause], "cause",
			    gate_cause_label(cause), NULL);
}

static void write_never_block(const struct daemon *d, struct text *out)
{
	text_metric(out, "moat_never_block", "gauge",
		    "Prefixes that are never blocked, by where they are known from.");
	for (uint32_t kind = 0; kind < DISCOVER_KINDS; kind++)
		text_sample(out, "moat_never_block", (double)d->never_block.kind[kind], "kind",
			    label_never_block(kind), NULL);
}

#define RECORD_MAPS 4

static void write_maps(const struct daemon *d, const struct sync_numbers *n, struct text *out)
{
	struct map_fill maps[RECORD_MAPS + METRICS_SIEVE_MAPS] = {
		{ MOAT_MAP_SOURCE4, n->entries[MOAT_IPV4], n->capacity[MOAT_IPV4] },
		{ MOAT_MAP_SOURCE6, n->entries[MOAT_IPV6], n->capacity[MOAT_IPV6] },
		{ MOAT_MAP_PHASES, n->phases_used, n->phases },
		{ MOAT_MAP_CLASSES, n->classes, MOAT_CLASSES },
	};
	struct tables_sieve_state sieve;
	size_t count;

	tables_sieve_state(d->tables, &sieve);
	count = RECORD_MAPS + metrics_sieve_maps(&sieve, &maps[RECORD_MAPS]);
	text_metric(out, "moat_map_entries", "gauge", "Entries in use of a kernel map.");
	for (size_t i = 0; i < count; i++)
		text_sample(out, "moat_map_entries", (double)maps[i].entries, "map", maps[i].map,
			    NULL);
	text_metric(out, "moat_map_capacity", "gauge", "Entries that a kernel map has room for.");
	for (size_t i = 0; i < count; i++)
		text_sample(out, "moat_map_capacity", (double)maps[i].capacity, "map", maps[i].map,
			    NULL);
	/* These fill by design, their oldest entries give way, and counting is a walk: no entries. */
	text_sample(out, "moat_map_capacity", tables_flows(d->tables), "map", MOAT_MAP_FLOWS, NULL);
	text_sample(out, "moat_map_capacity", tables_hits(d->tables), "map", MOAT_MAP_HITS, NULL);
	metrics_sieve_write(&sieve, out);
	text_metric(out, "moat_plans_cut_total", "counter",
		    "Sources whose later categories were left out for want of room in moat_phases.");
	text_sample(out, "moat_plans_cut_total", (double)n->plans_cut, NULL);
	text_metric(out, "moat_model_memory_bytes", "gauge",
		    "Memory of moatd that the listings take.");
	text_sample(out, "moat_model_memory_bytes", (double)n->memory, NULL);
}

/* ---- from the database to the kernel ---- */

static void write_latency(const struct sync_numbers *n, struct text *out)
{
	uint64_t total = 0;
	char bound[32];

	text_metric(out, "moat_sync_latency_seconds", "histogram",
		    "Time from a change in the database to the change in the kernel.");
	for (size_t i = 0; i < SYNC_LATENCY_BUCKETS; i++) {
		total += n->latency_count[i];
		snprintf(bound, sizeof(bound), "%g", sync_latency_bound[i]);
		text_sample(out, "moat_sync_latency_seconds_bucket", (double)total, "le", bound,
			    NULL);
	}
	total += n->latency_count[SYNC_LATENCY_BUCKETS];
	text_sample(out, "moat_sync_latency_seconds_bucket", (double)total, "le", "+Inf", NULL);
	text_sample(out, "moat_sync_latency_seconds_sum", n->latency_sum, NULL);
	text_sample(out, "moat_sync_latency_seconds_count", (double)total, NULL);
}

static void write_sync(const struct sync_numbers *n, struct text *out)
{
	text_metric(out, "moat_sync_seq", "gauge",
		    "Newest change of the database, and newest one that is in the kernel.");
	text_sample(out, "moat_sync_seq", (double)n->seq_database, "stage", "database", NULL);
	text_sample(out, "moat_sync_seq", (double)n->seq_kernel, "stage", "kernel", NULL);
	text_metric(out, "moat_sync_lag_seconds", "gauge",
		    "How long the oldest change that is not in the kernel waits.");
	text_sample(out, "moat_sync_lag_seconds", n->lag, NULL);
	write_latency(n, out);
	text_metric(out, "moat_sync_last_success_timestamp_seconds", "gauge",
		    "When the kernel was last known to be true to the database; 0: not yet.");
	text_sample(out, "moat_sync_last_success_timestamp_seconds", (double)n->last_success, NULL);

	text_metric(out, "moat_changes_total", "counter",
		    "Changes of listings taken over, by kind.");
	text_sample(out, "moat_changes_total", (double)n->adds, "op", "add", NULL);
	text_sample(out, "moat_changes_total", (double)n->removes, "op", "remove", NULL);
	text_sample(out, "moat_changes_total", (double)n->expires, "op", "expire", NULL);
	text_sample(out, "moat_changes_total", (double)n->refreshes, "op", "refresh", NULL);
}

/* ---- moatd itself ---- */

static void write_daemon(struct daemon *d, struct text *out)
{
	text_metric(out, "moat_build_info", "gauge",
		    "Always 1; the version of moatd is the label.");
	text_sample(out, "moat_build_info", 1, "version", MOAT_VERSION, NULL);
	text_metric(out, "moat_selftest_ok", "gauge",
		    "1 if the loaded program dropped the packet of the last self-test.");
	text_sample(out, "moat_selftest_ok", d->selftest_ok, NULL);
	text_metric(out, "moat_degraded", "gauge",
		    "Things that 'moatctl status' calls degraded, with what to do; 0 is good.");
	text_sample(out, "moat_degraded", (double)daemon_degraded(d, NULL, NULL), NULL);
	text_metric(out, "moat_paused", "gauge",
		    "1 while every packet passes by an operator's wish.");
	text_sample(out, "moat_paused", daemon_paused(d) != 0, NULL);
	text_metric(out, "moat_config_reload_ok", "gauge",
		    "0 if the last reload was refused and the configuration before it is in force.");
	text_sample(out, "moat_config_reload_ok", d->reload_problem[0] == '\0', NULL);
}

/* Resident and virtual bytes from /proc; 0 if it cannot be read. */
static void read_memory(uint64_t *ret_resident, uint64_t *ret_virtual)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/self/statm", "re");
	unsigned long size, resident, page = (unsigned long)sysconf(_SC_PAGESIZE);

	*ret_resident = *ret_virtual = 0;
	if (!f || fscanf(f, "%lu %lu", &size, &resident) != 2)
		return;
	*ret_resident = resident * page;
	*ret_virtual = size * page;
}

static size_t open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t count = 0;

	if (!dir)
		return 0;
	for (const struct dirent *at = readdir(dir); at; at = readdir(dir))
		count += at->d_name[0] != '.';
	closedir(dir);
	return count - 1; /* without the one that reads */
}

static void write_process(struct daemon *d, struct text *out)
{
	uint64_t resident, virtual;
	struct rlimit files = {};
	struct rusage use = {};

	read_memory(&resident, &virtual);
	getrusage(RUSAGE_SELF, &use);
	getrlimit(RLIMIT_NOFILE, &files);
	text_metric(out, "process_start_time_seconds", "gauge", "When moatd started.");
	text_sample(out, "process_start_time_seconds", (double)d->started, NULL);
	text_metric(out, "process_cpu_seconds_total", "counter", "CPU time of moatd.");
	text_sample(out, "process_cpu_seconds_total",
		    (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
			    (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6,
		    NULL);
	text_metric(out, "process_resident_memory_bytes", "gauge", "Resident memory of moatd.");
	text_sample(out, "process_resident_memory_bytes", (double)resident, NULL);
	text_metric(out, "process_virtual_memory_bytes", "gauge", "Virtual memory of moatd.");
	text_sample(out, "process_virtual_memory_bytes", (double)virtual, NULL);
	text_metric(out, "process_open_fds", "gauge", "Files that moatd has open.");
	text_sample(out, "process_open_fds", (double)open_files(), NULL);
	text_metric(out, "process_max_fds", "gauge", "Files that moatd may have open.");
	text_sample(out, "process_max_fds", (double)files.rlim_cur, NULL);
}

void metrics_write(struct daemon *d, struct text *out)
{
	struct sync_numbers numbers;

	sync_numbers(d->sync, &numbers);
	write_daemon(d, out);
	write_packets(d, out);
	write_interfaces(d, out);
	write_sources(d, &numbers, out);
	write_never_block(d, out);
	write_maps(d, &numbers, out);
	write_sync(&numbers, out);
	metrics_apply_write(d, out);
	reports_write_metrics(d, out);
	metrics_feeds_write(d, out);
	metrics_store_write(d, out);
	metrics_samples_write(d, out);
	metrics_http_write(d, out);
	metrics_events_write(d, out);
	write_process(d, out);
}
