#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Hits of listed sources: how often and when, asked by explain and top; over a
# restart, kill -9, a table of another size, and none.
. "$(dirname "$0")/lib.sh"

HOST=198.51.100.7
HOST6=2001:db8:bad::7

configure() { # configure HITS
	config <<- END
		categories: { botnet: { action: drop }, research: { action: monitor } }
		hits: $1
	END
}

reload() { # reload HITS: until it is in force
	configure "$1"
	kill -HUP "$MOATD_PID"
	wait_for "$DEADLINE" room_is "$1" || fatal "moatd takes over hits: $1"
}
room_is() { [ "$(metric moat_map_capacity 'map="moat_hits"')" = "$1" ]; }

asked() { moatctl -o json explain "$1"; }
hits() { asked "$1" | jq -r "${2:-.kernel.hits}"; } # hits ADDRESS [WHAT]
ago() { # seconds since a time of explain
	echo $(($(date +%s) - $(date -d "$(hits "$1" "$2")" +%s)))
}
top() { moatctl -o json top -n --limit 3 | jq -r "$1"; }

lab_up
configure 65536
moat_start
list $HOST botnet
list 2001:db8:bad::/48 botnet
list 192.0.2.0/24 research
list 203.0.113.99 allow

check "a source that nothing came from has no hits" equal "0 null" "$(hits $HOST '"\(.kernel.hits) \(.kernel.last_seen)"')"
drops "a listed host is dropped" $HOST --rate 2000
drops "a listed network is dropped" $HOST6 --rate 2000
drops "a listed network is dropped, whoever of it sends" 2001:db8:bad:1::1 --rate 2000
passes "what is monitored passes" 192.0.2.55 --rate 2000
passes "what is allowed passes" 203.0.113.99 --rate 2000
passes "what is clean passes" 203.0.113.5 --rate 2000

check "explain says how many packets came of a host, exactly" equal "$FRAMES true" \
	"$(hits $HOST '"\(.kernel.hits) \(.kernel.hits_exact)"')"
check "and when the last came" between 0 20 "$(ago $HOST .kernel.last_seen)"
check "and the first" between 0 20 "$(ago $HOST .kernel.first_seen)"
check "explain says the same to people" contains "hits      $FRAMES, last " "$(moatctl explain $HOST)"
check "hits of a network are counted together" equal $((2 * FRAMES)) "$(hits 2001:db8:bad:5::5)"
check "what passes by policy is counted too" equal "$FRAMES $FRAMES" "$(hits 192.0.2.1) $(hits 203.0.113.99)"
check "asking is no hit" equal $FRAMES "$(hits $HOST)"

drops "more of a host" $HOST --count $((5 * FRAMES)) --rate 2000
check "top has the most active first" equal "$HOST $((6 * FRAMES)),2001:db8:bad::/48 $((2 * FRAMES))" \
	"$(top '[.sources[:2][] | "\(.source) \(.hits)"] | join(",")')"
check "top says what they are listed as" equal botnet "$(top '.sources[0].categories | join(" ")')"
check "top is a table for people" contains "$HOST" "$(moatctl top -n)"

# A flood: what is beyond what there is time for is estimated.
send 192.0.2.77 --count 1000000
wait_for "$DEADLINE" counted
through_now=$(hits 192.0.2.77)
check "a flood is counted right on average" between 900000 1100000 "$through_now"
check "and it is said that it is an estimate" equal false "$(hits 192.0.2.77 .kernel.hits_exact)"
note "1,000,020 packets of 192.0.2.0/24, counted about $through_now"

moat_end KILL
send $HOST --count $FRAMES --rate 2000
moat_start
check "hits outlive kill -9, and go on without moatd" equal $((7 * FRAMES)) "$(hits $HOST)"
moat_end TERM
moat_start
check "hits outlive a restart" equal $((7 * FRAMES)) "$(hits $HOST)"

unlist $HOST
check "what is not listed any more is not in top" equal 2001:db8:bad::/48 \
	"$(top '[.sources[].source | select(contains("db8") or contains("198"))] | join(" ")')"
list $HOST botnet

reload 2048
check "a table of another size is a new one" equal "2048 0" \
	"$(bpftool -j map show pinned "$PINS/moat_hits" | jq .max_entries) $(hits $HOST)"
drops "the filter goes on" $HOST --rate 2000
check "the new one counts" equal $FRAMES "$(hits $HOST)"

reload 0
check "hits: 0 takes no memory" test ! -e "$PINS/moat_hits"
drops "and the filter goes on" $HOST --rate 2000
check "explain knows of no hits then" equal null "$(hits $HOST)"
check "top says that none are noted" contains "hits: 0" "$(moatctl top -n)"
check "nothing is degraded by it" equal 0 "$(status '.degraded | length')"

check_counted
finish
