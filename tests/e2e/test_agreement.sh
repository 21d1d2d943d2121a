#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A category that asks for two feeds, and addresses that many people share:
# from a row of the database to what comes through the wire.
. "$(dirname "$0")/lib.sh"

claim() { # claim FEED SOURCE CATEGORY [TTL]
	sql "INSERT INTO listing (source, category, feed, expires_at)
		VALUES ('$2', '$3', '$1', ${4:+unixepoch() + }${4:-NULL})"
	wait_synced
}

end_claim() { # end_claim FEED SOURCE
	sql "DELETE FROM listing WHERE feed = '$1' AND source = '$2'"
	wait_synced
}

explains() { moatctl explain "$1"; }

rules() {
	in_ns "$IN" nft -f - <<- 'END'
		table inet test {
			counter marked {}
			chain incoming {
				type filter hook prerouting priority raw;
				iifname "in0" meta mark 0x20 counter name marked
			}
		}
	END
}
marked() { in_ns "$IN" nft -j list counter inet test marked | jq '.nftables[] | select(.counter) | .counter.packets'; }
marked_is() { [ "$(marked)" = "$1" ]; }

categories() { # categories [MANUAL]
	cat <<- END
		categories:
		  botnet:  { action: drop }
		  proxy:   { action: drop, k_of: 2 }
		  cgnat:   { action: shared, mark: 0x20, dscp: 8 }
		manual: { trusted: ${1:-true} }
		guards: { non_routable: pass }
		feeds:
		  - { name: twin-a, url: 'file:///nonexistent/a', category: proxy, group: twins }
		  - { name: twin-b, url: 'file:///nonexistent/b', category: proxy, group: twins }
		  - { name: soc, url: 'file:///nonexistent/c', category: proxy, trusted: true }
	END
}

lab_up
rules || fatal "nftables counts in the namespace"
config < <(categories)
moat_start

# Two feeds that must agree.
claim one 198.51.100.7 proxy
passes "a source that one of two feeds lists passes" 198.51.100.7
check "it is counted as monitored, under its category" equal "$FRAMES" \
	"$(packets 'reason="monitor"' 'verdict="monitor"' 'category="proxy"')"
check "explain says how many agree" contains "proxy: 1 of 2 feeds (one), only monitored" "$(explains 198.51.100.7)"
check "and that model and kernel do" lacks "DIFFER" "$(explains 198.51.100.7)"
claim two 198.51.100.0/24 proxy
drops "when a second feed lists its network it is dropped" 198.51.100.7
passes "a neighbour that only the second lists passes" 198.51.100.8
check "explain says that they agree" contains "proxy: 2 of 2 feeds (two, one)" "$(explains 198.51.100.7)"
end_claim one 198.51.100.7
passes "when the first ends it passes again" 198.51.100.7
claim one 198.51.100.7/32 proxy
drops "the first feed's row with its length counts as well" 198.51.100.7
sql "DELETE FROM listing"
claim one 198.51.100.7 proxy
claim one 198.51.100.7/32 proxy
passes "two spellings in one feed are one feed" 198.51.100.7

# Whose word counts how.
claim twin-a 198.51.100.9 proxy
claim twin-b 198.51.100.9 proxy
passes "two feeds of one group are one feed" 198.51.100.9
claim one 198.51.100.9 proxy
drops "with one of another group they are two" 198.51.100.9
claim soc 198.51.100.10 proxy
drops "a trusted feed needs no other" 198.51.100.10
claim manual 198.51.100.11 proxy
drops "what people add needs no other" 198.51.100.11
config < <(categories false)
kill -HUP "$MOATD_PID"
untrusted() { explains 198.51.100.11 | grep -q 'proxy: 1 of 2 feeds (manual), only monitored'; }
check "unless the configuration says so" wait_for "$DEADLINE" untrusted
passes "then it passes" 198.51.100.11

# A claim ends while nobody runs.
claim one 203.0.113.7 proxy
claim two 203.0.113.7 proxy 4
drops "while both feeds list a source it is dropped" 203.0.113.7
until_expiry=$(sql "SELECT expires_at FROM listing WHERE source = '203.0.113.7' AND feed = 'two'")
moat_end KILL
reached() { (($(date +%s) > until_expiry)); }
wait_for "$DEADLINE" reached
receive_start
send 203.0.113.7 198.51.100.9 --count 40
receive_stop
check "when one of them ends while moatd is dead it passes, the others stay" equal "20 0" \
	"$(got 203.0.113.7) $(got 198.51.100.9)"
moat_start
passes "so it does when moatd is back" 203.0.113.7
check "monitored" between 20 100000 "$(packets 'reason="monitor"' 'category="proxy"')"

# Addresses that many people share.
wanted=$(status '.coverage | [.wanted.ipv4, .installed.ipv4, .refused.ipv4] | join(" ")')
claim one 44.64.0.0/10 cgnat
passes "shared addresses that nothing else lists pass" 44.64.0.7
check "and are neither wanted nor installed, nor refused" equal "$wanted" \
	"$(status '.coverage | [.wanted.ipv4, .installed.ipv4, .refused.ipv4] | join(" ")')"
check "explain says what they are" contains "shared address (cgnat), not listed otherwise" "$(explains 44.64.0.7)"
claim one 44.64.0.7 botnet
passes "a listed source among them passes" 44.64.0.7 --dscp 46
check "with the DSCP of the shared category" equal "$FRAMES" "$(received dscp 8)"
check "and its mark" wait_for 5 marked_is "$FRAMES"
check "it counts under the category that would have dropped it" equal "$FRAMES" \
	"$(packets 'reason="shared"' 'verdict="tag"' 'category="botnet"')"
check "explain says so" contains "TAGGED" "$(explains 44.64.0.7)"
check "model and kernel agree" lacks "DIFFER" "$(explains 44.64.0.7)"
claim one 44.0.0.0/8 botnet
passes "all of them are tagged inside a listed network" 44.100.1.1
drops "beside them it drops" 44.1.2.3
end_claim one 44.64.0.0/10
drops "shared no more, the source is dropped" 44.64.0.7
check_counted
finish
