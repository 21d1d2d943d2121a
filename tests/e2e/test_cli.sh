#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# moatctl as a person uses it: each verb changes the wire as it says.
. "$(dirname "$0")/lib.sh"

code() { # code COMMAND...: its exit code
	"$@" > "$LAB/out" 2>&1
	echo $?
}

lab_up
config <<- 'END'
	categories:
	  botnet:     { action: drop }
	  bruteforce: { action: drop, protocol: tcp, ports: [22] }
END
check "without moatd the exit code is 3" equal 3 "$(code moatctl status)"
moat_start

check "add works" moatctl add 198.51.100.7 -c botnet -r "seen in the wild" --ref CASE-7 -t 1h
drops "and is in force on return" 198.51.100.7
check "add of nonsense is refused" equal 1 "$(code moatctl add 198.51.100.7/24 -c botnet)"
check "with its cause" contains host "$(cat "$LAB/out")"
check "add of an unknown category is refused" equal 1 "$(code moatctl add 198.51.100.9 -c nosuch)"
check "add of the own address is refused" equal 1 "$(code moatctl add "$TO4" -c botnet)"
check "add without a category is a usage error" equal 2 "$(code moatctl add 198.51.100.9)"
check "an unknown verb is a usage error" equal 2 "$(code moatctl conquer)"
printf '198.51.100.%d\n' 20 21 22 | moatctl add - -c botnet > "$LAB/out" 2>&1
check "many are added from standard input" equal 0 $?
drops "all of them are in force" 198.51.100.20 198.51.100.21 198.51.100.22
printf '198.51.100.%s\n' 30 nonsense | moatctl add - -c botnet > "$LAB/out" 2>&1
check "many with a bad one among them are refused" equal 1 $?
passes "and none is in force" 198.51.100.30

check "list has it" contains 198.51.100.7 "$(moatctl list -c botnet)"
check "list as JSON is JSON" equal "seen in the wild" \
	"$(moatctl -o json list -c botnet | jq -r '[.. | objects | select(.source? == "198.51.100.7")][0].reason')"
check "list --under finds what lies inside" contains 198.51.100.21 "$(moatctl list --under 198.51.100.16/28)"
check "and nothing else" lacks 198.51.100.7 "$(moatctl list --under 198.51.100.16/28)"

explained=$(moatctl explain 198.51.100.7)
check "explain says drop" contains drop "$explained"
check "explain says botnet" contains botnet "$explained"
check "explain says why" contains "seen in the wild" "$explained"
check "explain of a clean address says pass" contains pass "$(moatctl explain 203.0.113.1)"
check "add of a scoped category works" moatctl add 2001:db8:22::/48 -c bruteforce
check "explain judges by port" equal "drop pass" "$(for port in 22 80; do
	moatctl -o json explain 2001:db8:22::5 --proto tcp --dport $port | jq -r .verdict; done | xargs)"
drops "as the wire does" 2001:db8:22::5 --proto tcp --dport 22
passes "on both ports" 2001:db8:22::5 --proto tcp --dport 80

check "allow works" moatctl allow 198.51.100.7
passes "and wins over the listing" 198.51.100.7
check "remove of one category works" moatctl remove 198.51.100.7 -c allow
drops "the other listing is in force again" 198.51.100.7
check "add of the prefix around it works" moatctl add 198.51.100.0/28 -c botnet
check "remove says what remains" contains 198.51.100.0/28 "$(moatctl remove 198.51.100.7)"
drops "and it is still blocked" 198.51.100.7
check "remove of the prefix works" moatctl remove 198.51.100.0/28
passes "nothing blocks it any more" 198.51.100.7

check "status says ok" contains ok "$(moatctl status)"
check "status as JSON is JSON" equal ok "$(moatctl -o json status | jq -r .state)"
check "metrics are those of HTTP" contains moat_packets_total "$(moatctl metrics)"
check "audit says who" contains root "$(moatctl audit)"
check "an add of more than it can hold in hand is quick" sh -c '
	awk "BEGIN { for (i = 0; i < 5000; i++) printf \"203.%d.%d.%d\\n\", i / 62500, (i / 250) % 250, i % 250 }" |
	"$0" -s "$1" add - -c botnet > /dev/null' "$MOATCTL" "$SOCKET"
drops "all of it is in force" 203.0.0.0 203.0.19.249
check_counted
finish
