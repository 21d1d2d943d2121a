#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# No moment without the filter: reload, stop, kill -9, restart, expiry while
# nobody runs. A stream of listed and clean packets flows all the time; not
# one of the listed may come out.
. "$(dirname "$0")/lib.sh"

RATE=20000 # frames a second, half of them listed

categories() { # categories ACTION_OF_RESEARCH
	cat <<- END
		categories:
		  botnet:   { action: drop }
		  research: { action: $1 }
	END
}

flows() { # whether some more clean frames were counted than at the last call
	local now
	now=$(packets 'reason="clean"')
	((now > ${CLEAN:-0} + RATE / 20)) && CLEAN=$now
}

# no_leak SENTENCE COMMAND...: the command runs under traffic, and nothing listed comes out.
no_leak() {
	local sentence=$1
	shift
	receive_start
	stream_start 198.51.100.7 203.0.113.1 2001:db8:bad::1 2001:db8:5::1 --rate "$RATE"
	wait_for "$DEADLINE" flows || fatal "traffic flows"
	"$@"
	wait_for "$DEADLINE" flows || not_ok "traffic flows on: $sentence"
	stream_stop
	wait_for "$DEADLINE" counted
	receive_stop
	note "$LAST_SENT frames in $LAST_SECONDS s, $(received total) came out"
	check "$sentence" equal "0 0" "$(got 198.51.100.7) $(got 2001:db8:bad::1)"
	check "$sentence; and no clean packet was lost" equal "$(clean_sent)" "$(received total)"
}
clean_sent() { echo $((LAST_SENT / 4 * 2 + (LAST_SENT % 4 >= 2))); }

reload() {
	local was=$1 now=$2
	config < <(categories "$now")
	kill -HUP "$MOATD_PID"
	wait_for "$DEADLINE" api_policy_is "$now" || not_ok "SIGHUP puts '$now' in force for '$was'"
}
api_policy_is() { [ "$(api GET "/api/v1/explain?address=198.51.100.20" | jq -r .policy.action)" = "$1" ]; }

reload_twenty() {
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		reload monitor drop
		reload drop monitor
	done
}

bad_reload() {
	config <<< 'categories: { botnet: { action: pass } }'
	kill -HUP "$MOATD_PID"
	wait_for "$DEADLINE" grep -q 'moat.yaml:[0-9]*:[0-9]*:' "$LAB/moatd.log" ||
		not_ok "a reload with a bad file says line and column"
}

kill_and_restart() {
	moat_end KILL
	moat_start
	moat_end KILL
	moat_start
}

stop_and_restart() {
	moat_end TERM || not_ok "SIGTERM ends moatd with exit code 0"
	[ -S "$SOCKET" ] && not_ok "SIGTERM removes the socket"
	moat_start
}

lab_up
config < <(categories monitor)
moat_start
sql "INSERT INTO listing (source, category, feed) VALUES ('198.51.100.7', 'botnet', 'test'),
	('2001:db8:bad::/48', 'botnet', 'test'), ('198.51.100.20', 'research', 'test')"
wait_synced

no_leak "nothing leaks through twenty reloads" reload_twenty
drops_before=$(packets 'verdict="drop"')
no_leak "nothing leaks through a reload of a bad file" bad_reload
check "a reload of a bad file is in the status" contains reload "$(status '.degraded | tostring')"
config < <(categories monitor)
kill -HUP "$MOATD_PID"
wait_for "$DEADLINE" status_is .state ok || not_ok "a good file clears it" "$(status .degraded)"
no_leak "nothing leaks through kill -9 and restart, twice" kill_and_restart
check "counters survive kill -9" between "$((drops_before + 1))" 1e12 "$(packets 'verdict="drop"')"
no_leak "nothing leaks through stop and restart" stop_and_restart

# Nobody runs: the filter is in force, and expires on its own.
list 198.51.100.30 botnet 5
until_expiry=$(sql "SELECT expires_at FROM listing WHERE source = '198.51.100.30'")
moat_end TERM
receive_start
send 198.51.100.7 198.51.100.30 203.0.113.1 --count 300
receive_stop
check "after SIGTERM the filter is in force" equal "0 0 100" \
	"$(got 198.51.100.7) $(got 198.51.100.30) $(got 203.0.113.1)"

moat_start
moat_end KILL
receive_start
reached() { (($(date +%s) > until_expiry)); }
wait_for "$DEADLINE" reached
send 198.51.100.7 198.51.100.30 203.0.113.1 --count 300
receive_stop
check "a listing expires while moatd is dead, the others stay" equal "0 100 100" \
	"$(got 198.51.100.7) $(got 198.51.100.30) $(got 203.0.113.1)"

# What changed while it was dead is caught up with.
sql "DELETE FROM listing WHERE source = '198.51.100.7'"
sql "INSERT INTO listing (source, category, feed) VALUES ('198.51.100.40', 'botnet', 'test')"
moat_start
drops "a listing added while moatd was dead is in force" 198.51.100.40
passes "a listing removed while moatd was dead is not" 198.51.100.7
check_counted
finish
