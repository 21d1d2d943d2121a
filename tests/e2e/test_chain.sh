#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Beside another XDP program: moat and xdp-filter under libxdp's dispatcher.
# Where the kernel attaches no program to another one (containers), it is
# refused and said; tools/kernels runs the rest in guests.
. "$(dirname "$0")/lib.sh"

chain() { status '.interfaces[0].chain'; }
xdp_id() { in_ns "$IN" ip -j -d link show dev in0 | jq -r '.[0].xdp.prog.id // "none"'; }
xdp_name() { in_ns "$IN" ip -j -d link show dev in0 | jq -r '.[0].xdp.prog.name // "none"'; }
attached() { status_is '.interfaces[0].attached' "$1"; }
other() { in_ns "$IN" xdp-filter "$@" > "$LAB/other" 2>&1; }
# programs: how many the dispatcher calls.
programs() {
	find "/sys/fs/bpf/xdp/dispatch-$(in_ns "$IN" ip -j link show dev in0 | jq '.[0].ifindex')-$(xdp_id)" -name 'prog*-prog' | wc -l
}

setting() {
	config <<- END
		attach: { chain: ${1:-libxdp}, priority: ${2:-20} }
		categories:
		  botnet:  { action: drop }
		  scanner: { action: tag, mark: 0x10 }
	END
}

# A filter that is in force stays so, whatever the dispatcher says.
keeps_link() {
	moat_end TERM
	other unload in0
	setting none
	moat_start
	list 198.51.100.7 botnet
	moat_end TERM
	setting
	moat_start
	check "a filter that was in force keeps its own link" equal moat_ingress "$(xdp_name)"
	drops "and filters" 198.51.100.7
	check "which the interface says" contains "keeps its own link" "$(status '.interfaces[0].problem')"
	moat_end TERM
	receive_start
	send --count "$FRAMES" 198.51.100.7
	receive_stop
	check "also without moatd" equal 0 "$(received total)"
	moat_start
	check "and after another start" equal moat_ingress "$(xdp_name)"
	drops "it filters" 198.51.100.7
	check "detach takes it off" equal none "$(moatctl detach in0 > /dev/null; xdp_name)"
}

refused() {
	setting
	moat_launch
	wait_for "$DEADLINE" answers || fatal "moatd runs where nothing can be chained"
	wait_for "$DEADLINE" attached false
	says_why() { status '.interfaces[0].problem' | grep -q 'cannot be chained'; }
	wait_for "$DEADLINE" says_why
	check "where programs cannot be chained it is said" contains "cannot be chained" \
		"$(status '.interfaces[0].problem')"
	check "and nothing is attached instead" equal "$1" "$(xdp_name)"
	keeps_link
	skip "moat beside another XDP program" "this kernel, or this machine's rights, let it not be attached to a dispatcher"
	finish
}

lab_up
command -v xdp-filter > /dev/null || { skip "moat beside another XDP program" "no xdp-filter" && finish; }
other load in0 -m native || fatal "xdp-filter is loaded: $(cat "$LAB/other")"
case $(xdp_name) in
xdp_dispatcher) [[ $(uname -r) != 5.* ]] || refused xdp_dispatcher ;; # there functions may not be given the context
*) other unload in0 || in_ns "$IN" ip link set in0 xdpdrv off && refused none ;;
esac

setting
moat_start
check "moat stands behind a program that was there" equal 'behind xdpfilt_alw_all (10), priority 20' "$(chain)"
note "$(moatctl status | grep 'in0 ')"
check "in native mode" status_is '.interfaces[0].mode' native
check "the self-test passes" status_is .selftest.ok true
list 198.51.100.7 botnet
list 2001:db8:bad::/48 botnet
list 192.0.2.16 scanner
drops "a listed source is dropped" 198.51.100.7 2001:db8:bad::5
passes "a clean source passes" 198.51.100.8
passes "a source to be marked passes" 192.0.2.16
check "and is counted as not marked, for a chained program may set none" equal "$FRAMES" \
	"$(packets 'reason="tag_failed"')"
