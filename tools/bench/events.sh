#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Events a second that moatd delivers to a reader of its API: a flood of listed
# packets over a veth pair, a stream without a limit of its own, read by curl.
# Prints rows with the columns of tools/bench/events.c: ns an event.
. "$(dirname "$0")/../../tests/e2e/lib.sh"
set -e

BAR=200000 # events a second
HOST=198.51.100.7

lab_up
config <<< 'categories: { botnet: { action: drop } }'
moat_start
list $HOST botnet

delivered() { echo $(($(metric moat_events_total) - $(metric moat_events_slow_total))); }

measure() { # measure NAME QUERY
	local before begin us missed
	curl -sN --unix-socket "$SOCKET" "http://moat/api/v1/events?rate=1000000&$2" > /dev/null &
	wait_for "$DEADLINE" watched_is 1
	before=$(delivered) missed=$(metric moat_events_lost_total)
	begin=$(now_us)
	stream_start $HOST
	wait_for 5 false || true # for so long
	stream_stop
	us=$(($(now_us) - begin))
	wait_for "$DEADLINE" counted
	rate=$((($(delivered) - before) * 1000000 / us))
	missed=$(($(metric moat_events_lost_total) - missed))
	kill %%
	wait %% 2> /dev/null || true
	printf 'events-stream,4,1,100,%s,%s,,\n' "$1" "$(awk -v r="$rate" 'BEGIN { printf "%.1f", 1e9 / r }')"
	echo "$1: $rate events/s through moatd to a reader, of $((LAST_SENT * 1000000 / us)) packets/s, $missed lost (at least $BAR/s): $([ "$rate" -ge $BAR ] && echo met || echo NOT met)" >&2
}

measure lines "format=ndjson"
measure lines-bytes "format=ndjson&bytes=1"
measure server-sent "format=sse"
