#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# replies: pass. What this host opens is answered even by a listed peer; what
# the peer sends of its own accord is dropped; with replies: judge all is.
# shellcheck disable=SC2034 # FLOWS and REPLIES are read by configure
. "$(dirname "$0")/lib.sh"

PEER4=198.51.100.7
PEER6=2001:db8:7::7
HERE4=$TO4
HERE6=$TO6
PEER=$ROOT/tests/e2e/peer.py
SHORT=0.4 # seconds a question waits that must not be answered

# Real stacks on both ends: the peer's addresses lie behind a router, so that they can be listed.
stacks_up() {
	in_ns "$OUT" sh -c 'echo 0 > /proc/sys/net/ipv6/conf/out0/disable_ipv6
		echo 0 > /proc/sys/net/ipv6/conf/out0/accept_dad
		ip link set out0 arp on && ip addr add 10.99.0.2/24 dev out0 && ip addr add 2001:db8:99::2/64 dev out0 nodad
		ip addr add "$1"/32 dev lo && ip addr add "$2"/128 dev lo nodad' sh "$PEER4" "$PEER6" &&
		in_ns "$IN" sh -c 'ip link set in0 arp on && ip addr add "$3"/64 dev in0 nodad
		ip route add "$1" via 10.99.0.2 && ip route add "$2" via 2001:db8:99::2' sh "$PEER4" "$PEER6" "$HERE6" ||
		fatal "the lab has two stacks"
}

serve_start() { # serve_start NAMESPACE ADDRESS PORT...
	local log=$LAB/serve.$2
	in_ns_exec "$1" "$PEER" serve "${@:2}" > "$log" 2>&1 &
	wait_for "$DEADLINE" grep -q ready "$log" || fatal "there is a server at $2"
}

configure() {
	config <<- END
		categories: { botnet: { action: drop }, slow: { action: limit, rate: 1pps, burst: 1 } }
		replies: $REPLIES
		guards: { non_routable: pass }
		flows: ${FLOWS:-4096}
	END
}

reload() { # until the program on the interface does as the configuration says
	configure
	kill -HUP "$MOATD_PID"
	wait_for "$DEADLINE" status_is '.interfaces[0].replies' "$([ "$REPLIES" = pass ] && echo true || echo false)" ||
		fatal "moatd takes over replies: $REPLIES"
}

ask() { in_ns "$IN" "$PEER" ask "$@"; }
intrude() { in_ns "$OUT" "$PEER" ask "$@"; }
pings() { in_ns "$IN" ping -q -n -c 2 -i 0.05 -W "${2:-2}" "$1"; }
fails() { ! "$@"; }
egress() { in_ns "$IN" tc filter show dev in0 egress; }
flows() { bpftool -j map dump pinned "$PINS/moat_flows" | jq 'length'; }
listed() { packets 'reason="listed"'; }
replied() { packets 'reason="reply"'; }

# dropped_meanwhile SENTENCE COMMAND...: it fails, and packets were dropped because the source is listed.
dropped_meanwhile() {
	local sentence=$1 before
	shift
	before=$(listed)
	if "$@" > /dev/null 2>&1; then not_ok "$sentence" "it was answered: $*"; return; fi
	check "$sentence" between $((before + 1)) 1000000 "$(listed)"
}

unsolicited() { # the same whatever replies says
	dropped_meanwhile "$1: a connection from the peer is dropped" intrude tcp "$HERE4" 8080 -b "$PEER4" -t $SHORT
	dropped_meanwhile "$1: a connection from the peer is dropped (IPv6)" intrude tcp "$HERE6" 8080 -b "$PEER6" -t $SHORT
	dropped_meanwhile "$1: a datagram from the peer is dropped" intrude udp "$HERE4" 8080 -b "$PEER4" -t $SHORT
	dropped_meanwhile "$1: a datagram from the peer is dropped (IPv6)" intrude udp "$HERE6" 8080 -b "$PEER6" -t $SHORT
	dropped_meanwhile "$1: a ping from the peer is dropped" in_ns "$OUT" ping -q -c 1 -W 1 -I "$PEER4" "$HERE4"
	dropped_meanwhile "$1: a ping from the peer is dropped (IPv6)" in_ns "$OUT" ping -q -c 1 -W 1 -I "$PEER6" "$HERE6"
}

