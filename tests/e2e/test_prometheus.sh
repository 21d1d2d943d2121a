#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A real Prometheus scrapes it, promtool has nothing to say, and what we ship for
# it and for Grafana asks for nothing that is not there.
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
has_answer() { [ -n "$(answer "$1")" ]; }
rules() { in_ns "$IN" curl -sS --max-time 5 http://127.0.0.1:9090/api/v1/rules; }
all_rules_ran() { rules | jq -e '[.data.groups[].rules[]] | length > 20 and all(.health == "ok")'; }

# Every query of the dashboard, one a line, with its variables as Grafana puts them in.
queries() {
	jq -r '.panels[].targets[]?.expr' "$ROOT/user/deploy/grafana/moat.json" |
		sed 's/\$__rate_interval/10s/g; s/\$instance/.*/g; s/\$iface/.*/g'
}

lab_up
# A self-signed certificate: rules ask when it ends.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=moat -addext subjectAltName=DNS:moat -days 90 \
	-keyout "$LAB/moat.key" -out "$LAB/moat.crt" 2> /dev/null || fatal "openssl makes a certificate"
chmod 600 "$LAB/moat.key"
seq -f '192.0.2.%g' 1 100 > "$LAB/list"
config <<- END
	categories: { botnet: { action: drop }, scanner: { action: tag, mark: 1 } }
	feeds: [ { name: partner, url: "file://$LAB/list", format: plain, category: botnet, every: 1h, ttl: 3h } ]
	tls: { certificate: $LAB/moat.crt, key: $LAB/moat.key }
END
moat_start
check "a feed is in force" wait_for "$DEADLINE" fetch_by_hand partner
list 198.51.100.7 botnet
list 2001:db8:7::/48 scanner
drops "a listed source is dropped" 198.51.100.7
passes "a tagged source passes" 2001:db8:7::1

in_ns "$IN" curl -sS --cacert "$LAB/moat.crt" --connect-to moat:9911:127.0.0.1:9911 https://moat:9911/metrics -D "$LAB/head" -o "$LAB/metrics"
check "metrics over TCP have their type" contains "text/plain; version=0.0.4" "$(cat "$LAB/head")"
promtool check metrics < "$LAB/metrics" > "$LAB/promtool" 2>&1
check "promtool check metrics is silent" equal "" "$(cat "$LAB/promtool")"
check "no address is in a label" lacks 198.51.100 "$(cat "$LAB/metrics")"
for name in build_info packets_total bytes_total interface_attached listings sources coverage_ratio map_entries \
	map_capacity sync_seq sync_lag_seconds sync_latency_seconds_bucket sync_last_success_timestamp_seconds \
	changes_total selftest_ok paused; do
	check "moat_$name is there" grep -q "^moat_${name}[{ ]" "$LAB/metrics"
done
# Names outside of quotes: inside stand values of labels, and recorded names have colons.
for name in $(sed 's/"[^"]*"//g' "$ROOT/user/deploy/prometheus/moat.rules.yml" |
	grep -oE '(^|[^:a-z_])moat_[a-z_]+[{ )[]' | grep -oE 'moat_[a-z_]+' | sort -u); do
	check "the alert rules' $name is there" grep -q "^# TYPE $name " "$LAB/metrics"
done

cat > "$LAB/prometheus.yml" <<- END
	global: { scrape_interval: 1s, evaluation_interval: 1s }
	rule_files: [ $ROOT/user/deploy/prometheus/moat.rules.yml ]
	scrape_configs:
	  - job_name: moat
	    scheme: https
	    tls_config: { ca_file: $LAB/moat.crt, server_name: moat }
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
check "every alert rule ran without an error" wait_for "$DEADLINE" all_rules_ran
check "there are rates of what passed" wait_for "$DEADLINE" has_answer 'rate(moat_packets_total[10s])'
while read -r query; do
	check "the dashboard has an answer to $query" wait_for 3 has_answer "$query"
done < <(queries)
check "no alert fires: all is well" equal "" "$(answer 'ALERTS{alertstate="firing"}')"
moatctl pause --for 5m > /dev/null
check "a pause is on its way to be an alert" wait_for "$DEADLINE" has_answer 'ALERTS{alertname="MoatPausedTooLong"}'
check "the dashboard marks the pause" has_answer "$(jq -r '.annotations.list[].expr' \
	"$ROOT/user/deploy/grafana/moat.json" | sed 's/\$instance/.*/')"
moatctl resume > /dev/null
kill -TERM $prometheus
wait $prometheus 2> /dev/null
check_counted
finish
