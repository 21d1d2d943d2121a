#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attach --confirm: the filter comes off again by itself unless it is
# confirmed, at once when moatd dies, and stays off when the time is over.
. "$(dirname "$0")/lib.sh"

LISTED=198.51.100.7

has_xdp() { in_ns "$IN" ip -o link show dev in0 | grep -q 'prog/xdp'; }
no_xdp() { ! has_xdp; }
attach() { moatctl attach in0 "$@" > "$LAB/out" 2>&1; }
attached() { status_is '.interfaces[0].attached' true; }
passes_unseen() { # passes, and is not counted: there is no filter
	receive_start
	in_ns "$OUT" "$TRAFFIC" send -i out0 --to-mac "$IN_MAC" --from-mac "$OUT_MAC" --to "$TO4" \
		$LISTED --count "$FRAMES" > "$LAB/unseen"
	came() { [ "$(ip netns exec "$IN" cat /sys/class/net/in0/statistics/rx_packets)" -ge "$FRAMES" ]; }
	wait_for "$DEADLINE" came
	receive_stop
	check "$1" equal "$FRAMES" "$(received total)"
}
past_deadline() {
	local until
	until=$(jq .[0].until_boot_ms "$DATABASE-attach")
	boot_is_past() { [ "$(awk '{ printf "%d", $1 * 1000 }' /proc/uptime)" -gt "$until" ]; }
	wait_for "$DEADLINE" boot_is_past
}
again() { # off, and counters anew
	moatctl detach in0 > "$LAB/out" || not_ok "detach" "$(cat "$LAB/out")"
	SENT=0
}

lab_up
config <<< 'categories: { botnet: { action: drop } }'
moat_start
list $LISTED botnet
check "where the filter is on there is nothing to confirm" equal 1 "$(attach --confirm 9s; echo $?)"

again
check "attach --confirm succeeds" attach --confirm 60s
drops "and the filter acts" $LISTED
check "status says that it is unconfirmed" contains "unconfirmed" "$(status '.interfaces[0].problem')"
check "the metric says for how long" between 30 60 "$(metric moat_attach_rollback_seconds 'iface="in0"')"
check "its link is not pinned" [ ! -e "$PINS/if/in0/link" ]
check "confirm keeps it" moatctl confirm in0
check "its link is pinned" [ -e "$PINS/if/in0/link" ]
check "status is good" wait_for "$DEADLINE" status_is .state ok
drops "it goes on acting" $LISTED
check_counted "no packet was lost in the counters"
check "a second confirm has nothing to do" equal 1 "$(moatctl confirm in0 > /dev/null 2>&1; echo $?)"

again
attach --confirm 1s
check "not confirmed, it comes off by itself" wait_for "$DEADLINE" no_xdp
check "and that is in the audit log" contains "in0: not confirmed in time" "$(sql "SELECT detail FROM audit WHERE verb = 'detach'")"
passes_unseen "and packets pass"

attach --confirm 60s
check "attached once more" has_xdp
moat_end KILL
check "when moatd dies it comes off at once" wait_for "$DEADLINE" no_xdp
moat_start
check "a moatd that is started in time puts it on again" has_xdp
check "and goes on waiting" contains "unconfirmed" "$(status '.interfaces[0].problem')"
check "it can be confirmed then" moatctl confirm in0
moat_end KILL
check "what is confirmed outlives moatd" has_xdp
moat_launch
wait_for "$DEADLINE" attached || not_ok "moatd starts"

again
attach --confirm 1s
moat_end KILL
past_deadline
moat_launch
wait_for "$DEADLINE" answers
check "a moatd that is started too late leaves it off" no_xdp
check "and says so" contains "not confirmed in time" "$(status '.interfaces[0].problem')"
moat_end TERM
moat_launch
wait_for "$DEADLINE" answers
check "so does the next one" no_xdp
check "until somebody attaches it" attach
check "for good" [ -e "$PINS/if/in0/link" ]
check "nothing is left beside the database" [ ! -e "$DATABASE-attach" ]
# shellcheck disable=SC2034 # read by the lab
SENT=0
drops "it acts" $LISTED
check_counted
finish
