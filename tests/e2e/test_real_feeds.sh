#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Real lists against real traffic: what is dropped is compared, source by
# source, to an independent computation in awk.
# shellcheck disable=SC2034 # CAPACITY4, MTU are read by the lab
. "$(dirname "$0")/lib.sh"

DROP=$SHARED/data/spamhaus/drop.txt
LEVEL1=$SHARED/data/firehol/firehol_level1.netset
FLOOD=$SHARED/pcap/stopddos/pkt.TCP.synflood.spoofed.pcap.gz
NEVER='10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.168.0.0/16'
MIN_PREFIX=8
CAPACITY4=20000

for file in "$DROP" "$LEVEL1" "$FLOOD"; do
	if [ ! -r "$file" ]; then
		skip "real feeds drop what they say of a real flood" "no $file"
		finish
	fi
done
if ! command -v tshark > /dev/null; then
	skip "real feeds drop what they say of a real flood" "tshark, the second opinion on the capture, is not installed"
	finish
fi

# prefixes FILE: one CIDR a line.
prefixes() { awk '{ sub(/[;#].*/, ""); gsub(/[ \t\r]/, "") } $0 != "" { print $0 ~ /\// ? $0 : $0 "/32" }' "$1"; }

inserts() { # inserts FEED CATEGORY < prefixes
	awk -v feed="$1" -v category="$2" -v q="'" 'BEGIN { print "BEGIN;" }
		{ sub(/\/32$/, ""); print "INSERT OR IGNORE INTO listing (source, category, feed) VALUES (" q $1 q "," q category q "," q feed q ");" }
		END { print "COMMIT;" }'
}

# The verdict by other means: prints SOURCE COUNT for each source that must come out.
# Files: what must never be blocked, what is listed, the sources of the capture.
expected() {
	awk -v floor=$MIN_PREFIX '
		function number(text,   part) {
			split(text, part, ".")
			return ((part[1] * 256 + part[2]) * 256 + part[3]) * 256 + part[4]
		}
		function key(address, len) { return sprintf("%d:%.0f", len, int(address / 2 ^ (32 - len))) }
		function covered(set, address, from, to,   len) {
			for (len = from; len <= to; len++)
				if (key(address, len) in set)
					return 1
			return 0
		}
		FNR == 1 { file++ }
		file == 1 { split($1, p, "/"); never[key(number(p[1]), p[2])] }
		file == 2 && split($1, p, "/") && p[2] >= floor && !covered(never, number(p[1]), 0, p[2]) {
			listed[key(number(p[1]), p[2])]
		}
		file == 3 {
			address = number($1)
			if (!address || covered(never, address, 0, 32) || !covered(listed, address, 0, 32))
				count[$1]++
		}
		END { for (source in count) print source, count[source] }' "$@" | sort
}

flood() {
	lab_up
	config <<- END
		categories: { botnet: { action: drop }, bogon: { action: drop } }
		never_block: [ ${NEVER// /, } ]
		guards: { min_prefix_v4: $MIN_PREFIX }
	END
	moat_start
	prefixes "$DROP" > "$LAB/drop"
	prefixes "$LEVEL1" > "$LAB/level1"
	inserts spamhaus-drop botnet < "$LAB/drop" | sql
	inserts firehol-level1 bogon < "$LAB/level1" | sql
	wait_synced
	check "both feeds are in the database" equal "$(sort -u "$LAB/drop" "$LAB/level1" | wc -l)" \
		"$(sql "SELECT count(DISTINCT source || iif(source LIKE '%/%', '', '/32')) FROM listing")"
	check "all that the gate let in is in force" equal 1 "$(metric moat_coverage_ratio)"
	check "RFC 1918 in the feed is refused by never_block" equal never_block \
		"$(sql "SELECT cause FROM refused WHERE source = '10.0.0.0/8'")"
	check "224.0.0.0/3 in the feed is refused by the prefix floor" equal prefix_floor \
		"$(sql "SELECT cause FROM refused WHERE source = '224.0.0.0/3'")"

	check "model and kernel agree on the self-test's source, which fullbogons lists" equal false \
		"$(api GET '/api/v1/explain?address=198.51.100.255' | jq .differ)"

	# The lists are of another year than the flood: one source in five of its own is listed, too.
	gzip -dc "$FLOOD" > "$LAB/flood.pcap"
	tshark -r "$LAB/flood.pcap" -T fields -e ip.src 2> /dev/null > "$LAB/sources"
	sort -u "$LAB/sources" | awk 'NR % 5 == 0 { print $1 "/32" }' > "$LAB/fifth"
	inserts seen botnet < "$LAB/fifth" | sql
	wait_synced
	receive_start
	send --pcap "$LAB/flood.pcap"
	wait_for "$DEADLINE" counted
	receive_stop
	check_counted "every packet of the flood was counted once"
	check "every packet of the capture was sent" equal "$(capinfos -Tcrm "$LAB/flood.pcap" 2> /dev/null | cut -d, -f2)" "$SENT"

	{
		printf '%s\n' $NEVER
		awk '$1 == "nameserver" && $2 ~ /^[0-9.]+$/ { print $2 "/32" }' /etc/resolv.conf
	} > "$LAB/never"
	sort -u "$LAB/drop" "$LAB/level1" "$LAB/fifth" > "$LAB/listed"
	expected "$LAB/never" "$LAB/listed" "$LAB/sources" > "$LAB/wanted"
	awk '$1 == "source" { print $2, $3 }' "$LAB/received" | sort > "$LAB/came"
	local wanted_drops
	wanted_drops=$((SENT - $(awk '{ n += $2 } END { print n + 0 }' "$LAB/wanted")))
	note "$SENT packets from $(sort -u "$LAB/sources" | wc -l) sources, $wanted_drops to be dropped"
	check "the comparison is worth something" between 1000 "$((SENT - 1000))" "$wanted_drops"
	check "drops in the metrics are those of the independent computation" equal "$wanted_drops" "$(packets 'verdict="drop"')"
	check "source by source, exactly the unlisted came out" cmp "$LAB/wanted" "$LAB/came"
	lab_down
	SENT=0
}

# Broken, nested and cut headers of all captures: counted once each, nothing stops.
menagerie() {
	local file files=0 last
	MTU=9000
	lab_up
	config <<< 'categories: { botnet: { action: drop } }'
	moat_start
	list 198.51.100.7 botnet
	for file in "$SHARED"/pcap/{zeek,suricata-verify,tcpdump}/*.pcap*; do
		[ "$(capinfos -TrE "$file" 2> /dev/null | awk '{ print $NF }')" = ether ] || continue
		last=$SENT
		send --pcap "$file" 2> /dev/null
		((SENT > last)) && files=$((files + 1))
	done
	check_counted "every packet of $files captures of odd headers was counted once"
	check "there were captures" between 50 1000 "$files"
	drops "the filter still filters" 198.51.100.7
	check "no packet was a bug of moat" equal 0 "$(packets 'reason="internal"')"
	lab_down
	SENT=0
}

flood
menagerie
finish