check "which the interface says" contains "no mark" "$(status '.interfaces[0].problem')"
check_counted
other ip 198.51.100.9 -m src || fatal "xdp-filter takes an address: $(cat "$LAB/other")"
receive_start
counted_before=$SENT
send --count "$FRAMES" 198.51.100.9
send --count "$FRAMES" 198.51.100.8
SENT=$((counted_before + FRAMES))
wait_for "$DEADLINE" counted || not_ok "what the other program drops moat never sees" "$(packets), $SENT"
receive_stop
check "the other program goes on with what it did" equal "$FRAMES" "$(received total)"
other ip -r 198.51.100.9 -m src

moat_end KILL
receive_start
send --count "$FRAMES" 198.51.100.7
receive_stop
check "without moatd listed sources are dropped" equal 0 "$(received total)"

receive_start
stream_start 198.51.100.7 --rate 2000
moat_start
moat_end TERM
moat_start
stream_stop
receive_stop
check "restarts let no packet of a listed source through" equal 0 "$(received total)"
check "and leave one program of moat" equal 2 "$(programs)"
check "behind the other one" equal 'behind xdpfilt_alw_all (10), priority 20' "$(chain)"
SENT=$(packets)

moat_end TERM
setting libxdp 5
moat_start
check "another priority puts it before the other program" equal 'before xdpfilt_alw_all (10), priority 5' "$(chain)"
drops "where it filters" 198.51.100.7
other unload in0 || not_ok "xdp-filter is unloaded" "$(cat "$LAB/other")"
wait_for "$DEADLINE" status_is '.interfaces[0].chain' 'alone, priority 5'
check "moat stays when the other program goes" equal 'alone, priority 5' "$(chain)"
drops "and filters" 198.51.100.7
other load in0 -m native || not_ok "xdp-filter comes back" "$(cat "$LAB/other")"
wait_for "$DEADLINE" status_is '.interfaces[0].chain' 'before xdpfilt_alw_all (10), priority 5'
check "and runs behind moat" equal 'before xdpfilt_alw_all (10), priority 5' "$(chain)"
open_files() { find "/proc/$MOATD_PID/fd" -mindepth 1 | wc -l; }
files=$(open_files)
for _ in {1..20}; do moatctl attach in0 > /dev/null; done
check "looking at the dispatcher again leaves no file open" equal "$files" "$(open_files)"
wire_down
wait_for "$DEADLINE" attached false
wire_up
wait_for "$DEADLINE" attached true
check "an interface that returns is put under a dispatcher again" equal 'alone, priority 5' "$(chain)"
SENT=$(packets)
drops "and filters" 198.51.100.7
other load in0 -m native || not_ok "xdp-filter comes to it" "$(cat "$LAB/other")"
check "attach on trial is refused" contains "on trial" "$(moatctl detach in0; moatctl attach in0 --confirm 60s 2>&1)"
check "and nothing is attached by itself after that" status_is '.interfaces[0].by_hand' true
check "detach takes moat off, and leaves the other program" equal "xdp_dispatcher 1" "$(xdp_name) $(programs)"
check "attach by hand brings it back" moatctl attach in0
SENT=0
drops "and filters again" 198.51.100.7

moatctl detach in0 > /dev/null
other unload in0
LIBXDP_SKIP_DISPATCHER=1 other load in0 -m native || fatal "xdp-filter is loaded alone: $(cat "$LAB/other")"
id=$(xdp_id)
check "a program without dispatcher is not taken off" equal 1 "$(moatctl attach in0 > "$LAB/out" 2>&1; echo $?)"
check "but named" contains xdpfilt "$(cat "$LAB/out")"
check "and left alone" equal "$id" "$(xdp_id)"
in_ns "$IN" ip link set in0 xdpdrv off

moat_end TERM
setting none
SENT=0
moat_start
check "without the setting the filter has its own link" equal null "$(chain)"
list 198.51.100.17 botnet
drops "and filters" 198.51.100.17
moat_end TERM
setting
moat_start
check "an own link gives way to the dispatcher" equal 'alone, priority 20' "$(chain)"
drops "which filters" 198.51.100.17
moat_end TERM
setting none
moat_start
check "and the other way round" equal null "$(chain)"
drops "and filters once more" 198.51.100.17
moatctl detach in0 > /dev/null
check "detach leaves nothing" equal none "$(xdp_id)"
finish