lab_up
stacks_up
serve_start "$OUT" "$PEER4" 80 53
serve_start "$OUT" "$PEER6" 80 53
serve_start "$IN" "$HERE4" 8080
serve_start "$IN" "$HERE6" 8080

REPLIES=judge
configure
moat_start
check "before it is listed the peer answers" ask tcp "$PEER4" 80
check "before it is listed the peer is answered" intrude tcp "$HERE6" 8080 -b "$PEER6"
list "$PEER4" botnet
list "$PEER6" botnet

dropped_meanwhile "judge: the answer to a connection opened here is dropped" ask tcp "$PEER4" 80 -t $SHORT
dropped_meanwhile "judge: the answer to a datagram sent from here is dropped" ask udp "$PEER4" 53 -t $SHORT
dropped_meanwhile "judge: the answer to a ping from here is dropped" pings "$PEER4" 1
unsolicited judge
check "judge: nothing is on the way out" equal '' "$(egress)"
check "judge: no memory is taken for flows" test ! -e "$PINS/moat_flows"

REPLIES=pass
reload
check "a connection opened here to a listed peer works" ask tcp "$PEER4" 80 -n 5
check "a connection opened here to a listed peer works (IPv6)" ask tcp "$PEER6" 80 -n 5
check "a datagram sent from here to a listed peer is answered" ask udp "$PEER4" 53 -n 5
check "a datagram sent from here to a listed peer is answered (IPv6)" ask udp "$PEER6" 53 -n 5
check "a ping from here to a listed peer is answered" pings "$PEER4"
check "a ping from here to a listed peer is answered (IPv6)" pings "$PEER6"
check "they are counted as replies, by the category that would have dropped" \
	between 30 1000 "$(packets 'reason="reply"' 'verdict="pass"' 'category="botnet"')"
unsolicited pass

# The peer cannot use a flow for anything else.
ask udp "$PEER4" 53 -p 40000 || not_ok "a datagram from port 40000 is answered"
dropped_meanwhile "from another port of the peer nothing comes in" intrude udp "$HERE4" 40000 -b "$PEER4" -p 54 -t $SHORT
dropped_meanwhile "to another port of this host nothing comes in" intrude udp "$HERE4" 8080 -b "$PEER4" -p 5353 -t $SHORT
ask tcp "$PEER4" 80 -p 40001 || not_ok "a connection from port 40001 works"
before=$(listed)
in_ns "$OUT" "$TRAFFIC" send -i out0 --to-mac "$IN_MAC" --to "$HERE4" "$PEER4" --proto tcp --sport 80 --dport 40001 \
	--count 5 > /dev/null
wait_for 5 eval '[ "$(listed)" -ge $((before + 5)) ]'
check "a SYN of the peer is never an answer" between $((before + 5)) $((before + 20)) "$(listed)"
unlist "$PEER4"
intrude udp "$HERE4" 8080 -b "$PEER4" -p 7000 || not_ok "an unlisted peer is answered by a server"
list "$PEER4" botnet
dropped_meanwhile "a server's answer opens no door" intrude udp "$HERE4" 8080 -b "$PEER4" -p 7000 -t $SHORT

explained=$(moatctl explain "$PEER4")
check "explain says that answers pass" contains 'answers to what this host opens pass' "$explained"
check "explain says what an unsolicited packet gets" contains 'is DROPPED' "$explained"

# A connection outlives being listed, moatd, and moatd's absence.
unlist "$PEER4"
mkfifo "$LAB/lines"
in_ns_exec "$IN" "$PEER" hold "$PEER4" 80 < "$LAB/lines" > "$LAB/held" &
exec {LINES_FD}> "$LAB/lines"
wait_for "$DEADLINE" grep -q open "$LAB/held" || fatal "a connection is held"
held_is() { [ "$(grep -c answered "$LAB/held")" = "$1" ]; }
goes_on() { # goes_on SENTENCE NUMBER
	echo >&"$LINES_FD"
	wait_for 10 held_is "$2"
	check "$1" equal "$2 answered" "$(grep -c answered "$LAB/held") answered"
}
goes_on "a connection works" 1
list "$PEER4" botnet
goes_on "it goes on after its peer was listed" 2
moat_end KILL
goes_on "it goes on while no moatd runs" 3
check "a connection can be opened while no moatd runs" ask tcp "$PEER4" 80
check "an unsolicited one is dropped while no moatd runs" fails intrude tcp "$HERE4" 8080 -b "$PEER4" -t $SHORT
moat_start
goes_on "it goes on after moatd was started again" 4
moat_end TERM
FLOWS=2048
configure
moat_start
check "another size takes another table" equal 2048 \
	"$(bpftool -j map show pinned "$PINS/moat_flows" | jq .max_entries)"
