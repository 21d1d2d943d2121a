#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The disk of the database and of the last good lists fills up while feeds are
# fetched and imported and sources are added: a list is taken over whole or not
# at all, who asks is told, and with room again all goes on by itself.
# shellcheck disable=SC2034 # CAPACITY4, SENT are read by the lab
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/feed_lab.sh"

fill() { dd if=/dev/zero of="$LAB/disk/ballast" bs=4k 2> /dev/null; }
leave() { # leave KIB: so much room on the disk
	fill
	truncate -s -"$1"K "$LAB/disk/ballast"
}
empty() { rm -f "$LAB/disk/ballast"; }
code() { "$@" > "$LAB/out" 2>&1 && echo 0 || echo $?; }
fetch() { fetch_by_hand served; }
whole() { [ "$(sql 'PRAGMA integrity_check')" = ok ]; }
audit_is_whole() { [ "$(sql 'SELECT max(rowid) = count(*) FROM audit')" = 1 ]; }
no_space() { grep -Eqi 'full|no space' "$LAB/out"; }
one_list() { [[ $(in_database served) =~ ^(old|new)$ ]]; }
synced_to() { kernel_is "$(in_database served)"; }

# holds WHAT: the set in force, with the disk as it is.
holds() {
	check "$1: one of the two lists is whole in the database" one_list
	check "$1: and in force" wait_for "$DEADLINE" synced_to
	check "$1: status answers" equal true "$(status '.interfaces[0].attached')"
}

# afterwards WHAT: with room again.
afterwards() {
	empty
	check "$1: with room again the next fetch succeeds" wait_for "$DEADLINE" fetch
	check "$1: its list is in the database" equal new "$(in_database served)"
	check "$1: and in force" wait_for "$DEADLINE" kernel_is new
	verdicts "$1: and judges every source" new
	check "$1: the state is good" wait_for "$DEADLINE" status_is .state ok
	check "$1: the last good copy is that list" cmp "$LAB/day2" "$LAB/disk/feeds/served"
	check "$1: nothing else is left beside it" equal served "$(ls "$LAB/disk/feeds")"
	check "$1: a source can be added" moatctl add 203.0.113.80 -c botnet
	moatctl remove 203.0.113.80 > /dev/null
	check "$1: the database is whole" whole
	check "$1: no line of audit is missing" audit_is_whole
	offer list "$LAB/day1"
	check "$1: back to the old list" fetch
	offer list "$LAB/day2"
}

lab_up
disk_up 24m
CAPACITY4=100000
"$GEN" -f firehol -s 71 -c 40 -d 1 12000 > "$LAB/day1"
"$GEN" -f firehol -s 71 -c 40 -d 2 12000 > "$LAB/day2"
pair "$LAB/day1" "$LAB/day2"
server_up
offer list "$LAB/day1"
config <<- END
	categories: { botnet: { action: drop } }
	feeds:
	  - { name: served, url: "$SERVER/list", category: botnet, every: 1d, ttl: 3d }
END
moat_start
own_entries
check "the first list is taken over" fetch
check "and in force" kernel_is old
offer list "$LAB/day2"

# Room for nothing, for some of the copy, for the copy and some of the database, for nearly all.
refused=0
for room in 0 64 256 512 1024 2048; do
	what="with $room KB on the disk"
	sqlite3 "$DATABASE" 'PRAGMA wal_checkpoint(TRUNCATE)' > /dev/null
	leave $room
	wire_open
	result=$(code fetch_by_hand served)
	if [ "$result" = 0 ]; then
		check "$what: a list that is taken over is whole" equal new "$(in_database served)"
	else
		refused=$((refused + 1))
		check "$what: a fetch that fails says why" no_space
		check "$what: and status says so" contains served "$(status '.degraded | tostring')"
		check "$what: the old list stays" equal old "$(in_database served)"
	fi
	holds "$what"
	wire_close "$what"
	afterwards "$what"
done
check "some of these fetches failed for want of room" between 1 6 $refused

what="an import with a full disk"
leave 0
wire_open
check "$what: it fails" equal 1 "$(code moatctl import "$LAB/day2" -f served -c botnet)"
check "$what: and says why" no_space
n=0
full() { n=$((n + 1)) && ! moatctl add "203.0.113.$((n % 250 + 1))" -c botnet > "$LAB/out" 2>&1; }
check "$what: sources are added until there is no room" wait_for "$DEADLINE" full
no_space || full
check "$what: which says why" no_space
sqlite3 "$DATABASE" "INSERT INTO listing (source, category) SELECT '198.18.' || (value / 256) || '.' || (value % 256), 'botnet'
	FROM generate_series(1, 5000)" > "$LAB/out" 2>&1
check "$what: SQL fails, too" no_space
check "$what: none of its rows is there" equal 0 "$(sql "SELECT count(*) FROM listing WHERE source LIKE '198.18.%'")"
check "$what: the old list stays" equal old "$(in_database served)"
wire_close "$what"
empty
sql "DELETE FROM listing WHERE feed = 'manual'"
wait_synced
afterwards "$what"

# Starting with a full disk, the filter of before stays.
what="a start with a full disk"
leave 0
wire_open
moat_end KILL
moat_launch
wait_for "$DEADLINE" answers
check "$what: moatd answers" answers
wire_runs 200
check "$what: the list of before is in force" kernel_is old
wire_close "$what"
afterwards "$what"
moat_end TERM
finish
