#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A real Prometheus scrapes it, and promtool has nothing to say.
. "$(dirname "$0")/lib.sh"

for program in prometheus promtool; do
	if ! command -v $program > /dev/null; then
		skip "a real Prometheus scrapes moatd" "$program is not installed"
		finish
	fi
done

# answer QUERY: the value Prometheus has, empty if none.
answer() {
	in_ns "$IN" curl -sS --max-time 5 -G http://127.0.0.1:9090/api/v1/query --data-urlencode "query=$1" |
		jq -r '.data.result[0].value[1] // empty'
}
answers_with() { [ "$(answer "$1")" = "$2" ]; }

lab_up
config <<< 'categories: { botnet: { action: drop }, scanner: { action: tag, mark: 1 } }'
moat_start
list 198.51.100.7 botnet
list 2001:db8:7::/48 scanner
drops "a listed source is dropped" 198.51.100.7
passes "a tagged source passes" 2001:db8:7::1

in_ns "$IN" curl -sS http://127.0.0.1:9911/metrics -D "$LAB/head" -o "$LAB/metrics"
check "metrics over TCP have their type" contains "text/plain; version=0.0.4" "$(cat "$LAB/head")"
promtool check metrics < "$LAB/metrics" > "$LAB/promtool" 2>&1
check "promtool check metrics is silent" equal "" "$(cat "$LAB/promtool")"
check "no address is in a label" lacks 198.51.100 "$(cat "$LAB/metrics")"
for name in build_info packets_total bytes_total interface_attached listings sources coverage_ratio map_entries \
	map_capacity sync_seq sync_lag_seconds sync_latency_seconds_bucket sync_last_success_timestamp_seconds \
	changes_total selftest_ok paused; do
	check "moat_$name is there" grep -q "^moat_${name}[{ ]" "$LAB/metrics"
done

cat > "$LAB/prometheus.yml" <<- 'END'
	global: { scrape_interval: 1s }
	scrape_configs:
	  - job_name: moat
	    static_configs: [ { targets: [ '127.0.0.1:9911' ] } ]
END
in_ns_exec "$IN" prometheus --config.file="$LAB/prometheus.yml" --storage.tsdb.path="$LAB/tsdb" \
	--web.listen-address=127.0.0.1:9090 > "$LAB/prometheus.log" 2>&1 &
prometheus=$!
wait_for 60 answers_with 'up{job="moat"}' 1 ||
	not_ok "Prometheus finds moatd up" "$(tail -n 5 "$LAB/prometheus.log")"
check "Prometheus has the drops by category" wait_for "$DEADLINE" \
	answers_with 'sum(moat_packets_total{verdict="drop",reason="listed",category="botnet"})' "$FRAMES"
check "Prometheus has every packet" wait_for "$DEADLINE" answers_with 'sum(moat_packets_total)' "$SENT"
check "Prometheus has the coverage" equal 1 "$(answer moat_coverage_ratio)"
send 198.51.100.7 --count 100
check "the next scrape has what came since" wait_for "$DEADLINE" answers_with 'sum(moat_packets_total)' "$SENT"
kill -TERM $prometheus
wait $prometheus 2> /dev/null
check_counted
finish