check "and a connection works" ask tcp "$PEER4" 80
exec {LINES_FD}>&-

# A limit's packets are let through as well; a flood stays in its bounds.
unlist "$PEER4"
list "$PEER4" slow
check "answers of a peer over its limit pass" ask tcp "$PEER4" 80 -n 10
in_ns "$IN" "$PEER" scatter "$PEER4" 10000 || not_ok "10,000 flows are opened"
check "10,000 flows take no more room than there is" between 1 2048 "$(flows)"
check "and a new one is noted" ask udp "$PEER4" 53
check "the room is a metric" equal 2048 "$(metric moat_map_capacity 'map="moat_flows"')"

REPLIES=judge
reload
dropped_meanwhile "judge again: the answer is dropped" ask tcp "$PEER6" 80 -t $SHORT
check "judge again: nothing is on the way out" equal '' "$(egress)"
check "judge again: the memory is given back" test ! -e "$PINS/moat_flows"
REPLIES=pass
reload

# What leaves may be segmented and summed later, and carry its VLAN tag in the frame or beside it.
vlan_up() { # vlan_up NAMESPACE DEVICE ADDRESS
	in_ns "$1" sh -c 'ip link add link "$1" name vlan42 type vlan id 42 && ip addr add "$2"/24 dev vlan42 &&
		ip link set vlan42 arp on up' sh "$2" "$3" 2> /dev/null
}
VLAN=yes
if vlan_up "$IN" in0 10.98.0.1 && vlan_up "$OUT" out0 10.98.0.2; then
	serve_start "$OUT" 10.98.0.2 80
	list 10.98.0.2 botnet
else
	VLAN=''
	skip "replies in a VLAN" "this kernel makes no VLAN devices"
fi
for where in off on; do
	in_ns "$IN" ethtool -K in0 txvlan $where tx $where tso $where gso $where > /dev/null || fatal "offloads can be $where"
	check "offloads $where: a connection opened here works" ask tcp "$PEER6" 80 -n 3
	check "offloads $where: a datagram sent from here is answered" ask udp "$PEER6" 53 -n 3
	[ "$VLAN" ] || continue
	check "offloads $where: a connection in a VLAN works" ask tcp 10.98.0.2 80 -n 3
	check "offloads $where: a datagram in a VLAN is answered" ask udp 10.98.0.2 80 -n 3
	dropped_meanwhile "offloads $where: a datagram of the peer in a VLAN is dropped" \
		intrude udp 10.98.0.1 8080 -b 10.98.0.2 -t $SHORT
done
# The stack keeps the headers of what a packet socket sends in one piece only if it is short.
in_ns "$IN" ip link set in0 mtu 9000 && in_ns "$OUT" ip link set out0 mtu 9000 || fatal "packets can be long"
in_ns "$IN" "$TRAFFIC" send -i in0 --to-mac "$OUT_MAC" --to "$PEER6" "$HERE6" --sport 40002 --dport 9 --payload 6000 > /dev/null
before=$(replied)
in_ns "$OUT" "$TRAFFIC" send -i out0 --to-mac "$IN_MAC" --to "$HERE6" "$PEER6" --sport 9 --dport 40002 --count 5 > /dev/null
wait_for 5 eval '[ "$(replied)" -ge $((before + 5)) ]'
check "a datagram that leaves in pieces is noted" equal $((before + 5)) "$(replied)"
check "detaching takes the program off the way out" moatctl detach in0
check "nothing is left of it" equal '' "$(egress)"
finish
