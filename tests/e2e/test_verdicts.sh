#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What a packet gets on the wire, in native and in generic mode.
# shellcheck disable=SC2034 # MODE, ENFORCE are read by config
. "$(dirname "$0")/lib.sh"

categories() {
	cat <<- 'END'
		categories:
		  botnet:     { action: drop }
		  bruteforce: { action: drop, protocol: tcp, ports: [22, 3389] }
		  flood:      { action: drop, protocol: icmp }
		  research:   { action: monitor }
	END
}

fill() {
	sql <<- 'END'
		BEGIN;
		INSERT INTO listing (source, category, feed) VALUES
			('198.51.100.7', 'botnet', 'test'),
			('198.51.100.128/25', 'botnet', 'test'),
			('198.51.100.200', 'allow', 'test'),
			('198.51.100.9', 'bruteforce', 'test'),
			('198.51.100.10', 'flood', 'test'),
			('198.51.100.11', 'research', 'test'),
			('198.51.100.12', 'research', 'one'),
			('198.51.100.12', 'bruteforce', 'two'),
			('2001:db8:bad::/48', 'botnet', 'test'),
			('2001:db8:bad::a', 'allow', 'test'),
			('2001:db8:22::1', 'bruteforce', 'test');
		INSERT INTO listing (source, category, feed, expires_at)
			VALUES ('198.51.100.13', 'botnet', 'test', unixepoch() - 10);
		COMMIT;
	END
	wait_synced
}

layer3() {
	drops "$MODE: a listed source is dropped" 198.51.100.7
	passes "$MODE: a clean source passes" 198.51.100.8
	drops "$MODE: a source inside a listed prefix is dropped" 198.51.100.129 198.51.100.255
	passes "$MODE: the neighbour of a listed prefix passes" 198.51.100.127
	passes "$MODE: allow inside a listed prefix passes" 198.51.100.200
	passes "$MODE: a monitored source passes" 198.51.100.11
	check "$MODE: a monitored source is counted as monitor" \
		equal "$FRAMES" "$(packets 'verdict="monitor"' 'reason="monitor"' 'category="research"')"
	passes "$MODE: a source whose listing has expired passes" 198.51.100.13
	drops "$MODE: a listed source is dropped with GRE, ESP and SCTP, too" 198.51.100.7 --proto 47
	drops "$MODE: a listed IPv6 source is dropped" 2001:db8:bad::1 2001:db8:bad:ffff::1
	passes "$MODE: a clean IPv6 source passes" 2001:db8:bae::1
	passes "$MODE: allow inside a listed IPv6 prefix passes" 2001:db8:bad::a
}

hidden() {
	drops "$MODE: a VLAN tag hides no listed source" 198.51.100.7 --vlan 100
	drops "$MODE: QinQ hides no listed source" 198.51.100.7 --qinq 100 --vlan 200
	drops "$MODE: three tags hide no listed source" 2001:db8:bad::1 --qinq 100 --vlan 200 --vlan 300
	passes "$MODE: a clean source passes with its VLAN tag" 198.51.100.8 --vlan 100
	check "$MODE: the tag is as it was sent" equal "$FRAMES" "$(received vlan 100)"
	passes "$MODE: a clean source passes with QinQ" 2001:db8:bae::1 --qinq 100 --vlan 200
	check "$MODE: both tags are as they were sent" equal "$FRAMES" "$(received vlan 100.200)"
	drops "$MODE: IPv4 options hide no listed source" 198.51.100.7 --ip-options 10
	drops "$MODE: extension headers hide no listed source" 2001:db8:bad::1 --proto tcp \
		--ext hop,dst,routing,ah,dst,dst,dst,dst
	drops "$MODE: more extension headers than moat reads hide no listed source" 2001:db8:bad::1 \
		--ext hop,dst,routing,ah,dst,dst,dst,dst,dst,dst,dst
	drops "$MODE: a first fragment of a listed source is dropped" 198.51.100.7 --fragment first --payload 64
	drops "$MODE: a later fragment of a listed source is dropped" 198.51.100.7 --fragment later --payload 64
	drops "$MODE: a later IPv6 fragment of a listed source is dropped" 2001:db8:bad::1 --fragment later --payload 64
	drops "$MODE: a frame cut behind the source address is dropped" 198.51.100.7 --proto tcp --cut 34
}

scopes() {
	drops "$MODE: a scoped source is dropped on its port" 198.51.100.9 --proto tcp --dport 22
	drops "$MODE: a scoped source is dropped on its other port" 198.51.100.9 --proto tcp --dport 3389
	passes "$MODE: a scoped source passes on another port" 198.51.100.9 --proto tcp --dport 443
	passes "$MODE: a scoped source passes with another protocol" 198.51.100.9 --proto udp --dport 22
	drops "$MODE: a later fragment of a scoped source is dropped, its port is unknown" 198.51.100.9 \
		--proto tcp --fragment later --payload 64
	drops "$MODE: IPv4 options do not shift the port" 198.51.100.9 --proto tcp --dport 22 --ip-options 7
	drops "$MODE: extension headers do not hide the port" 2001:db8:22::1 --proto tcp --dport 22 --ext dst,ah
	passes "$MODE: a scoped IPv6 source passes on another port" 2001:db8:22::1 --proto tcp --dport 25
	drops "$MODE: a VLAN tag does not hide the port" 198.51.100.9 --vlan 5 --proto tcp --dport 22
	drops "$MODE: a source scoped to ICMP is dropped with ICMP" 198.51.100.10 --proto icmp --dport 8
	passes "$MODE: a source scoped to ICMP passes with UDP" 198.51.100.10 --proto udp
	drops "$MODE: of two categories the stronger action wins where its scope fits" 198.51.100.12 --proto tcp --dport 22
	passes "$MODE: where it does not fit, the weaker one counts" 198.51.100.12 --proto tcp --dport 80
}

numbers() {
	check_counted "$MODE: the sum over reasons is what was sent"
	check "$MODE: drops are counted by family and category" equal "$FRAMES" \
		"$(packets 'verdict="drop"' 'family="ipv6"' 'category="bruteforce"')"
	check "$MODE: the mode is in the metrics" equal 1 "$(metric moat_interface_attached 'iface="in0"' "mode=\"$MODE\"")"
}

observed() { # enforce: false
	local before
	before=$(packets 'verdict="monitor"' 'reason="listed"' 'category="botnet"')
	passes "$MODE: with enforce false a listed source passes" 198.51.100.7
	check "$MODE: and is counted with its reason, verdict monitor" equal "$((before + FRAMES))" \
		"$(packets 'verdict="monitor"' 'reason="listed"' 'category="botnet"')"
	check_counted "$MODE: the sum holds with enforce false"
}

for MODE in native generic; do
	lab_up
	config < <(categories)
	moat_start
	fill
	layer3
	hidden
	scopes
	numbers
	ENFORCE=false
	config < <(categories)
	kill -HUP "$MOATD_PID"
	wait_for "$DEADLINE" status_is '.interfaces[0].enforce' false || not_ok "$MODE: a reload turns enforcing off"
	observed
	ENFORCE=true
	lab_down
	SENT=0
done
finish
