#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Real lists, from the file to the report of an import: as many entries and
# addresses as an independent parser counted, and none where none must be.
# shellcheck disable=SC2034 # CAPACITY4, CAPACITY6 are read by the lab
. "$(dirname "$0")/lib.sh"

DATA=$SHARED/data
CAPACITY4=300000 CAPACITY6=300000
if [ ! -d "$DATA" ]; then
	skip "real lists come to the counts of an independent parser" "no $DATA"
	finish
fi

code() { # code COMMAND...: its exit code
	"$@" > "$LAB/out" 2>&1
	echo $?
}
report() { jq -r "$1" "$LAB/report"; } # report FILTER: of the last import
import() { # import FILE FEED [OPTIONS]
	local file=$1 feed=$2
	shift 2
	moatctl -o json import "$DATA/$file" -f "$feed" "$@" > "$LAB/report" 2> "$LAB/err"
}

# counts FILE ENTRIES ADDRESSES FORMAT [OPTIONS]: a dry run of it; addresses -: nobody counted them.
counts() {
	local file=$1 entries=$2 addresses=$3 format=$4 got
	shift 4
	if [ ! -r "$DATA/$file" ]; then
		skip "$file comes to its counts" "no such file"
		return
	fi
	import "$file" counted -c listed -n "$@"
	got=$(report '"\(.entries) \(.covers.ipv4_addresses) \(.format)"')
	[ "$addresses" = - ] && got=$(report '"\(.entries) - \(.format)"')
	check "$file: $entries entries, $addresses addresses" equal "$entries $addresses $format" "$got"
}

# refuses_list FILE CAUSE [OPTIONS]: an import of it changes nothing, and says why.
refuses_list() {
	local file=$1 cause=$2
	shift 2
	check "$file is refused" equal 1 "$(code import "$file" faulty "$@")"
	import "$file" faulty "$@" -n
	check "for its cause" equal "$cause" "$(report .cause)"
	check "and its feed has what it had" equal "$FAULTY" \
		"$(sql "SELECT count(*) FROM listing WHERE feed = 'faulty'")"
}

lab_up
config <<- 'END'
	categories: { listed: { action: drop } }
	guards: { non_routable: pass, min_prefix_v4: 1, min_prefix_v6: 1, wide_v4: 1, wide_v6: 1, max_share_v4: 100% }
END
moat_start

counts spamhaus/drop_v4.json 1669 14904576 spamhaus
counts spamhaus/drop.txt 1698 14863616 spamhaus
counts spamhaus/dropv6.txt 78 0 spamhaus
counts spamhaus/drop_v6-2026-08-22.ipset 91 0 plain --force
counts spamhaus/derived-drop_v6.json 78 0 spamhaus
counts spamhaus/edrop-2024-03-10.txt 321 644352 spamhaus
counts bogons/fullbogons-ipv4.txt 703 596184064 plain
counts firehol/firehol_level1.netset 4631 611209217 firehol
counts firehol/firehol_level2.day1.netset 16227 33855 firehol
counts firehol/firehol_level2.netset 17924 34772 firehol
counts firehol/firehol_level3.netset 12917 34665 firehol
counts firehol/firehol_abusers_30d.netset.gz 147665 154312 firehol
counts firehol/blocklist_de.ipset.gz 24880 24880 firehol
counts firehol/blocklist_de_sip.ipset 53 53 firehol
counts firehol/tor_exits.ipset 1370 1370 firehol
counts firehol/et_compromised.ipset 539 539 firehol
counts firehol/et_block.netset 1624 14868741 firehol
counts firehol/spamhaus_drop.netset 1599 14863616 firehol
counts firehol/spamhaus_edrop.netset 336 731392 firehol
counts firehol/iblocklist_cidr_report_bogons.netset 18 588514808 firehol
counts firehol/feodo.ipset 1 1 firehol
counts large/ipsum.txt.gz 120430 120430 plain
counts large/data-shield-critical.txt.gz 100243 100243 plain
counts ipv6/x4b-datacenter-ipv6.txt.gz 8752 0 plain
counts routing/bart-prefixes.txt.gz 1062046 3062451734 plain
counts routing/pyasn-ipasn6_20151101.dat.gz 633831 - plain
counts never-block/cloud-cloudflare.json 22 - cloud
counts never-block/cloud-fastly.json 21 - cloud
counts never-block/cloud-googlebot.json 315 - cloud
counts never-block/cloud-imperva.json 12 - cloud
counts never-block/bgptools-anycast-v4.txt 4152 - plain
counts never-block/bgptools-anycast-v6.txt 1611 0 plain
counts geo/geofeed-advin.csv 41 - plain
counts geo/geofeed-atomic-postal.csv 16 - plain
counts geo/geofeed-ipc-crlf.csv 6 - plain --force
counts crowdsec/synthetic-stream-startup.json 4 - crowdsec
counts stix-taxii/indicator-for-c2-ip-address.json 1 - stix

