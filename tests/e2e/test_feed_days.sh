#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A list of two days, fetched from a server, the second as a difference while
# the wire is open: what stays is never touched, what comes is dropped, what is
# gone passes, and nobody else notices.
# shellcheck disable=SC2034 # CAPACITY4, SENT are read by the lab
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/feed_lab.sh"

# The whole kernel entries, class, expiry, bucket and all, of sources in a file: sorted lines.
entries_of() {
	"$BPFTOOL" -j map dump pinned "$PINS/moat_source4" |
		jq -r '.[] | (.formatted // .) | [.key.addr, .key.len, (.value | tostring)] | join(" ")' |
		awk 'NR == FNR { want[$1]; next }
			{ a = $1; s = sprintf("%d.%d.%d.%d%s", a % 256, a / 256 % 256, a / 65536 % 256,
				a / 16777216, $2 < 32 ? "/" $2 : "") }
			s in want { print s, $0 }' "$1" - | sort
}

changes_since() { sql "SELECT count(*) FROM change WHERE seq > $1"; }

days() { # days WHAT OLD NEW
	local what=$1 seq
	lab_up
	CAPACITY4=100000
	pair "$2" "$3"
	server_up
	offer list "$2"
	config <<- END
		categories: { botnet: { action: drop } }
		guards: { non_routable: pass } # the real list has a private address
		feeds:
		  - { name: served, url: "$SERVER/list", category: botnet, every: 1h, ttl: 3d, max_shrink: 90% }
	END
	moat_start
	own_entries
	fetch_by_hand served
	check "$what: the first day is in force" kernel_is old
	note "$what: $(wc -l < "$LAB/old") entries, then $(wc -l < "$LAB/new"): $(wc -l < "$LAB/both") of both"

	check "$what: and most of it stays" between 5000 100000 "$(wc -l < "$LAB/both")"
	grep -vFx -f "$LAB/own" "$LAB/both" > "$LAB/stay"
	entries_of "$LAB/stay" > "$LAB/before"
	sql "SELECT source, created_at, expires_at FROM listing WHERE feed = 'served' ORDER BY source" |
		join -t'|' - "$LAB/both" > "$LAB/rows.before"
	seq=$(sql "SELECT max(seq) FROM change")

	wire_open
	wire_runs 500
	offer list "$3"
	check "$what: the second day is taken over" fetch_by_hand served
	wire_runs 500
	wire_close "$what, with the wire open"
	check "$what: the second day is in force" kernel_is new
	verdicts "$what: each source is judged by it" new

	check "$what: the change log has what came and what went, and nothing else" \
		equal "$(($(comm -3 "$LAB/old" "$LAB/new" | wc -l)))" "$(changes_since "$seq")"
	entries_of "$LAB/stay" > "$LAB/after"
	check "$what: the kernel's entries of what stayed are there" equal "$(wc -l < "$LAB/stay")" "$(wc -l < "$LAB/before")"
	check "$what: and the same, bit for bit" cmp "$LAB/before" "$LAB/after"
	sql "SELECT source, created_at, expires_at FROM listing WHERE feed = 'served' ORDER BY source" |
		join -t'|' - "$LAB/both" > "$LAB/rows.after"
	check "$what: their rows, too" cmp "$LAB/rows.before" "$LAB/rows.after"

	seq=$(sql "SELECT max(seq) FROM change")
	check "$what: the same list again is confirmed" fetch_by_hand served
	check "$what: and nothing is written" equal 0 "$(changes_since "$seq")"
	lab_down
	SENT=0
}

scratch=$(mktemp -d "${TMPDIR:-/tmp}/moat-days-XXXXXX") || exit 1
"$GEN" -f firehol -s 7 -c 30 -d 1 17000 > "$scratch/day1"
"$GEN" -f firehol -s 7 -c 30 -d 2 17000 > "$scratch/day2"
days "two days of a generated list" "$scratch/day1" "$scratch/day2"
rm -rf "$scratch"

DAY1=$SHARED/data/firehol/firehol_level2.day1.netset
DAY2=$SHARED/data/firehol/firehol_level2.netset
if [ -r "$DAY1" ] && [ -r "$DAY2" ]; then
	days "two days of FireHOL level 2" "$DAY1" "$DAY2"
else
	skip "two days of FireHOL level 2 are applied as a difference" "no $SHARED/data"
fi
finish
