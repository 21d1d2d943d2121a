#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Another version of moatd takes over maps and link while packets flow: every
# listed packet is dropped, every packet is counted exactly once, there and
# back; and one of another ABI is refused and changes nothing.
. "$(dirname "$0")/lib.sh"

RATE=40000 # frames a second, half of them listed
THERE=${UPGRADES:-2} # and back again

# The other version is this one under another name: the programs are loaded
# anew all the same, and that is what an upgrade does to the wire.
version_of() { "$1" -V | cut -d' ' -f2; }
OLD=$MOATD
OLD_VERSION=$(version_of "$OLD")
NEW_VERSION=9${OLD_VERSION:1}

running() { status .version; }
xdp_id() { in_ns "$IN" ip -j link show dev in0 | jq .[0].xdp.prog.id; }
link_id() { bpftool -j link show pinned "$PINS/if/in0/link" | jq .id; }
flows() { # whether some more clean frames were counted than at the last call
	local now
	now=$(packets 'reason="clean"')
	((now > ${CLEAN:-0} + RATE / 50)) && CLEAN=$now
}

# upgrade BINARY SIGNAL: the next moatd is BINARY; counters never go back.
upgrade() {
	local before after program
	before=$(packets)
	program=$(xdp_id)
	moat_end "$2"
	MOATD=$1
	moat_start
	after=$(packets)
	((after >= before)) || not_ok "no counter goes back" "$before, then $after"
	[ "$(xdp_id)" != "$program" ] || not_ok "the program is that of the new version" "still $program"
	wait_for "$DEADLINE" flows || not_ok "traffic flows on"
}

lab_up
sed "s/\([^_]\)$OLD_VERSION/\1$NEW_VERSION/g" "$OLD" > "$LAB/moatd-new" && chmod +x "$LAB/moatd-new"
NEW=$LAB/moatd-new
check "there is another version" equal "$NEW_VERSION" "$(version_of "$NEW")"

config <<< 'categories: { botnet: { action: drop } }'
moat_start
sql "INSERT INTO listing (source, category, feed) VALUES ('198.51.100.7', 'botnet', 'test'),
	('2001:db8:bad::/48', 'botnet', 'test')"
wait_synced
link=$(link_id)

receive_start
stream_start 198.51.100.7 203.0.113.1 2001:db8:bad::1 2001:db8:5::1 --rate "$RATE"
wait_for "$DEADLINE" flows || fatal "traffic flows"
for ((i = 0; i < THERE; i++)); do
	upgrade "$NEW" TERM
	[ "$i" = 0 ] && check "the new version runs" equal "$NEW_VERSION" "$(running)"
	upgrade "$OLD" KILL
	[ "$i" = 0 ] && check "and the old one again" equal "$OLD_VERSION" "$(running)"
done
stream_stop
wait_for "$DEADLINE" counted
receive_stop
note "$LAST_SENT frames in $LAST_SECONDS s over $((2 * THERE)) changes of version, $(received total) came out"
check "no listed packet passed in any of them" equal "0 0" "$(got 198.51.100.7) $(got 2001:db8:bad::1)"
CLEAN_SENT=$((LAST_SENT / 4 * 2 + (LAST_SENT % 4 >= 2)))
check "no clean packet was lost" equal "$CLEAN_SENT" "$(received total)"
check "every listed packet was counted as dropped, once" equal "$((LAST_SENT - CLEAN_SENT))" "$(packets 'verdict="drop"')"
check_counted "every packet was counted exactly once"
check "it is the link of the beginning, updated in place" equal "$link" "$(link_id)"

# A version whose maps are others: refused with what to do, and the filter goes on.
moat_end TERM
abi() { bpftool map update pinned "$PINS/moat_control" key 0 0 0 0 value "$1" "${CONTROL[@]:1}"; }
read -ra CONTROL <<< "$(bpftool -j map lookup pinned "$PINS/moat_control" key 0 0 0 0 | jq -r '.value | join(" ")')"
program=$(xdp_id)
abi 0x63
refuses "pins of another ABI are refused, with what to do" 2 "another version of moat" "detach"
check "what filters stays" equal "$program" "$(xdp_id)"
abi "${CONTROL[0]}"
moat_start
drops "and the version that fits goes on" 198.51.100.7
check_counted
finish
