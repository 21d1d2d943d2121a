#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Servers that waste time, byte by byte or in silence: moat gives them up, and
# all else goes on meanwhile. Takes two minutes, in which it only waits.
# shellcheck disable=SC2034 # CAPACITY4, DEADLINE are read by the lab
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/feed_lab.sh"

SLOW=180 # seconds in which they must be given up

running() { feed_is "$1" .running true; }
over() { feed_is "$1" .running false; }
fetch() { fetch_by_hand "$1"; }

lab_up
CAPACITY4=100000
"$GEN" -f firehol -s 41 -c 10 -d 1 3000 > "$LAB/day1"
"$GEN" -f firehol -s 41 -c 10 -d 2 3000 > "$LAB/day2"
pair "$LAB/day1" "$LAB/day2"
server_up
for name in loris silent other; do offer $name "$LAB/day1"; done
config <<- END
	categories: { botnet: { action: drop } }
	feeds:
	  - { name: loris, url: "$SERVER/loris", category: botnet, every: 1d, ttl: 3d }
	  - { name: silent, url: "$SERVER/silent", category: botnet, every: 1d, ttl: 3d }
	  - { name: other, url: "$SERVER/other", category: botnet, every: 1d, ttl: 3d }
END
moat_start
own_entries
for name in loris silent other; do
	check "$name: the first list is taken over" fetch $name
done
check "and in force" kernel_is old
for name in loris silent; do
	offer $name "$LAB/day2"
	behave $name $name
	api POST /api/v1/feeds/$name/fetch --max-time 1 > /dev/null 2>&1
	check "$name: a fetch is under way" wait_for "$DEADLINE" running $name
done

wire_open
check "another feed is fetched meanwhile" fetch other
check "a source is added meanwhile" moatctl add 203.0.113.9 -c botnet
check "and ended" moatctl remove 203.0.113.9
for name in loris silent; do
	check "$name: it is given up" wait_for $SLOW over $name
	check "$name: the feed is in trouble, by its cause" equal "trouble fetch" "$(feed $name '"\(.state) \(.cause)"')"
	check "$name: which says that it is too slow" contains "too slow" "$(feed $name .why)"
	check "$name: status names the feed" contains $name "$(status '.degraded | tostring')"
	check "$name: the metric counts it" equal 1 "$(refused_total $name fetch)"
	check "$name: it is said once in the log" equal 1 "$(grep -c "feed '$name': not taken over" "$LAB/moatd.log")"
	check "$name: its last list stays" equal old "$(in_database $name)"
done
wire_close "with servers that waste time"
check "the first list is in force to the end" kernel_is old
check "no child is left behind" equal "" "$(pgrep -P "$MOATD_PID")"
finish
