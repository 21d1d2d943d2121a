#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Events over the wire: each packet of a slow flow with its reason, a flood
# bounded and its losses adding up, the log, and silence when nobody watches
# or moatd is dead.
. "$(dirname "$0")/lib.sh"

HOST=198.51.100.7
SLOW=200

configure() { # configure EVENTS
	config <<- END
		categories: { botnet: { action: drop }, scanner: { action: tag, dscp: 8 }, research: { action: monitor } }
		events: $1
	END
}

watch() { # watch NAME QUERY: a stream into $LAB/NAME, on when it returns
	curl -sN --unix-socket "$SOCKET" "http://moat/api/v1/events?$2" -D "$LAB/$1.head" > "$LAB/$1" 2> /dev/null &
	WATCHER=$!
	wait_for "$DEADLINE" grep -q "^HTTP/1.1 200" "$LAB/$1.head" || fatal "a stream of events begins"
}
unwatch() {
	kill "$WATCHER" 2> /dev/null
	wait "$WATCHER" 2> /dev/null
	WATCHER=''
}
lines() { grep -c "${2:-\"verdict\"}" "$LAB/$1"; }
lines_are() { [ "$(lines "$2" "${3:-}")" = "$1" ]; }
said() { # said NAME KEY: of the last word about losses
	jq -rs "[.[] | select(.lost) | .lost.$2] | last // 0" "$LAB/$1"
}
all_told() { [ "$(jq -rs '[.[] | select(.lost) | .lost | .delivered + .filtered + .lost + .suppressed + .limited + .slow] | last // 0' "$LAB/$1")" = "$2" ]; }

lab_up
configure "{ rate: 10000, log: $LAB/events.jsonl, log_size: 66k, log_keep: 2 }"
moat_start
list $HOST botnet
list 2001:db8:bad::/48 research
list 192.0.2.0/24 scanner
wait_for "$DEADLINE" watched_is 1

check "the log is a reader" equal 1 "$(status .events.readers)"
watch slow "format=ndjson"
send $HOST --count $SLOW --rate 2000 --dport 53
send 2001:db8:bad::9 --count $SLOW --rate 2000 --proto tcp --dport 22
send 192.0.2.9 --count $SLOW --rate 2000
send 203.0.113.5 --count $SLOW --rate 2000
wait_for "$DEADLINE" lines_are $((3 * SLOW)) slow
check "each packet of a slow flow that is dropped is an event" equal $SLOW \
	"$(jq -c 'select(.source == "'$HOST'" and .verdict == "drop" and .reason == "listed" and .category == "botnet" and
		.protocol == "udp" and .destination_port == 53 and .iface == "in0" and .length == 42)' "$LAB/slow" | wc -l)"
check "and each that is monitored" equal $SLOW \
	"$(jq -c 'select(.source == "2001:db8:bad::9" and .verdict == "monitor" and .destination_port == 22 and
		.listed == "2001:db8:bad::/48")' "$LAB/slow" | wc -l)"
check "and each that is tagged" equal $SLOW "$(jq -c 'select(.source == "192.0.2.9" and .verdict == "tag")' "$LAB/slow" | wc -l)"
check "clean packets are none" equal $((3 * SLOW)) "$(lines slow)"
check "the log has the same lines" wait_for "$DEADLINE" cmp -s <(sort "$LAB/slow") <(cat "$LAB"/events.jsonl* | sort)
unwatch

# All there is, bytes too: the frame is what was sent.
watch bytes "format=ndjson&passes=1&bytes=1&source=203.0.113.5"
send 203.0.113.5 --count 3 --payload 100
wait_for "$DEADLINE" lines_are 3 bytes
check "what passes is an event if so wished, with its first bytes" equal "128 3" \
	"$(jq -r .bytes "$LAB/bytes" | while read -r b; do base64 -d <<< "$b" | wc -c; done | sort -u | tr '\n' ' ')$(lines bytes)"
unwatch

