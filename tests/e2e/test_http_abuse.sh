#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Clients that mean no good, thousands of them: the filter and the list do not notice, memory
# stays bounded, nobody gets in, and who asks in time is answered.
. "$(dirname "$0")/lib.sh"

INSERTS=${MOAT_INSERTS:-30}
RATE=20000
BOUND_MS=100	# from an INSERT to its last packet, as in test_latency.sh
WORST_MS=500	# two CPUs are shared with 3,000 clients here
BOUND_MB=200	# what moatd may grow by: answers and bodies are at most 64 MiB each

abuse() { awk -v k="$1" '$1 == k { n = $2 } END { print n + 0 }' "$LAB/abuse"; }
rss_mb() { awk '/^VmRSS/ { print int($2 / 1024) }' /proc/"$MOATD_PID"/status; }
source_of() { echo "198.51.100.$1"; }

lab_up
config <<- END
	categories: { botnet: { action: drop }, research: { action: monitor } }
	tokens: $LAB/tokens
END
moat_start
TOKEN=$(moatctl token new desk --verbs read,write 2> /dev/null)
EXPIRED=$(moatctl token new gone --verbs '*' --expires 1s 2> /dev/null)
sql "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 4999)
	INSERT INTO listing (source, category, feed, reason)
	SELECT '10.' || (i / 65536) || '.' || (i / 256 % 256) || '.' || (i % 256), 'research', 'test', hex(randomblob(100)) FROM n"
list 203.0.113.7 botnet
wait_synced
for i in $(seq "$INSERTS"); do source_of "$i"; done > "$LAB/sources"
before=$(rss_mb)

coproc ABUSE { in_ns_exec "$IN" "$(dirname "$0")/http_abuse.py" 127.0.0.1 9911 120 "$TOKEN" "$EXPIRED" > "$LAB/abuse"; }
wait_for "$DEADLINE" grep -q ready "$LAB/abuse" || fatal "the clients that mean no good are there"

receive_start
stream_start "@$LAB/sources" 203.0.113.7 --rate "$RATE"
came() { (($(packets 'reason="clean"') > RATE / 10)); }
wait_for "$DEADLINE" came || fatal "traffic flows"
most=$before
while read -r source; do
	echo "$source $EPOCHREALTIME"
	sql "INSERT INTO listing (source, category, feed) VALUES ('$source', 'botnet', 'test')"
	wait_synced
	now=$(rss_mb)
	((now <= most)) || most=$now
done < "$LAB/sources" > "$LAB/inserted"
moatctl_ms=$({ TIMEFORMAT=%R; time moatctl status > /dev/null 2>&1; } 2>&1)
enough() { (($(metric moat_http_refused_total 'cause="slow"') > 0)); }
check "slow heads and bodies are ended in time" wait_for "$DEADLINE" enough
wait_for "$DEADLINE" grep -q all_judged "$LAB/abuse"
flowed() { (($(packets 'reason="listed"') > ${1:-0})); }
wait_for "$DEADLINE" flowed "$(($(packets 'reason="listed"') + RATE / 10))"
open=$(metric moat_http_connections)
echo >&"${ABUSE[1]}"
wait "$ABUSE_PID" 2> /dev/null
stream_stop
wait_for "$DEADLINE" counted
receive_stop

awk 'NR == FNR { if ($1 == "source") last[$2] = $4; next }
	{ ms = (last[$1] - $2) * 1000; print ms < 0 ? 0 : ms }' "$LAB/received" "$LAB/inserted" |
	sort -n > "$LAB/latencies"
p50=$(sed -n "$((INSERTS / 2))p" "$LAB/latencies")
p99=$(tail -n 1 "$LAB/latencies")
note "INSERT to last passed packet, meanwhile: p50 $p50 ms, p99 $p99 ms" \
	"memory $before MB, at most $most MB meanwhile; connections open $open" \
	"honest client: $(abuse honest_200) answers, p50 $(abuse honest_p50_ms) ms, longest $(abuse honest_max_ms) ms; moatctl status $moatctl_ms s" \
	"$(grep -v -e ready -e all_judged -e '^#' "$LAB/abuse" | tr '\n' ' ')" \
	"$(metrics | grep '^moat_http_refused_total' | sed 's/.*cause=//' | tr '\n' ' ')"
grep '^# ' "$LAB/abuse"
check "an INSERT drops packets within $BOUND_MS ms (p50)" between 0 "$BOUND_MS" "$p50"
check "and each within $WORST_MS ms" between 0 "$WORST_MS" "$p99"
check "a listed source is dropped all the while" equal 0 "$(got 203.0.113.7)"
check "memory stays bounded" between 0 $((before + BOUND_MB)) "$most"
check "no more connections are open than there may be" between 1 256 "$open"
check "nobody got in" equal 0 "$(abuse got_in)"
check "each of $(abuse tricks) malformed requests is refused for what it is" equal "$(abuse tricks)" "$(abuse tricks_judged)"
check "who asks in time is answered, each time" equal 0 "$(($(abuse honest_failed) + $(abuse honest_0) + $(abuse honest_503)))"
check "dashboards beyond what there is room for are told 503" between 1 1000000 "$(abuse dashboard_503)"
check "and some are served" between 1 1000000 "$(abuse dashboard_200)"
check "guesses are cut off" between 1 1000000 "$(abuse guess_429)"
check "moatctl is answered meanwhile" between 0 1 "$moatctl_ms"
check "nothing that was sent is a listing" equal 0 "$(sql "SELECT count(*) FROM listing WHERE feed = 'manual'")"
check "the log does not have the secrets" lacks moat_ "$(cat "$LAB/moatd.log")"
check "nor a line a guess" between 0 200 "$(wc -l < "$LAB/moatd.log")"
check_counted
finish
