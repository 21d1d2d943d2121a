#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Another client locks the database while feeds are fetched and imported, and
# sources are added: the set in force stays whole, whoever asks is told, and
# all that waits is done once the lock is gone.
#
# LOCK seconds (default 3) the lock is held at least, for each of the ways.
# shellcheck disable=SC2034 # CAPACITY4, SENT are read by the lab
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/feed_lab.sh"

LOCK=${LOCK:-3}

client_start() { # an SQL client in its own process; lines written to $CLIENT are its SQL
	rm -f "$LAB/client"
	mkfifo "$LAB/client"
	sqlite3 -cmd '.timeout 10000' "$DATABASE" < "$LAB/client" > "$LAB/client.out" 2>&1 &
	CLIENT_PID=$!
	exec {CLIENT}> "$LAB/client"
}
client_said() { grep -q "$1" "$LAB/client.out"; }
lock() {
	client_start
	echo "$1 SELECT 'holds it';" >&"$CLIENT"
	wait_for "$DEADLINE" client_said 'holds it' || fatal "another client locks the database: $(cat "$LAB/client.out")"
	LOCKED=$(now_us)
}
held() { (($(now_us) - LOCKED > LOCK * 1000000)); }
unlock() {
	wait_for $((LOCK + 5)) held
	printf '%s\n.quit\n' "$1" >&"$CLIENT"
	exec {CLIENT}>&-
	wait $CLIENT_PID
}

in_state() { status_is .state "$1"; }
in_trouble() { feed_is served .state trouble; }
code() { "$@" > "$LAB/out" 2>&1 && echo 0 || echo $?; }
fetch() { fetch_by_hand served; }
import() { moatctl import "$1" -f served -c botnet > "$LAB/out" 2>&1; }
whole() { [ "$(sql 'PRAGMA integrity_check')" = ok ]; }
audit_is_whole() { [ "$(sql 'SELECT max(rowid) = count(*) FROM audit')" = 1 ]; }

# while_locked WHAT: what holds while another has the lock.
while_locked() {
	check "$1: the kernel has the old list" kernel_is old
	check "$1: status answers, and says that the filter is on" equal true "$(status '.interfaces[0].attached')"
	check "$1: health is told" equal 200 "$(api GET /healthz -o /dev/null -w '%{http_code}')"
	check "$1: a source cannot be added" equal 1 "$(code moatctl add 203.0.113.80 -c botnet)"
	check "$1: which says why" contains locked "$(cat "$LAB/out")"
	check "$1: nor a list imported" equal 1 "$(code moatctl import "$LAB/day2" -f served -c botnet)"
	check "$1: which says why, too" contains locked "$(cat "$LAB/out")"
	check "$1: nor one fetched" equal 1 "$(code fetch_by_hand served)"
	check "$1: which says why, too" contains locked "$(cat "$LAB/out")"
	check "$1: and puts the feed in trouble" in_trouble
}

# afterwards WHAT: nothing was lost, and what failed succeeds.
afterwards() {
	check "$1: a source that another client wrote is in force" wait_for "$DEADLINE" synced
	check "$1: the state is good but for the feed" equal 1 "$(status '.degraded | length')"
	check "$1: the old list is whole" equal old "$(in_database served)"
	verdicts "$1: and judges every source" old
	check "$1: the next fetch succeeds" wait_for "$DEADLINE" fetch
	check "$1: the new list is in force" wait_for "$DEADLINE" kernel_is new
	check "$1: the state is good" wait_for "$DEADLINE" in_state ok
	check "$1: a source can be added" moatctl add 203.0.113.80 -c botnet
	check "$1: the database is whole" whole
	check "$1: no line of audit is missing" audit_is_whole
	moatctl remove 203.0.113.80 > /dev/null
	offer list "$LAB/day1"
	check "$1: back to the old list" fetch
	offer list "$LAB/day2"
}

lab_up
CAPACITY4=100000
"$GEN" -f firehol -s 61 -c 20 -d 1 8000 > "$LAB/day1"
"$GEN" -f firehol -s 61 -c 20 -d 2 8000 > "$LAB/day2"
pair "$LAB/day1" "$LAB/day2"
server_up
offer list "$LAB/day1"
config <<- END
	categories: { botnet: { action: drop } }
	feeds:
	  - { name: served, url: "$SERVER/list", category: botnet, every: 1d, ttl: 3d }
	  - { name: often, url: "$SERVER/often", category: botnet, every: 2s, ttl: 1d }
END
echo 203.0.113.90 > "$LAB/often"
offer often "$LAB/often"
moat_start
check "a second feed fetches itself" wait_for "$DEADLINE" feed_is often .state ok
own_entries
check "the first list is taken over" fetch
check "and in force" kernel_is old
offer list "$LAB/day2"

# Who writes keeps others from writing.
wire_open
lock "BEGIN IMMEDIATE; INSERT INTO listing (source, category) VALUES ('203.0.113.81', 'botnet');"
while_locked "another client writes"
unlock "COMMIT;"
wire_close "another client writes"
echo 203.0.113.81 >> "$LAB/own"
afterwards "another client wrote"

# A list is under way when the lock comes.
behave list slowly 0.5
wire_open
fetch &
FETCH=$!
lock "BEGIN IMMEDIATE;"
wait $FETCH
check "a lock in the middle of a fetch: it says why" contains locked "$(cat "$LAB/out")"
unlock "COMMIT;"
behave list good
wire_close "a lock in the middle of a fetch"
afterwards "after a lock in the middle of a fetch"

# Who checkpoints or restores locks readers out, too.
echo 203.0.113.91 >> "$LAB/often"
wire_open
lock "PRAGMA wal_checkpoint(TRUNCATE); BEGIN EXCLUSIVE; INSERT INTO listing (source, category) VALUES ('203.0.113.82', 'botnet');"
offer often "$LAB/often"
while_locked "another client has all of it"
check "the feed that fetches itself is in trouble, too" wait_for "$DEADLINE" feed_is often .state trouble
unlock "COMMIT;"
echo 203.0.113.82 >> "$LAB/own"
wire_close "another client has all of it"
check "and takes its list over by itself once the lock is gone" wait_for $((LOCK + 60)) feed_is often '"\(.state) \(.entries)"' "ok 2"
echo 203.0.113.91 >> "$LAB/own"
afterwards "another client had all of it"
check "sources of the other client are in force" wait_for "$DEADLINE" synced
drops "both of them" 203.0.113.81 203.0.113.82
finish
