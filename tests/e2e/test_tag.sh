#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Tags: nftables sees the mark, the wire shows the DSCP with a right checksum.
# shellcheck disable=SC2034 # MODE is read by config
. "$(dirname "$0")/lib.sh"

rules() {
	in_ns "$IN" nft -f - <<- 'END'
		table inet test {
			counter marked {}
			counter marked4 {}
			counter marked6 {}
			counter unmarked {}
			chain incoming {
				type filter hook prerouting priority raw;
				meta iifname != "in0" return
				meta mark 0x10 counter name marked
				meta mark 0x10 meta nfproto ipv4 ip dscp 8 counter name marked4
				meta mark 0x10 meta nfproto ipv6 ip6 dscp 8 counter name marked6
				meta mark 0 counter name unmarked
			}
		}
	END
}

seen() { in_ns "$IN" nft -j list counter inet test "$1" | jq '.nftables[] | select(.counter) | .counter.packets'; }
saw() { [ "$(seen "$1")" = "$2" ]; }
check_seen() { # SENTENCE COUNTER NUMBER
	wait_for 5 saw "$2" "$3"
	check "$1" equal "$3" "$(seen "$2")"
}

for MODE in native generic; do
	lab_up
	rules || fatal "$MODE: nftables counts in the namespace"
	config <<- 'END'
		categories:
		  scanner: { action: tag, mark: 0x10, dscp: 8 }
		  quiet:   { action: tag, dscp: 1 }
	END
	moat_start
	list 198.51.100.7 scanner
	list 2001:db8:7::/48 scanner
	list 198.51.100.9 quiet

	passes "$MODE: a tagged source passes" 198.51.100.7 --payload 100 --dscp 46
	check_seen "$MODE: nftables sees the mark" marked "$FRAMES"
	check_seen "$MODE: with the new DSCP" marked4 "$FRAMES"
	check "$MODE: the DSCP on the wire is the new one" equal "$FRAMES" "$(received dscp 8)"
	check "$MODE: the IPv4 checksum is right" equal 0 "$(received bad_checksum)"

	passes "$MODE: a tagged IPv6 source passes" 2001:db8:7::1 --dscp 63 --ext dst
	check_seen "$MODE: nftables sees the mark of IPv6" marked6 "$FRAMES"
	check "$MODE: the IPv6 DSCP is the new one" equal "$FRAMES" "$(received dscp 8)"

	passes "$MODE: a tagged source passes with a VLAN tag" 198.51.100.7 --vlan 42 --payload 8
	check "$MODE: tagged inside the VLAN tag" equal "$FRAMES $FRAMES" "$(received dscp 8) $(received vlan 42)"
	check "$MODE: with a right checksum" equal 0 "$(received bad_checksum)"

	passes "$MODE: a source with a DSCP and no mark passes" 198.51.100.9
	check "$MODE: its DSCP is the new one" equal "$FRAMES 0" "$(received dscp 1) $(received bad_checksum)"
	passes "$MODE: a clean source keeps its DSCP" 203.0.113.1 --dscp 34
	check "$MODE: it is as it was sent" equal "$FRAMES" "$(received dscp 34)"
	check_seen "$MODE: and has no mark" unmarked $((FRAMES * 2))
	check "$MODE: tagged packets are counted as tag" equal $((FRAMES * 4)) "$(packets 'verdict="tag"' 'reason="tagged"')"
	check_counted "$MODE: the sum over reasons is what was sent"
	lab_down
	SENT=0
done
finish
