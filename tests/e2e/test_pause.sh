#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Pause: every packet passes, is still counted, and it ends by itself.
. "$(dirname "$0")/lib.sh"

paused() { [ "$(metric moat_paused)" = "$1" ]; }

lab_up
config <<< 'categories: { botnet: { action: drop } }'
moat_start
list 198.51.100.7 botnet

drops "before: a listed source is dropped" 198.51.100.7
started=$(now_us)
check "pause works" moatctl pause
passes "paused: a listed source passes" 198.51.100.7
check "within a second" between 0 1000000 $(($(now_us) - started))
check "paused packets are counted as such" equal "$FRAMES" "$(packets 'verdict="pass"' 'reason="paused"')"
check "the metric says so" equal 1 "$(metric moat_paused)"
check "the status says so" equal "degraded true" "$(status '[.state, .paused != null] | join(" ")')"
check "resume works" moatctl resume
drops "resumed: a listed source is dropped" 198.51.100.7

check "pause --for works" moatctl pause --for 2s
passes "paused for a time: a listed source passes" 198.51.100.7
wait_for "$DEADLINE" paused 0 || not_ok "a pause for a time ends"
drops "a pause for a time ends by itself" 198.51.100.7

check "a pause that is no time is refused" equal 2 "$(moatctl pause --for soon > /dev/null 2>&1; echo $?)"
drops "and does nothing" 198.51.100.7

# Nobody runs, and the pause still ends.
check "pause --for works before a kill" moatctl pause --for 2s
until_end=$(($(now_us) + 2300000))
moat_end KILL
receive_start
send 198.51.100.7 --count 10
over() { (($(now_us) > until_end)); }
wait_for "$DEADLINE" over
send 198.51.100.7 --count 1000
receive_stop
check "a pause for a time ends while moatd is dead" equal 10 "$(received total)"

moat_start
check "pause without a time works before a restart" moatctl pause
moat_end TERM
moat_start
check "it lasts over a restart" equal 1 "$(metric moat_paused)"
check "resume after the restart works" moatctl resume
drops "resumed after a restart: a listed source is dropped" 198.51.100.7
check "who did it is in the audit" contains pause "$(moatctl audit)"
check_counted
finish
