#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# How fast the daemon is, with SQLite and a filter on a veth interface:
#
#     control,<what>,<n>,<seconds>,<per_second>,<rss_mb>
#
#   cold-start      no pins: from the start of moatd to n listings in force
#   restart         the same on the pins that it left
#   bulk-insert     one transaction of n rows, from its start to the last in force
#   bulk-delete     one transaction that deletes n rows
#   bulk-expire     n listings of one expiry, from then until moatd has removed them
#   follow-insert, -delete  n changes that are in the log already, until the last is in force:
#                   what moatd can follow, whoever writes
#   api-bulk, -again, -delete  n rows by the API in one request, from its first byte until the
#                   answer, which comes when they are in force
#   sql-to-drop-p50, -p99   one INSERT to the first dropped packet, n times
#   api-to-drop-p50, -p99   one listing by the API, likewise, from before the client connects
#
# rss is without the kernel's maps, some of which moatd has mapped; standard
# error says what those take. With BIG=1 cold-start, restart and the rows of
# follow with 10,000,000 listings, too.
#
#     tools/bench/control.sh OBJECT_DIR		# LISTINGS=1000000 BULK=100000 FOLLOW=500000 INSERTS=200 BIG=
set -u
readonly LISTINGS=${LISTINGS:-1000000} BULK=${BULK:-100000} FOLLOW=${FOLLOW:-500000} INSERTS=${INSERTS:-200}
readonly BIG=${BIG:-}
readonly BIG_LISTINGS=10000000
readonly EXPIRES_IN=5 # seconds after the transaction
tools=$1

# shellcheck source=tools/bench/control_lab.sh
. "$(dirname "$0")/control_lab.sh"

# Addresses that no guard refuses: not special, not the lab's.
addresses() {
	"$tools/wire" list $(($1 * 2)) |
		awk -F. '$1 < 224 && $1 !~ /^(0|10|100|127|169|172|192|198|203)$/' | head -n "$1"
}

# fill_at_rest FEED < addresses: as if they had been there for long. The triggers are away
# meanwhile, and SQLite's journal, for the log of millions of rows is not what is measured.
fill_at_rest() {
	cat > "$LAB/at-rest"
	local names="FROM sqlite_schema WHERE type = 'trigger'" drop make
	# Before: the journal of a database that somebody reads cannot be switched off.
	drop=$(sql "SELECT 'DROP TRIGGER ' || name || ';' $names")
	make=$(sql "SELECT sql || ';' $names")
	{
		echo 'PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -2000000; BEGIN;'
		printf '%s\n' "$drop" 'CREATE TEMP TABLE at_rest (source TEXT);' ".import $LAB/at-rest at_rest" \
			"INSERT INTO listing (source, category, feed) SELECT source, 'botnet', '$1' FROM at_rest;"
		printf '%s\n' "$make" 'COMMIT; PRAGMA journal_mode = WAL;'
	} | sql > /dev/null || fatal "the database is filled"
	rm "$LAB/at-rest"
}

# fill FEED EXPIRY < addresses: one transaction.
fill() {
	awk -v feed="$1" -v expiry="$2" '
	BEGIN { print "BEGIN IMMEDIATE;" }
	{
		printf "%s (\x27%s\x27, \x27botnet\x27, \x27%s\x27, %s)", NR % 500 == 1 ? \
			"INSERT INTO listing (source, category, feed, expires_at) VALUES" : ",", $0, feed, expiry
		if (NR % 500 == 0) print ";"
	}
	END { if (NR % 500) print ";"; print "COMMIT;" }' | sql > /dev/null
}

start_until_ready() { # start_until_ready WHAT N
	local begin
	begin=$(now_us)
	moat_launch
	wait_for $DEADLINE ready || fatal "moatd has all in force"
	row "$1" "$2" "$(seconds_since "$begin")"
	installed_is "$WANTED" || fatal "$WANTED sources are installed, not $(installed)"
}

timed_until() { # timed_until WHAT BEGIN SOURCES: a row when that many are installed
	wait_for $DEADLINE installed_is "$3" || fatal "$1: $3 sources installed, not $(installed)"
	row "$1" "$BULK" "$(seconds_since "$2")"
}

maps_mb() {
	for pin in "$PINS"/moat_*; do bpftool -j map show pinned "$pin"; done |
		jq -s 'map(.bytes_memlock) | add / 1048576 | round'
}

