#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Lists of AS numbers: expanded by a table, again when the table changes, and
# never in force by halves.
# shellcheck disable=SC2034 # SENT, CAPACITY4 are read by the lab
. "$(dirname "$0")/lib.sh"

ASNDROP=$SHARED/data/spamhaus/asn_drop.json
RANGES4=$SHARED/data/routing/asn-ipv4-ranges.csv.gz
RANGES6=$SHARED/data/routing/asn-ipv6-ranges.csv.gz
PYASN=$SHARED/data/routing/pyasn-ipasn6_20151101.dat.gz
CAPACITY4=100000
HTTP_PID=''

code() { # code COMMAND...: its exit code
	"$@" > "$LAB/out" 2>&1
	echo $?
}
report() { jq -r "$1" "$LAB/report"; } # report FILTER: of the last import
import() { # import FILE FEED [OPTIONS]
	local file=$1 feed=$2
	shift 2
	moatctl -o json import "$file" -f "$feed" "$@" > "$LAB/report" 2> "$LAB/err"
}
feed() { moatctl -o json feeds | jq -r ".feeds[] | select(.name == \"$1\") | $2"; } # feed NAME FILTER
feed_is() { [ "$(feed "$1" "$2")" = "$3" ]; }
rows() { sql "SELECT group_concat(source, ' ') FROM (SELECT source FROM listing WHERE feed = '$1' ORDER BY source)"; }
# table FILE < lines: put in its place at once, and never of the same time twice.
table() {
	cat > "$LAB/table.part"
	touch -d "@$((1750000000 + ++TABLES))" "$LAB/table.part"
	mv "$LAB/table.part" "$1"
}
TABLES=0

# ---- no table ----

lab_up
printf '%s\n' 'AS64496 ; worst' AS64511 > "$LAB/list"
config <<< 'categories: { botnet: { action: drop } }'
moat_start
check "without a table a list of AS numbers is refused" equal 1 "$(code moatctl import "$LAB/list" -f bad -c botnet --format asn)"
check "and what is missing is said" contains 'no asn_table' "$(cat "$LAB/out")"
check "a dry run counts the numbers" equal 1 "$(code import "$LAB/list" bad -c botnet --format asn -n)"
check "in its report" equal '2 0 false' "$(report '"\(.asn.numbers) \(.asn.expanded) \(.asn.asn_table)"')"
moat_end TERM
config <<- END
	categories: { botnet: { action: drop } }
	feeds: [ { name: mixed, url: "file://$LAB/mixed", format: asn, category: botnet, every: 1s, ttl: 1h } ]
END
printf '%s\n' 64496 64511 > "$LAB/mixed"
moat_start
check "status says that a feed of AS numbers is not in force, and why" wait_for "$DEADLINE" feed_is mixed .cause not_empty
check "with what to do" contains 'no asn_table' "$(status '.degraded[].why')"
check "nobody is told that listings of it stay" contains "nothing of it is in force" "$(status '.degraded[].do')"
moat_end TERM
printf '{"cidr":"192.0.2.9/32","rir":null}\n{"asn":64496,"rir":"x"}\n' > "$LAB/mixed"
printf '{"type":"metadata","size":59,"records":2}\n' >> "$LAB/mixed"
sed -i 's/format: asn/format: spamhaus/' "$LAB/moat.yaml"
moat_start
check "a list of prefixes and AS numbers is taken without these" wait_for "$DEADLINE" feed_is mixed .entries 1
check "and status says that they are missing" contains '1 AS numbers of its list are not in force' "$(status '.degraded[].why')"
check "and so do the metrics" equal 1 "$(metric moat_feed_as_numbers_left_out 'feed="mixed"')"
moat_end TERM
rm -rf "$LAB/feeds"
sql "DELETE FROM listing"

# ---- by a table ----

mkdir "$LAB/www"
cp "$LAB/list" "$LAB/www/list.txt"
printf '192.0.2.0/24\t64496\n192.0.2.128/25\t64500\n198.51.100.0/24\t64497\n2001:db8:bad::/48\t64496\n' | table "$LAB/table"
: > "$LAB/http.log"
in_ns_exec "$IN" python3 -u -m http.server --bind 127.0.0.1 -d "$LAB/www" 8080 > "$LAB/http.log" 2>&1 &
HTTP_PID=$!
wait_for "$DEADLINE" in_ns "$IN" curl -sf -o /dev/null http://127.0.0.1:8080/ || fatal "the lab has an HTTP server"
config <<- END
	categories: { botnet: { action: drop } }
	asn_table: $LAB/table
	feeds: [ { name: served, url: "http://127.0.0.1:8080/list.txt", format: asn, category: botnet, every: 1s, ttl: 1h } ]
