#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# kill -9 of moatd, and of the child that fetches, at random moments of fetches
# and imports, with the wire open: the set in force is the old list or the new
# one, the database is whole, audit goes on, and all recovers by itself.
#
# KILLS rounds of each (default 4), at moments that SEED chooses.
# shellcheck disable=SC2034 # CAPACITY4, SENT are read by the lab
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/feed_lab.sh"

KILLS=${KILLS:-4}
RANDOM=${SEED:-1}
ENTRIES=20000

audit_rows() { sql "SELECT count(*) FROM audit"; }
audit_is_whole() { [ "$(sql 'SELECT max(rowid) = count(*) FROM audit')" = 1 ]; }
is_whole() { [ "$(sql 'PRAGMA integrity_check')" = ok ]; }
child() { CHILD=$(pgrep -P "$MOATD_PID" | head -n 1) && [ -n "$CHILD" ]; }
moment() { read -rt "0.$(printf '%03d' $((RANDOM % $1)))" -u "$SILENCE"; } # up to so many ms
fetch() { moatctl feeds fetch served > "$LAB/out" 2>&1; }
swap() { # the other list is offered
	OFFERED=$([ "$OFFERED" = old ] && echo new || echo old)
	offer list "$LAB/$OFFERED"
}

# settled: one of the two lists is in the database, and the same in the kernel.
settled() {
	IN_FORCE=$(in_database served)
	[ "$IN_FORCE" = old ] || [ "$IN_FORCE" = new ] || return 1
	synced && kernel_is "$IN_FORCE"
}

# after_kill WHAT: what holds at once, with moatd dead or alive.
after_kill() {
	check "$1: the kernel holds what both lists name, and nothing that neither does" kernel_between
	check "$1: the database is whole" is_whole
	check "$1: it has one list or the other" grep -Eqx 'old|new' <<< "$(in_database served)"
	check "$1: no line of audit is missing" audit_is_whole
}

# recovers WHAT: by itself, to one of the lists; then the list that is offered is fetched.
recovers() {
	wait_for "$DEADLINE" settled
	check "$1: what is in the database is in force by itself" settled
	verdicts "$1: each source is judged by it" "$IN_FORCE"
	check "$1: the next fetch succeeds" wait_for "$DEADLINE" fetch
	check "$1: with the list that is offered" equal "$OFFERED" "$(in_database served)"
	check "$1: and the state is good" wait_for "$DEADLINE" status_is .state ok
}

# A list by whichever way, in the background.
begin() {
	swap
	case $1 in
	fetch)
		behave list good
		fetch &
		;;
	"slow fetch")
		behave list slowly 0.4
		fetch &
		;;
	import)
		behave list good
		moatctl import "$LAB/www/list" -f served -c botnet > "$LAB/out" 2>&1 &
		;;
	esac
	BEGUN=$!
}

kill_daemon() { # kill_daemon ROUND HOW
	local what="round $1, moatd killed in a $2"
	wire_open
	begin "$2"
	wait_for 2 child
	moment 400
	moat_end KILL
	wait $BEGUN
	behave list good
	after_kill "$what"
	wire_runs_dead
	moat_start
	check "$what: no child is left behind" wait_for "$DEADLINE" alone
	wire_close "$what"
	recovers "$what"
}
alone() { [ "$(ip netns pids "$IN" | grep -vFxe "$SERVER_PID" -e "$RECEIVER_PID" | xargs)" = "$MOATD_PID" ]; }

# The wire is open while no moatd lives to count: by what comes out.
wire_runs_dead() { moment 300; }

kill_child() { # kill_child ROUND HOW
	local what="round $1, the child killed in a $2" before
	wire_open
	before=$(said)
	begin "$2"
	if wait_for 5 child; then
		moment 120
		kill -KILL "$CHILD" 2> /dev/null
	fi
	wait $BEGUN
	if [ "$(said)" != "$before" ]; then
		CAUGHT=$((CAUGHT + 1))
		check "$what: status says so" contains "served" "$(status '.degraded | tostring')"
		check "$what: by its cause" contains "killed by signal 9" "$(feed served .why)"
	fi
	behave list good
	after_kill "$what"
	wire_close "$what"
	recovers "$what"
}
said() { refused_total served fetch; }

lab_up
CAPACITY4=100000
"$GEN" -f firehol -s 51 -c 30 -d 1 $ENTRIES > "$LAB/day1"
"$GEN" -f firehol -s 51 -c 30 -d 2 $ENTRIES > "$LAB/day2"
pair "$LAB/day1" "$LAB/day2"
server_up
offer list "$LAB/old"
OFFERED=old
config <<- END
	categories: { botnet: { action: drop } }
	feeds:
	  - { name: served, url: "$SERVER/list", category: botnet, every: 1d, ttl: 3d }
END
moat_start
own_entries
check "the first list is taken over" fetch
check "and in force" kernel_is old
AUDIT=$(audit_rows)
WAYS=(fetch import "slow fetch")
CAUGHT=0
IN_FORCE=none
for ((round = 0; round < KILLS; round++)); do
	kill_daemon $round "${WAYS[round % 3]}"
done
for ((round = 0; round < KILLS; round++)); do
	kill_child $round "${WAYS[round % 3 == 1 ? 0 : 2]}"
done
note "$CAUGHT of $KILLS children were killed before their end"
check "a child was killed in the middle at least once" between 1 "$KILLS" "$CAUGHT"
check "audit has every list that was taken over" between $((AUDIT + KILLS)) $((AUDIT + 4 * KILLS)) "$(audit_rows)"
finish
