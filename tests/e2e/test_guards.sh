#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The guards, with the wire open: what must never be blocked while the host
# changes, warninglists, regions, space that nobody routes, IPv4 inside IPv6,
# and host bits, through every writer.
. "$(dirname "$0")/lib.sh"

guarded() { # guarded [REGION...]: the configuration
	cat <<- END
		categories: { botnet: { action: drop } }
		region: [ $(printf '%s, ' "$@") ]
		feeds:
		  - { name: warning, url: "file://$LAB/warning.json", format: warninglist, category: allow }
		  - { name: cloud, url: "file://$LAB/cloud.json", format: auto, category: allow }
		  - { name: masked, url: "file://$LAB/bits.txt", format: plain, category: botnet, min_entries: 1 }
		  - { name: strict, url: "file://$LAB/bits.txt", format: plain, category: botnet, host_bits: refuse }
	END
}

refused() { sql "SELECT cause FROM refused WHERE source = '$1'"; }
is_refused() { equal "$2" "$(refused "$1")"; }
verdict() { api GET "/api/v1/explain?address=$1" | jq -r .reason; }
verdict_is() { equal "$2" "$(verdict "$1")"; }
state() { api GET "/api/v1/explain?address=$1" | jq -r ".listings[0].$2"; }
never() { metric moat_never_block "kind=\"$1\""; }

# ms_until COMMAND...: how long until it succeeds, in ms.
ms_until() {
	local began
	began=$(now_us)
	wait_for "$DEADLINE" "$@" || echo 999999
	echo $((($(now_us) - began) / 1000))
}

lab_up
cat > "$LAB/warning.json" <<- END
	{ "name": "resolvers", "version": 1, "description": "well known", "type": "cidr",
	  "matching_attributes": [ "ip-src" ], "list": [ "198.51.100.53", "198.51.100.64/28" ] }
END
cat > "$LAB/cloud.json" <<- END
	{ "result": { "ipv4_cidrs": [ "203.0.113.0/28" ], "ipv6_cidrs": [ "2001:db8:c10d::/48" ], "etag": "x" },
	  "success": true, "errors": [], "messages": [] }
END
printf '%s\n' 192.0.2.77/24 ::ffff:192.0.2.200 10.3.3.3 224.1.1.1 198.51.100.200 > "$LAB/bits.txt"
# An /etc of the daemon's own, so that a test may write its resolv.conf.
mkdir "$LAB/etc"
echo 'nameserver 198.51.100.9' > "$LAB/etc/resolv.conf"
config < <(guarded eu de)
in_ns_exec "$IN" unshare -m sh -c 'mount --bind "$1/etc" /etc && exec "$2" -c "$1/moat.yaml"' sh "$LAB" "$MOATD" \
	>> "$LAB/moatd.log" 2>&1 &
MOATD_PID=$!
wait_for "$DEADLINE" in_force || fatal "moatd starts and puts the filter in force"

# ---- never-block, found on change ----

check "what was found at start is in the status" equal "1 0 1 0" \
	"$(status '.never_block | "\(.own) \(.gateway) \(.resolver) \(.configured)"')"
check "and in the log" grep -q 'never-block: 2 prefixes: own 1, gateways 0, resolvers 1, configured 0' "$LAB/moatd.log"
check "and moatctl says so" contains "2 never-block prefixes: own 1, gateway 0, resolver 1" "$(moatctl status)"
list 198.51.100.0/24 botnet
list 192.0.2.33 botnet
drops "before it is an address of this host a source is dropped" 192.0.2.33
in_ns "$IN" ip addr add 192.0.2.33/32 dev in0
took=$(ms_until is_refused 192.0.2.33 never_block)
check "a new address is protected within a second (${took} ms)" between 0 1000 "$took"
passes "and what is listed of it passes" 192.0.2.33
in_ns "$IN" ip addr add 198.51.100.34/32 dev in0
wait_for "$DEADLINE" verdict_is 198.51.100.34 allowed
passes "an address inside a listed prefix passes" 198.51.100.34
drops "its neighbour does not" 198.51.100.35
in_ns "$IN" ip route add 172.30.0.0/16 via 10.99.0.77 dev in0 onlink
wait_for "$DEADLINE" verdict_is 10.99.0.77 allowed
check "a new gateway is protected" equal "allowed 1" "$(verdict 10.99.0.77) $(never gateway)"
echo 'nameserver 198.51.100.10' > "$LAB/etc/resolv.new" && mv "$LAB/etc/resolv.new" "$LAB/etc/resolv.conf"
wait_for "$DEADLINE" verdict_is 198.51.100.10 allowed
passes "a new name server is protected" 198.51.100.10
in_ns "$IN" ip addr del 192.0.2.33/32 dev in0
in_ns "$IN" ip addr del 198.51.100.34/32 dev in0
in_ns "$IN" ip route del 172.30.0.0/16
wait_for "$DEADLINE" is_refused 192.0.2.33 ''
drops "when the address is gone its listing comes into force" 192.0.2.33
wait_for "$DEADLINE" verdict_is 198.51.100.9 listed
drops "and so it is with the old name server" 198.51.100.9 198.51.100.34
gateway_gone() { equal 0 "$(never gateway)"; }
check "the gateway is gone" wait_for "$DEADLINE" gateway_gone