END
moat_start
check "a feed of AS numbers is expanded" wait_for "$DEADLINE" feed_is served .entries 2
check "to the prefixes of the table" equal '192.0.2.0/25 2001:db8:bad::/48' "$(rows served)"
drops "a source of the AS is dropped" 192.0.2.7
drops "an IPv6 source, too" 2001:db8:bad::7
passes "a prefix of another AS inside it is left alone" 192.0.2.200
passes "another AS passes" 198.51.100.7
check "explain says which AS it was" contains AS64496 "$(moatctl explain 192.0.2.7)"
check "the feed says what became of its numbers" equal '2 1 2 true' \
	"$(feed served '.asn | "\(.numbers) \(.expanded) \(.prefixes) \(.asn_table)"')"

answered() { [ "$(grep -c ' 304 ' "$LAB/http.log")" -gt "$1" ]; }
check "a list that did not change is confirmed" wait_for "$DEADLINE" answered 0
printf '192.0.2.0/24\t64496\n203.0.113.0/24\t64511\n' | table "$LAB/table"
check "a table that was replaced is used though the list is the same" wait_for "$DEADLINE" feed_is served .asn.expanded 2
check "and what it says is all there is" equal '192.0.2.0/24 203.0.113.0/24' "$(rows served)"
drops "what the other table adds is dropped" 192.0.2.200
passes "what it does not have passes" 2001:db8:bad::7
check "nothing but the first answer had the list in it" equal 1 "$(grep -c '"GET /list.txt [^"]*" 200 ' "$LAB/http.log")"

echo 'error code: 502' | table "$LAB/table"
cp "$LAB/list" "$LAB/www/list.txt"
touch -d @1760000000 "$LAB/www/list.txt"
check "a table that is broken puts the feed in trouble" wait_for "$DEADLINE" feed_is served .cause fetch
check "and it says which" contains "asn_table '$LAB/table' cannot be used" "$(feed served .why)"
drops "and the last good list stays" 192.0.2.200
rm "$LAB/table"
gone() { feed served .why | grep -q 'No such file'; }
check "so does one that is gone" wait_for "$DEADLINE" gone
drops "and the list stays" 192.0.2.200
seq -f '%.0f' 1 3000 | awk '{ printf "10.%d.%d.0/24\t64496\n", $1 / 128, $1 % 128 * 2 }' | table "$LAB/table"
check "a table by which the list grows beyond its limit is not believed" wait_for "$DEADLINE" feed_is served .cause growth
drops "and the list stays" 192.0.2.200
printf '192.0.2.0/24\t64496\n203.0.113.0/25\t64511\n' | table "$LAB/table"
check "a good table ends the trouble" wait_for "$DEADLINE" feed_is served .state ok
check "with what it says" equal '192.0.2.0/24 203.0.113.0/25' "$(rows served)"
seq -f '%.0f' 1 3000 | awk '{ printf "10.%d.%d.0/24\t64496\n", $1 / 128, $1 % 128 * 2 }' | table "$LAB/table"
check "nor one with a list that did not change" wait_for "$DEADLINE" feed_is served .cause growth
printf '192.0.2.0/24\t64496\n203.0.113.0/25\t64511\n' | table "$LAB/table"
check "and this trouble ends, too" wait_for "$DEADLINE" feed_is served .state ok
check "an import is expanded, too" import "$LAB/list" hand -c botnet -t 1h --format asn
check "with the reference of each" equal 'AS64496 worst,AS64511 ' \
	"$(sql "SELECT group_concat(reference || ' ' || ifnull(reason, '')) FROM (SELECT * FROM listing WHERE feed = 'hand' ORDER BY source)")"
moatctl import "$LAB/list" -f hand -c botnet -t 1h --format asn -n > "$LAB/out"
check "and says so to people" contains '2 expanded to 2 prefixes' "$(cat "$LAB/out")"
check_counted

# ---- real ones ----

# expands TABLES WANTED: asn_drop.json by these comes to numbers, found, prefixes and addresses.
expands() {
	moat_end TERM
	config <<- END
		categories: { botnet: { action: drop } }
		asn_table: [ $1 ]
	END
	moat_start
	import "$ASNDROP" asndrop -c botnet -t 1h -n
	check "ASN-DROP by $(basename "$1") comes to its count" equal "$2" \
		"$(report '"\(.asn.numbers) \(.asn.expanded) \(.asn.prefixes) \(.covers.ipv4_addresses)"')"
}

if [ -r "$ASNDROP" ] && [ -r "$RANGES4" ] && [ -r "$RANGES6" ] && [ -r "$PYASN" ]; then
	# What a program in Python with ipaddress came to.
	expands "$RANGES4, $RANGES6" '201 114 1596 779776'
	expands "$PYASN" '201 44 214 237568'
else
	skip "ASN-DROP comes to its counts" "no $SHARED/data"
fi
finish
