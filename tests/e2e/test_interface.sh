#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The interface: foreign programs are left alone, detach is explicit, an
# interface that goes away and comes back is filtered again, jumbo frames.
# shellcheck disable=SC2034 # MTU, MODE are read by the lab
. "$(dirname "$0")/lib.sh"

attached() { status_is '.interfaces[0].attached' "$1"; }
xdp_id() { in_ns "$IN" ip -j -d link show dev in0 | jq -r '.[0].xdp.prog.id // "none"'; }

start() {
	config <<< 'categories: { botnet: { action: drop } }'
	moat_start
	list 198.51.100.7 botnet
}

foreign() {
	lab_up
	echo '__attribute__((section("xdp"), used)) int foreign_prog(void *c) { return 2; }
		__attribute__((section("license"), used)) char l[] = "GPL";' > "$LAB/foreign.c"
	clang -O2 -g -target bpf -c "$LAB/foreign.c" -o "$LAB/foreign.o" || fatal "a foreign program compiles"
	in_ns "$IN" ip link set in0 xdpdrv obj "$LAB/foreign.o" sec xdp || fatal "a foreign program attaches"
	local id name=foreign_prog
	id=$(xdp_id)
	[ -z "${MOAT_USER:-}" ] || name="bpftool prog show id $id" # takes CAP_SYS_ADMIN
	config <<< 'categories: { botnet: { action: drop } }'
	moat_launch
	wait_for "$DEADLINE" answers || fatal "moatd runs beside a foreign program"
	wait_for "$DEADLINE" attached false
	check "a foreign XDP program is named" contains "$name" "$(status '.interfaces[0].problem')"
	check "and left alone" equal "$id" "$(xdp_id)"
	check "the status is degraded" equal degraded "$(status .state)"
	check "attach by hand is refused" equal 1 "$(moatctl attach in0 > "$LAB/out" 2>&1; echo $?)"
	check "and names it, too" contains "$name" "$(cat "$LAB/out")"
	check "still left alone" equal "$id" "$(xdp_id)"
	in_ns "$IN" ip link set in0 xdpdrv off
	wait_for "$DEADLINE" attached true
	check "once it has gone moat attaches" equal true "$(status '.interfaces[0].attached')"
	list 198.51.100.7 botnet
	drops "and filters" 198.51.100.7
	lab_down
	SENT=0
}

vanish() {
	lab_up
	start
	drops "a listed source is dropped before the interface goes" 198.51.100.7
	check_counted
	wire_down
	wait_for "$DEADLINE" attached false
	check "an interface that disappears is a degraded state" equal "false degraded" \
		"$(status '[.interfaces[0].attached, .state] | join(" ")')"
	check "that says which" contains in0 "$(status '.degraded | tostring')"
	check "its metric says so" equal 0 "$(metric moat_interface_attached 'iface="in0"')"
	wire_up
	wait_for "$DEADLINE" attached true
	check "it is attached when it returns" equal "true ok" \
		"$(status '[.interfaces[0].attached, .state] | join(" ")')"
	drops "and filters" 198.51.100.7
	check_counted "counters go on over its absence"
	wire_down
	moat_end TERM
	moat_launch
	wait_for "$DEADLINE" answers || fatal "moatd starts while its interface is missing"
	wire_up
	wait_for "$DEADLINE" attached true
	drops "an interface that comes after moatd is filtered" 198.51.100.7
	check_counted
	lab_down
	SENT=0
}

detach() {
	lab_up
	start
	drops "attached: a listed source is dropped" 198.51.100.7
	check_counted
	check "detach is explicit and works" moatctl detach in0
	check "no program is left on the interface" equal none "$(xdp_id)"
	check "nor the tc program" lacks moat "$(in_ns "$IN" tc filter show dev in0 ingress)"
	receive_start
	in_ns "$OUT" "$TRAFFIC" send -i out0 --to-mac "$IN_MAC" --to "$TO4" 198.51.100.7 --count 10 > /dev/null
	receive_stop
	check "detached: everything passes" equal 10 "$(received total)"
	check "the status says so" equal degraded "$(status .state)"
	kill -HUP "$MOATD_PID"
	wait_for "$DEADLINE" grep -qi reload "$LAB/moatd.log"
	check "a reload does not attach it again" equal none "$(xdp_id)"
	check "attach works" moatctl attach in0
	SENT=$(packets) # counters may begin anew
	drops "attached again: a listed source is dropped" 198.51.100.7
	check_counted
	check "detach of what is not there is refused" equal 1 "$(moatctl detach nosuch0 > /dev/null 2>&1; echo $?)"
	check "who did it is in the audit" contains detach "$(moatctl audit)"
	lab_down
	SENT=0
}

pinned() { [ -e "$PINS/if/in0/link" ] && [ -e "$PINS/if/in0/stats" ]; }

pins_removed() {
	lab_up
	start
	rm -r "$PINS/if"
	check "pins of an interface that somebody removed come back" wait_for "$DEADLINE" pinned
	moat_end KILL
	receive_start
	send 198.51.100.7 --count 10
	receive_stop
	check "and the filter outlives moatd" equal 0 "$(received total)"
	moat_start
	check_counted "with its counters"
	lab_down
	SENT=0
}

jumbo() {
	MTU=9000
	lab_up
	start
	list 198.51.100.8 botnet
	drops "a jumbo frame of a listed source is dropped" 198.51.100.7 --payload 8900
	passes "a jumbo frame of a clean source passes" 203.0.113.8 --payload 8900
	check_counted "jumbo frames: the sum over reasons is what was sent"
	note "mode: $(status '.interfaces[0].mode'), fallback: $(status '.interfaces[0].fallback')"
	lab_down
	SENT=0
}

MODE=auto
foreign
vanish
detach
pins_removed
jumbo
finish