# ---- warninglists ----

fetched() { sql "SELECT count(*) FROM feed WHERE feed IN ('warning', 'cloud', 'masked', 'strict') AND last_good"; }
all_fetched() { equal 4 "$(fetched)"; }
wait_for "$DEADLINE" all_fetched || not_ok "four feeds are fetched" "$(moatctl feeds)"
wait_synced
passes "a warninglist protects inside a listed prefix" 198.51.100.53 198.51.100.64 198.51.100.79
drops "and nothing beside it" 198.51.100.52 198.51.100.80
list 203.0.113.0/24 botnet
passes "so do the networks of a cloud provider" 203.0.113.5
printf '%s\n' 198.51.100.53 198.51.100.65 203.0.113.3 203.0.113.200 192.0.2.5 > "$LAB/other.txt"
overlap=$(moatctl -o json import "$LAB/other.txt" -f other -c botnet -t 1d --dry-run | jq -c '.overlap')
check "the dry run of another feed shows the overlap" equal \
	'{"feeds":{"cloud":1,"test":2,"warning":2},"never_block":3}' \
	"$(jq -cS '{never_block, feeds: (.feeds | {cloud, test, warning})}' <<< "$overlap")"

# ---- host bits, IPv4 inside IPv6, space that nobody routes ----

rows() { sql "SELECT group_concat(source, ' ') FROM (SELECT source FROM listing WHERE feed = '$1' ORDER BY source)"; }
check "a feed's host bits are masked, IPv4 inside IPv6 is IPv4" equal \
	"10.3.3.3 192.0.2.0/24 192.0.2.200 198.51.100.200 224.1.1.1" "$(rows masked)"
check "that they were masked is in the log" grep -q "feed 'masked': 1 entries had host bits" "$LAB/moatd.log"
check "or refused, as the feed says" equal "10.3.3.3 192.0.2.200 198.51.100.200 224.1.1.1" "$(rows strict)"
check "private and multicast space of a feed is refused" equal "non_routable 2 non_routable 2" \
	"$(sql "SELECT cause, count(*) FROM refused WHERE source IN ('10.3.3.3', '224.1.1.1') GROUP BY source" | tr '|\n' '  ' | sed 's/ $//')"
drops "what a feed wrote as IPv4 inside IPv6 is dropped" 192.0.2.200
sql "INSERT INTO listing (source, category) VALUES ('::ffff:192.0.2.9', 'botnet'), ('192.168.7.7', 'botnet'),
	('ff02::9', 'botnet'), ('192.0.2.9/25', 'botnet'), ('2002:c000:201::/48', 'botnet'), ('64:ff9b::c000:201', 'botnet')"
wait_synced
check "SQL: IPv4 inside IPv6 is refused with what to write" is_refused ::ffff:192.0.2.9 not_canonical
check "SQL: private space is refused" is_refused 192.168.7.7 non_routable
check "SQL: multicast is refused" is_refused ff02::9 non_routable
check "SQL: host bits are refused" is_refused 192.0.2.9/25 host_bits
check "SQL: what a translator or tunnel made of IPv4 is IPv6" equal "  listed listed" \
	"$(refused 2002:c000:201::/48) $(refused 64:ff9b::c000:201) $(verdict 2002:c000:201::1) $(verdict 64:ff9b::c000:201)"
add() { moatctl add "$@" 2>&1; }
check "API: IPv4 inside IPv6 is taken as IPv4" contains "192.0.2.99: botnet, in force" "$(add ::ffff:192.0.2.99 -c botnet)"
check "API: private space is refused by name" contains "guard non_routable" "$(add 10.1.1.1 -c botnet)"
check "API: multicast is refused by name" contains "guard non_routable" "$(add ff02::7 -c botnet)"
check "API: host bits are refused by name" contains "guard host_bits" "$(add 192.0.2.1/24 -c botnet)"

# ---- regions ----

check "a listing of another region is added, and in force there" contains \
	"192.0.3.1: botnet, added, in force elsewhere: only in us; this host is eu, de" "$(add 192.0.3.1 -c botnet --region us)"
check "moatctl exits 0" moatctl add 192.0.3.2 -c botnet --region us,de
passes "a source of another region passes" 192.0.3.1
drops "one of this is dropped" 192.0.3.2
check "explain says where it is in force" contains "only in us; this host is eu, de" "$(moatctl explain 192.0.3.1)"
check "list has its state" contains elsewhere "$(moatctl list --under 192.0.3.1)"
check "it is counted" equal 1 "$(metric moat_listings 'state="elsewhere"')"
sql "UPDATE listing SET region = 'de' WHERE source = '192.0.3.1'"
wait_synced
drops "a region that changes by SQL takes effect" 192.0.3.1
config < <(guarded us)
kill -HUP "$MOATD_PID"
wait_for "$DEADLINE" verdict_is 192.0.3.1 clean
passes "a region that changes by a reload takes effect" 192.0.3.1
drops "a listing of both is in force as before" 192.0.3.2
check "its state is elsewhere now" equal elsewhere "$(state 192.0.3.1 state)"
check_counted
finish
