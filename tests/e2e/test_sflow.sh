#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Dropped packets told to an sFlow collector: each of a slow flow, with its
# reason and its first bytes, in datagrams that tshark reads; of a flood how
# many were not told; and a collector that comes back.
. "$(dirname "$0")/lib.sh"

HOST=198.51.100.7
SLOW=100

collect() { # collect NAME: until stop_collecting
	in_ns_exec "$IN" python3 "$ROOT/tests/e2e/sflow_collector.py" 127.0.0.1 6343 "$LAB/$1.datagrams" "$LAB/$1.headers" \
		> "$LAB/$1" 2> "$LAB/$1.err" &
	COLLECTOR=$!
	wait_for "$DEADLINE" grep -q ready "$LAB/$1" || fatal "the collector listens"
}
stop_collecting() {
	kill "$COLLECTOR"
	wait "$COLLECTOR" 2> /dev/null
}
told() { grep -c sequence "$LAB/$1"; }
told_are() { [ "$(told "$1")" = "$2" ]; }
query() { grep sequence "$LAB/$1" | jq -rs "$2"; } # query NAME JQ: of all samples
fields() { tshark -r "$LAB/$1" "${@:2}" 2> /dev/null; }

lab_up
config << END
categories: { botnet: { action: drop }, scraper: { action: limit, rate: 1pps, burst: 1 }, research: { action: monitor } }
events: { sflow: { collector: "127.0.0.1:6343", agent: 192.0.2.10, rate: 5000 } }
END
collect slow
moat_start
list $HOST botnet
list 192.0.2.77 scraper
list 203.0.113.9 research
wait_for "$DEADLINE" watched_is 1
check "the collector is a reader, at its rate" equal "1 5000" "$(status '"\(.events.readers) \(.events.rate)"')"

send $HOST --count $SLOW --rate 2000 --payload 300 --dport 53
send 192.0.2.77 --count $((SLOW + 1)) --rate 2000
send 203.0.113.9 --count $SLOW --rate 2000
wait_for "$DEADLINE" told_are slow $((2 * SLOW))
check "each dropped packet is told, what passes is not" equal $((2 * SLOW)) "$(told slow)"
check "as the memos have it" equal "" "$(cat "$LAB/slow.err")"
check "the reason is acl where the source is listed, traffic shaping over a limit" equal "$SLOW $SLOW" \
	"$(query slow '"\([.[] | select(.reason == 258)] | length) \([.[] | select(.reason == 261)] | length)"')"
check "by interface" equal "$(in_ns "$IN" ip -j link show in0 | jq '.[0].ifindex')" "$(query slow '[.[] | .input, .source] | unique | join(" ")')"
check "numbered without a gap" equal "1 $((2 * SLOW))" "$(query slow '[.[].sequence] | "\(min) \(unique | length)"')"
check "nothing was left out" equal 0 "$(query slow '[.[].drops] | max')"
check "several in a datagram, none too long" equal "true true" \
	"$(query slow '"\(([.[].datagram] | unique | length) < length / 3) \([.[].size] | max <= 1400)"')"
check "frames are as long as they were, with their FCS" equal $SLOW "$(query slow '[.[] | select(.length == 346 and .head == 128)] | length')"

check "tshark reads the datagrams" equal "5 192.0.2.10" \
	"$(fields slow.datagrams -T fields -e sflow_245.version -e sflow_245.agent -E separator=' ' | sort -u)"
check "tshark counts the samples" equal $((2 * SLOW)) \
	"$(fields slow.datagrams -T fields -e sflow_245.numsamples | awk '{ n += $1 } END { print n }')"
check "tshark finds nothing malformed" equal "" "$(fields slow.datagrams -Y '_ws.malformed || _ws.expert.severity == error')"
check "tshark reads the first bytes of the frames" equal $SLOW \
	"$(fields slow.headers -Y "ip.src == $HOST && udp.dstport == 53" | wc -l)"

# A flood: what is not told is counted, and said.
send $HOST --count 200000
flood=$LAST_SECONDS
wait_for "$DEADLINE" counted
judged=$((2 * SLOW + 200000))
all_said() { # one more packet carries the count of all before it
	send $HOST --count 1
	judged=$((judged + 1))
	[ $(($(told slow) + $(query slow '[.[].drops] | max'))) -ge $((judged - 1)) ]
}
wait_for "$DEADLINE" all_said
check "of a flood the collector knows how many it was not told of" between $((judged - 1)) "$judged" \
	$(($(told slow) + $(query slow '[.[].drops] | max')))
note "200,000 packets in $flood s: $(told slow) told"

# The collector is away for a while.
stop_collecting
is_degraded() {
	send $HOST --count 1 && judged=$((judged + 1))
	status_is '[.degraded[] | select(.what == "events")] | length' "$1"
}
wait_for "$DEADLINE" is_degraded 1
check "a collector that is not there is degraded" contains "127.0.0.1:6343" "$(status '.degraded[] | select(.what == "events") | .why')"
collect again
back() { send $HOST --count 1 && [ "$(told again)" -gt 0 ]; }
wait_for "$DEADLINE" back
check "it is told again as soon as it is back" test "$(told again)" -gt 0
wait_for "$DEADLINE" is_degraded 0
check "then all is well again" equal 0 "$(status '[.degraded[] | select(.what == "events")] | length')"
stop_collecting
check_counted
finish
