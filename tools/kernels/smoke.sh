#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# moatd on this kernel: what it lists in the database is dropped on the wire,
# in native mode, and stays so when moatd is killed. Runs beside tests/e2e/lib.sh.
. "$(dirname "$0")/lib.sh"

rules() {
	in_ns "$IN" nft -f - <<- 'END'
		table inet test {
			chain incoming {
				type filter hook prerouting priority raw;
				meta iifname "in0" meta mark 0x10 counter
			}
		}
	END
}
marked() { in_ns "$IN" nft -j list chain inet test incoming | jq '.. | .counter? // empty | .packets'; }

lab_up
check "nftables counts in the namespace" rules
config <<- END
	categories:
	  botnet:   { action: drop }
	  research: { action: monitor }
	  scanner:  { action: tag, mark: 0x10 }
END
sqlite3 "$DATABASE" 'SELECT sqlite_version()' > /dev/null
moat_start
check "the filter is attached in native mode" status_is '.interfaces[0].mode' native
check "the self-test passes" status_is .selftest.ok true
check "the sieve is in use" status_is .sieve.on true
list 198.51.100.7 botnet
list 203.0.113.0/24 botnet
list 2001:db8:bad::/48 botnet
list 192.0.2.9 botnet 86400
drops "a listed IPv4 host is dropped" 198.51.100.7
drops "a host of a listed IPv4 network is dropped" 203.0.113.77
drops "a host of a listed IPv6 network is dropped" 2001:db8:bad::5
drops "a host whose listing ends tomorrow is dropped" 192.0.2.9
passes "a clean source passes" 198.51.100.8
passes "a clean IPv6 source passes" 2001:db8:900d::1
list 192.0.2.16 scanner
passes "a tagged source passes" 192.0.2.16
check "nftables sees its mark" equal "$FRAMES" "$(marked)"
unlist 198.51.100.7
passes "a source passes once its listing is gone" 198.51.100.7
list 198.51.100.7 botnet
printf '%s\n' 192.0.2.64/27 2001:db8:f00d::/48 > "$LAB/list"
check "the child without rights reads a list" moatctl import "$LAB/list" -f partner -c botnet -t 1d
wait_synced
drops "what the list says is dropped" 192.0.2.70 2001:db8:f00d::1
check_counted
moat_end KILL
receive_start
send --count "$FRAMES" 198.51.100.7 203.0.113.77 2001:db8:bad::5
receive_stop
check "without moatd listed sources are dropped" equal 0 "$(received total)"
moat_start
check "the pinned filter is adopted in native mode" status_is '.interfaces[0].mode' native
drops "a listed host is dropped after a restart" 198.51.100.7
note "$(status '.sieve | @json')" "$(status '.kernel | @json')"
finish