# start N: a lab whose moatd was restarted with N listings, and addresses of FOLLOW more in $LAB/more.
start() {
	lab_up
	CAPACITY4=$(($1 + FOLLOW + 2 * BULK + INSERTS)) config <<< 'categories: { botnet: { action: drop } }'
	moat_start
	WANTED=$(($(installed) + $1)) # with the self-test's
	moat_end TERM
	rm -rf "$PINS"

	addresses $(($1 + FOLLOW)) > "$LAB/addresses"
	[ "$(wc -l < "$LAB/addresses")" = $(($1 + FOLLOW)) ] || fatal "there are enough addresses"
	head -n "$1" "$LAB/addresses" | fill_at_rest base
	tail -n "$FOLLOW" "$LAB/addresses" > "$LAB/more"
	rm "$LAB/addresses"

	start_until_ready cold-start "$1"
	note "$1 listings: kernel maps $(maps_mb) MB"
	moat_end TERM
	start_until_ready restart "$1"
}

# moatd stands still, and not in the middle of a write of its own.
hold_still() {
	kill -STOP "$MOATD_PID"
	sqlite3 "$DATABASE" 'BEGIN IMMEDIATE; ROLLBACK' && return
	kill -CONT "$MOATD_PID"
	return 1
}

# follow WHAT SOURCES SQL: what is written while moatd stands still, it follows at once.
follow() {
	local begin cpu
	wait_for $DEADLINE hold_still || fatal "$1: moatd stands still"
	begin=$(now_us) cpu=$(cpu_ms)
	sql 'PRAGMA cache_size = -1000000' 'CREATE TEMP TABLE more (source TEXT)' \
		".import $LAB/more more" "$3" > /dev/null || fatal "$1: the changes are written"
	note "$1: the client took $(seconds_since "$begin") s for $FOLLOW changes"
	begin=$(now_us)
	kill -CONT "$MOATD_PID"
	wait_for $DEADLINE synced || fatal "$1: moatd follows the log"
	row "$1" "$FOLLOW" "$(seconds_since "$begin")"
	note "$1: moatd used $(($(cpu_ms) - cpu)) ms of CPU"
	installed_is "$2" || fatal "$1: $2 sources are installed, not $(installed)"
}

follow_both() {
	follow follow-insert $((WANTED + FOLLOW)) \
		"INSERT INTO listing (source, category, feed) SELECT source, 'botnet', 'follow' FROM more"
	follow follow-delete "$WANTED" "DELETE FROM listing WHERE feed = 'follow'"
}

# by_api WHAT METHOD N SOURCES ROWS: one request with a file of rows.
by_api() {
	local begin cpu
	begin=$(now_us) cpu=$(cpu_ms)
	curl -sS -f --unix-socket "$SOCKET" -X "$2" -H 'Content-Type: application/x-ndjson' -o "$LAB/answer" \
		--data-binary "@$5" 'http://moat/api/v1/listings' || fatal "$1: the API takes the rows"
	row "$1" "$3" "$(seconds_since "$begin")"
	note "$1: moatd used $(($(cpu_ms) - cpu)) ms of CPU"
	installed_is "$4" || fatal "$1: $4 sources are installed, not $(installed)"
}

start "$LISTINGS"

begin=$(now_us)
head -n "$BULK" "$LAB/more" | fill bulk NULL
timed_until bulk-insert "$begin" $((WANTED + BULK))
begin=$(now_us)
sql "DELETE FROM listing WHERE feed = 'bulk'"
timed_until bulk-delete "$begin" "$WANTED"

head -n "$BULK" "$LAB/more" | jq -Rc '{source: ., category: "botnet", feed: "bulk"}' > "$LAB/rows"
by_api api-bulk POST "$BULK" $((WANTED + BULK)) "$LAB/rows"
by_api api-bulk-again POST "$BULK" $((WANTED + BULK)) "$LAB/rows"
jq -c '{source}' "$LAB/rows" > "$LAB/keys"
by_api api-bulk-delete DELETE "$BULK" "$WANTED" "$LAB/keys"

expiry=$(($(date +%s) + EXPIRES_IN + BULK / 50000))
head -n "$BULK" "$LAB/more" | fill brief $expiry
wait_for $DEADLINE installed_is $((WANTED + BULK)) || fatal "the brief ones are installed"
timed_until bulk-expire ${expiry}000000 "$WANTED"

follow_both

read -r p50 p99 < <("$tools/latency" "$DATABASE" "$PINS/if/in0/link" "$INSERTS") || fatal "latency"
row sql-to-drop-p50 "$INSERTS" "$p50"
row sql-to-drop-p99 "$INSERTS" "$p99"
sql "DELETE FROM listing WHERE feed = 'latency'"
wait_for $DEADLINE installed_is "$WANTED" || fatal "the measured ones are gone"
read -r p50 p99 < <("$tools/latency" "unix:$SOCKET" "$PINS/if/in0/link" "$INSERTS") || fatal "latency by the API"
row api-to-drop-p50 "$INSERTS" "$p50"
row api-to-drop-p99 "$INSERTS" "$p99"
moat_end TERM
lab_down

if [ -n "$BIG" ]; then
	start $BIG_LISTINGS
	follow_both
	moat_end TERM
fi
