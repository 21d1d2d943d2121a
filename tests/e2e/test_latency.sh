#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# From an INSERT by a foreign SQL client to the first dropped packet.
#
# Every source sends all the time; the last of its packets that came out,
# against the moment before the sqlite3 command was started, is the latency
# (so the start of sqlite3 itself is counted, too).
. "$(dirname "$0")/lib.sh"

INSERTS=50
RATE=20000	# frames a second over all sources: one from each every 2.5 ms
BOUND_MS=100

source_of() { echo "198.51.100.$1"; }

lab_up
config <<< 'categories: { botnet: { action: drop } }'
moat_start
for i in $(seq "$INSERTS"); do source_of "$i"; done > "$LAB/sources"

receive_start
stream_start "@$LAB/sources" --rate "$RATE"
came() { (($(packets 'reason="clean"') > RATE / 10)); }
wait_for "$DEADLINE" came || fatal "traffic flows"
while read -r source; do
	echo "$source $EPOCHREALTIME"
	sql "INSERT INTO listing (source, category, feed) VALUES ('$source', 'botnet', 'test')"
	wait_synced
done < "$LAB/sources" > "$LAB/inserted"
flowed() { (($(packets 'reason="listed"') > ${1:-0})); }
wait_for "$DEADLINE" flowed "$(($(packets 'reason="listed"') + RATE / 10))"
stream_stop
wait_for "$DEADLINE" counted
receive_stop

awk 'NR == FNR { if ($1 == "source") last[$2] = $4; next }
	{ ms = (last[$1] - $2) * 1000; print ms < 0 ? 0 : ms }' "$LAB/received" "$LAB/inserted" |
	sort -n > "$LAB/latencies"
p50=$(sed -n "$((INSERTS / 2))p" "$LAB/latencies")
p99=$(tail -n 1 "$LAB/latencies")
note "INSERT to last passed packet over $INSERTS inserts: p50 $p50 ms, p99 $p99 ms"
check "every source was measured" equal "$INSERTS" "$(wc -l < "$LAB/latencies")"
check "an INSERT by sqlite3 drops packets within $BOUND_MS ms (p50)" between 0 "$BOUND_MS" "$p50"
check "an INSERT by sqlite3 drops packets within $BOUND_MS ms (p99)" between 0 "$BOUND_MS" "$p99"
check "moatd's own histogram has every change" equal "$INSERTS" "$(metric moat_sync_latency_seconds_count)"
check_counted
finish
