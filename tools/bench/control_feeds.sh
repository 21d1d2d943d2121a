#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# How fast lists of feeds are taken over, as rows of control.sh:
#
#   import            a list of n hosts, from the command to the last in force
#   import-day        the next day's, a tenth other; n: entries written, which are the changes and no more
#   sql-to-drop-importing-p50, -p99   one INSERT to the first dropped packet, n times, while lists are imported
#   expire            n listings that end in the same second, from then until they are gone
#   sql-to-drop-expiring-p50, -p99    likewise while they are removed
#   import-routing    n prefixes of a routing table, generated; every verdict is checked
#   import-bgp        those of a real one, if it is there
#   memory            resident at n listings; standard error says the bytes of a listing above 50 MB
#
#     tools/bench/control_feeds.sh OBJECT_DIR	# HOSTS=550000 ROUTES=1000000 EXPIRE=500000 INSERTS=200 ONLY=WHAT
set -u
readonly HOSTS=${HOSTS:-550000} ROUTES=${ROUTES:-1000000} EXPIRE=${EXPIRE:-500000} INSERTS=${INSERTS:-200}
readonly ONLY=${ONLY:-}
readonly BASE_MB=50 # of a daemon without listings, by the design
tools=$1

# shellcheck source=tools/bench/control_lab.sh
. "$(dirname "$0")/control_lab.sh"
GEN=$ROOT/tools/gen-feed
BGP=$SHARED/data/routing/bart-prefixes.txt.gz

wanted() { [ -z "$ONLY" ] || [ "$ONLY" = "$1" ]; }

# What the filter drops before any list: the self-test's source, of a net for documentation.
own_prefixes() {
	bpftool -j map dump pinned "$PINS/moat_source4" | jq -r '.[] | (.formatted.key // .key) | "\(.addr) \(.len)"' |
		awk '{ printf "%d.%d.%d.%d/%d\n", $1 % 256, $1 / 256 % 256, $1 / 65536 % 256, $1 / 16777216, $2 }' | grep '^198\.51\.100\.'
}

begin() { # begin CAPACITY4 CAPACITY6
	SENT=0
	lab_up
	CAPACITY4=$1 CAPACITY6=$2 config <<- 'END'
		categories: { botnet: { action: drop } }
		guards: { max_share_v4: 100%, max_growth: 1000% }
	END
	moat_start
	OWN=$(installed)
	own_prefixes > "$LAB/own"
}
end() {
	moat_end TERM
	lab_down
}

entries() { grep -cv '^#' "$1"; }

# import FILE [OPTIONS]: returns when it is in force; SECONDS_TAKEN tells how long.
import() {
	local begin cpu
	cpu=$(cpu_ms)
	begin=$(now_us)
	moatctl import "$1" -f bench -c botnet "${@:2}" > "$LAB/out" || fatal "the import: $(cat "$LAB/out")"
	SECONDS_TAKEN=$(seconds_since "$begin")
	note "import of $(wc -l < "$1") lines: moatd used $(($(cpu_ms) - cpu)) ms of CPU"
}
change_seq() { sql 'SELECT ifnull(max(seq), 0) FROM change'; }

latency() { # latency WHAT: while something else goes on
	sql "DELETE FROM listing WHERE feed = 'latency'"
	read -r p50 p99 < <("$tools/latency" "$DATABASE" "$PINS/if/in0/link" "$INSERTS") || fatal "latency"
	row "$1-p50" "$INSERTS" "$p50"
	row "$1-p99" "$INSERTS" "$p99"
}

import_day() {
	local seq wanted written
	"$GEN" -f ipset -s 1 -c 10 -d 1 "$HOSTS" > "$LAB/day1"
	"$GEN" -f ipset -s 1 -c 10 -d 2 "$HOSTS" > "$LAB/day2"
	import "$LAB/day1" -t 1d
	row import "$HOSTS" "$SECONDS_TAKEN"
	[ "$(installed)" = $((OWN + HOSTS)) ] || fatal "$HOSTS sources are in force, not $(installed)"
	seq=$(change_seq)
	import "$LAB/day2" -t 1d
	written=$(($(change_seq) - seq))
	row import-day "$written" "$SECONDS_TAKEN"
	wanted=$((2 * (HOSTS / 10)))
	[ "$written" = "$wanted" ] || fatal "a difference of $wanted wrote $written entries"
}

# Lists change places until it is enough.
import_on() {
	until [ -e "$LAB/enough" ]; do
		moatctl import "$LAB/day1" -f bench -c botnet -t 1d > /dev/null || exit 1
		moatctl import "$LAB/day2" -f bench -c botnet -t 1d > /dev/null || exit 1
	done
}

expire() {
	local expiry begin
	head -n $((EXPIRE + 1)) "$LAB/day1" > "$LAB/brief"
	import "$LAB/brief" -t 20s --force
	expiry=$(sql "SELECT max(expires_at) FROM listing WHERE feed = 'bench'")
	until_expiry() { (($(date +%s) >= expiry - 1)); }
	wait_for 60 until_expiry
	latency sql-to-drop-expiring &
	gone() { [ "$(sql "SELECT count(*) FROM listing WHERE feed = 'bench'")" = 0 ] || installed_below $((OWN + INSERTS + 1)); }
	installed_below() { [ "$(installed)" -lt "$1" ]; }
	wait_for $DEADLINE gone || fatal "the brief ones are gone"
	row expire "$EXPIRE" "$(seconds_since "${expiry}000000")"
	wait $!
}

verdicts() { "$tools/verdicts" "$PINS/if/in0/link" < "$1" >&2 || fatal "the filter differs from the reference"; }

routing() { # routing WHAT FILE N
	import "$2" -t 1d --force
	row "$1" "$3" "$SECONDS_TAKEN"
	note "$1: $(moatctl -o json status | jq -c .coverage 2> /dev/null), $(sql 'SELECT count(*) FROM refused') refused"
	sql 'SELECT source FROM refused' > "$LAB/refused"
	grep -v '^#' "$2" | grep -vFx -f "$LAB/refused" |
		cat - "$LAB/own" > "$LAB/in-force"
	verdicts "$LAB/in-force"
	local listings rss
	listings=$(sql 'SELECT count(*) FROM listing')
	rss=$(own_rss_kb)
	row memory "$listings" 0
	note "memory: $(((rss - BASE_MB * 1024) * 1024 / listings)) bytes a listing above $BASE_MB MB"
}

if wanted import; then
	begin $((2 * HOSTS + 10000)) 1000
	import_day
	import_on &
	importer=$!
	latency sql-to-drop-importing
	touch "$LAB/enough" && wait $importer
	expire
	end
fi
if wanted routing; then
	begin $((ROUTES * 9 / 10 + 10000)) $((ROUTES / 5))
	{ "$GEN" -f routing -s 4 $((ROUTES * 85 / 100)) && "$GEN" -f routing -6 -s 6 $((ROUTES * 15 / 100)); } > "$LAB/table"
	routing import-routing "$LAB/table" "$(entries "$LAB/table")"
	end
fi
if wanted bgp; then
	if [ -r "$BGP" ]; then
		begin 1000000 200000
		gunzip -c "$BGP" | tr -d '\r' > "$LAB/table"
		routing import-bgp "$LAB/table" "$(wc -l < "$LAB/table")"
		end
	else
		skip "a real routing table" "no $BGP"
	fi
fi