# A flood: bounded, and the losses add up.
moat_end TERM
configure "{ rate: 2000 }"
moat_start
check "nobody reads" equal "0 0" "$(status '"\(.events.readers) \(.events.rate)"')"
before=$(packets 'verdict="drop"')
watch flood "format=ndjson"
send $HOST --count 300000
wait_for "$DEADLINE" all_told flood 300000
check "delivered, lost and suppressed are all packets of a flood" equal 300000 \
	"$(($(said flood delivered) + $(said flood lost) + $(said flood suppressed) + $(said flood slow)))"
check "as many as were dropped" equal 300000 $(($(packets 'verdict="drop"') - before))
check "a flood is bounded by the rate" between 1 $((2000 * (${LAST_SECONDS%.*} + 3))) "$(lines flood)"
check "the metrics say the same" equal "$(said flood suppressed)" "$(metric moat_events_suppressed_total)"
note "300,000 packets in $LAST_SECONDS s: $(lines flood) delivered, $(said flood suppressed) suppressed, $(said flood lost) lost"

# Who watches is gone, or moatd is.
check "while somebody watches, sampling is on" watched_is 1
unwatch
send $HOST --count 50 --rate 1000
check "nobody watches: nothing is sampled" wait_for "$DEADLINE" watched_is 0
watch dead "format=ndjson"
moat_end KILL
send $HOST --count 6000 --rate 2000
check "kill -9: the program switches sampling off by itself" watched_is 0
unwatch
moat_start

# A log that cannot be written is said, and taken up again by itself.
moat_end TERM
configure "{ log: $LAB/nowhere/events.jsonl }"
moat_start
degraded_is() { status_is '[.degraded[] | select(.what == "events")] | length' "$1"; }
check "a log that cannot be written is degraded" wait_for "$DEADLINE" degraded_is 1
wait_for "$DEADLINE" watched_is 1
mkdir "$LAB/nowhere"
send $HOST --count 5 --rate 1000
check "and written as soon as it can be" wait_for "$DEADLINE" test -s "$LAB/nowhere/events.jsonl"
check "then all is well again" wait_for "$DEADLINE" degraded_is 0
mv "$LAB/nowhere/events.jsonl" "$LAB/nowhere/moved"
kill -USR1 "$MOATD_PID"
check "SIGUSR1 opens it anew" wait_for "$DEADLINE" test -e "$LAB/nowhere/events.jsonl"

# One that cannot be rotated does not grow.
mkdir "$LAB/stuck.jsonl.1"
configure "{ rate: 10000, log: $LAB/stuck.jsonl, log_size: 66k, log_keep: 1 }"
kill -HUP "$MOATD_PID"
wait_for "$DEADLINE" test -e "$LAB/stuck.jsonl"
wait_for "$DEADLINE" watched_is 1
send $HOST --count 3000 --rate 3000
stuck() { status '[.degraded[].why] | join(" ")' | grep -q 'cannot be rotated'; }
check "a log that cannot be rotated is degraded" wait_for "$DEADLINE" stuck
stopped_growing() { [ "$(stat -c %s "$LAB/stuck.jsonl")" -gt 66000 ]; }
wait_for "$DEADLINE" stopped_growing
check "and does not grow beyond what is allowed" between 66000 200000 "$(stat -c %s "$LAB/stuck.jsonl")"
check "which is said once, not with every line" between 1 3 "$(grep -c 'cannot be rotated' "$LAB/moatd.log")"
rmdir "$LAB/stuck.jsonl.1"
send $HOST --count 5 --rate 1000
check "and rotated as soon as it can be" wait_for "$DEADLINE" test -f "$LAB/stuck.jsonl.1"
check "then nothing is degraded" wait_for "$DEADLINE" degraded_is 0

# A reload changes who reads.
configure "{ rate: 700 }"
kill -HUP "$MOATD_PID"
check "a reload ends the log, and with it the sampling" wait_for "$DEADLINE" watched_is 0
configure "{ rate: 700, log: $LAB/again.jsonl }"
kill -HUP "$MOATD_PID"
check "and begins one" wait_for "$DEADLINE" watched_is 1

check_counted
finish