check "a last line without end is refused" equal 1 "$(code import spamhaus/drop_v6-2026-08-22.ipset open -c listed)"
check "and what to do is said" contains --force "$(cat "$LAB/err")"
import spamhaus/drop_v4.json counted -c listed -n
check "the one of two records that are the same is counted" equal 1 "$(report .duplicates)"
check "metadata proves the list to be whole" equal true "$(report .complete)"
import spamhaus/asn_drop.json counted -c listed -n
check "201 AS numbers are counted, and give nothing without a table" equal '201 0 0 not_empty' \
	"$(report '"\(.asn.numbers) \(.asn.prefixes) \(.entries) \(.cause)"')"
import spamhaus/edrop-2024-10-18-merged-empty.txt counted -c listed -n
check "a list that is empty on purpose is complete, and needs allow_empty" equal 'true 0 not_empty' \
	"$(report '"\(.complete) \(.entries) \(.cause)"')"
import stix-taxii/taxii-default_data.json counted -c listed -n
check "indicators that are no addresses are left out" equal 0 "$(report .entries)"
import misp/misp_event.json counted -c listed -n
check "attributes that are no sources are left out" equal 0 "$(report .entries)"
for list in google common-ioc-false-positive; do
	check "names and hashes are no networks: $list" equal 1 "$(code import "never-block/misp/$list.json" counted -c allow -n)"
done

# ---- two days ----

check "level 2 of the first day is taken" import firehol/firehol_level2.day1.netset level2 -c listed -t 3d
check "level 2 of the second day is taken" import firehol/firehol_level2.netset level2 -c listed -t 3d
check "as the difference that was counted" equal '6836 5139 11088' "$(report '"\(.adds) \(.removes) \(.unchanged)"')"

# ---- faults ----

check "a good list is there first" import spamhaus/drop.txt faulty -c listed -t 3d
FAULTY=1698
refuses_list faults/drop.txt.cloudflare-500 error_page
refuses_list faults/drop.txt.cloudflare-502 error_page
refuses_list faults/drop.txt.http500-json-body error_page
refuses_list faults/asn_drop.txt.zero-bytes empty
refuses_list faults/derived-drop.txt.truncated-midline truncated
refuses_list faults/derived-drop.txt.truncated-midline truncated --force
refuses_list faults/derived-drop_v4.json.truncated-no-metadata truncated

# ---- what must never be blocked ----

# overlaps LIST FEED=COUNT...: entries of feeds that lie in, or around, a network of a never-block list.
overlaps() {
	local list=$1 file="never-block/misp/$1.json" pair
	shift
	[ -r "$DATA/$file" ] || file=$file.gz
	import "$file" "never-$list" -c allow -n
	for pair in "$@"; do
		check "$list overlaps ${pair#*=} entries of ${pair%=*}" equal "${pair#*=}" \
			"$(report ".overlap.feeds[\"${pair%=*}\"] // 0")"
	done
}

while read -r feed file; do
	check "$feed is taken" import "$file" "$feed" -c listed -t 3d --force
done <<- 'END'
	drop spamhaus/drop.txt
	level1 firehol/firehol_level1.netset
	level3 firehol/firehol_level3.netset
	abusers firehol/firehol_abusers_30d.netset.gz
	blocklist-de firehol/blocklist_de.ipset.gz
	bogons bogons/fullbogons-ipv4.txt
	ipsum large/ipsum.txt.gz
	data-shield large/data-shield-critical.txt.gz
END
sql "DELETE FROM listing WHERE feed = 'faulty'"

overlaps cloudflare drop=2 level1=2 level2=89 level3=4 abusers=2 blocklist-de=110
overlaps public-dns-v4 drop=16 level1=25 level2=6 level3=2 abusers=21 blocklist-de=3 ipsum=48 data-shield=27
overlaps rfc1918 level1=3 level2=1 bogons=3
overlaps rfc5735 level1=12 bogons=13
overlaps rfc6598 level1=1 abusers=4 bogons=1
overlaps multicast level1=1 bogons=1
overlaps censys-scanning level1=1 level2=27 level3=5 data-shield=161
overlaps amazon-aws level1=1
overlaps googlebot level2=2 level3=2 blocklist-de=4 ipsum=34
overlaps stretchoid-nt-scanning level2=23 level3=1193 ipsum=1515 data-shield=2006
overlaps shodan-scanning level2=18 level3=23
overlaps google-gmail-sending-ips abusers=55
overlaps microsoft-office365-ip abusers=27
overlaps smtp-sending-ips abusers=156
overlaps fastly abusers=13
overlaps zscaler abusers=69
overlaps sinkholes ipsum=5
finish
