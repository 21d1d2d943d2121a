#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Traffic that never stops while everything changes under it, for SOAK_SECONDS
# (default 3600): feeds, imports, thousands of rows by SQL that make the tables
# grow and shrink, reloads, restarts, kill -9, pauses. Nobody innocent may lose
# a packet, nobody listed throughout may get one through, every source is judged
# as the database says after every round, and memory stays flat.
#
#	sudo SOAK_SECONDS=3600 SEED=1 tests/e2e/soak.sh
#
# By hand, and as a short run by test_soak.sh.
# shellcheck disable=SC2034 # CAPACITY4, SENT are read by the lab
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/feed_lab.sh"

SOAK_SECONDS=${SOAK_SECONDS:-3600}
RANDOM=${SEED:-1}
ROWS=${ROWS:-30000} # that a step adds by SQL
STEPS=4		    # of a round, with the wire open
CAPACITY4=300000 CAPACITY6=60000 RATE=${SOAK_RATE:-1000}

# moatd's own memory: without the maps that it has mapped.
rss() { awk '$1 == "RssAnon:" { print $2 }' "/proc/$MOATD_PID/status"; }
# Number and kB of the maps that moatd holds.
maps() {
	cat "/proc/$MOATD_PID/fdinfo/"* 2> /dev/null |
		awk '$1 == "memlock:" { size = $2 } $1 == "map_id:" && !seen[$2]++ { n++; sum += size }
			END { print n, int(sum / 1024) }'
}
covered() { [ "$(metric moat_coverage_ratio)" = 1 ] && [ "$(metric moat_selftest_ok)" = 1 ]; }
bulk() { sql "SELECT count(*) FROM listing WHERE feed = 'bulk'"; }

# ---- steps ----

# Hosts and prefixes of both families, none of them a source of the wire.
step_grow() {
	sql "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $ROWS)
		INSERT OR IGNORE INTO listing (source, category, feed, expires_at)
		SELECT CASE abs(random()) % 8
			WHEN 0 THEN printf('2001:%x:%x::/48', 0x2000 + abs(random()) % 4096, 1 + abs(random()) % 65535)
			WHEN 1 THEN printf('2001:%x:%x::%x', 0x2000 + abs(random()) % 4096, 1 + abs(random()) % 65535, 1 + abs(random()) % 65535)
			WHEN 2 THEN printf('11.%d.%d.0/24', abs(random()) % 256, abs(random()) % 256)
			WHEN 3 THEN printf('11.%d.%d.%d/30', abs(random()) % 256, abs(random()) % 256, 4 * (abs(random()) % 64))
			ELSE printf('12.%d.%d.%d', abs(random()) % 256, abs(random()) % 256, abs(random()) % 256) END,
			'botnet', 'bulk', CASE abs(random()) % 3 WHEN 0 THEN NULL ELSE unixepoch() + 5 + abs(random()) % 3600 END
		FROM n"
	wait_synced
}
step_shrink() {
	sql "DELETE FROM listing WHERE feed = 'bulk' AND abs(random()) % 10 < $((RANDOM % 10 + 1))"
	wait_synced
}
step_feed() {
	OFFERED=$([ "$OFFERED" = old ] && echo new || echo old)
	offer list "$LAB/$OFFERED"
	fetch_by_hand served || note "fetch: $(cat "$LAB/out")"
}
step_import() {
	"$GEN" -f ipset -s $RANDOM 2000 | grep -v '[#/]' | awk -F. '{ print "13." $2 "." $3 "." $4 }' | sort -u > "$LAB/import"
	moatctl import "$LAB/import" -f imported -c botnet -t 1h --force > "$LAB/out" 2>&1 || note "import: $(cat "$LAB/out")"
}
step_reload() {
	soak_config $((RANDOM % 2))
	kill -HUP "$MOATD_PID"
	wait_for "$DEADLINE" in_force
}
step_restart() {
	moat_end TERM
	moat_start
}
step_kill() {
	moat_end KILL 2> /dev/null
	moat_start
}

soak_config() { # soak_config 0|1: one of two sets of policies
	config <<- END
		categories:
		  botnet: { action: drop }
		  $([ "$1" = 1 ] && echo 'scanner: { action: tag, mark: 1 }' || echo 'spam: { action: limit, rate: 10pps, burst: 10 }')
		guards: { non_routable: pass, max_shrink: 100%, max_growth: 100000% }
		feeds:
		  - { name: served, url: "$SERVER/list", category: botnet, every: 1h, ttl: 3h, max_shrink: 90% }
	END
}

# ---- rounds ----

# A sample of what the database lists is dropped, and so say model, record and program.
explained() {
	local source verdict
	for source in $(sql "SELECT source FROM listing WHERE category = 'botnet' AND source NOT LIKE '%/%'
			AND (expires_at IS NULL OR expires_at > unixepoch() + 60) ORDER BY random() LIMIT 20"); do
		verdict=$(moatctl -o json explain "$source" | jq -r '.verdict')
		[ "$verdict" = drop ] || { echo "$source: $verdict" && return 1; }
	done
}

pause_and_resume() {
	check "$1: paused, it passes what is listed" moatctl pause --for 1m
	send --count 16 "@$LAB/kept.group"
	wait_for "$DEADLINE" counted
	check "$1: and drops again after resume" moatctl resume
}

round() {
	local steps=(grow grow shrink feed import reload restart kill) step before=$SENT
	wire_open
	for ((i = 0; i < STEPS; i++)); do
		step=${steps[RANDOM % ${#steps[@]}]}
		DONE="$DONE $step"
		"step_$step"
		wire_runs 200
	done
	wire_close "$1:$DONE"
	check "$1: coverage is whole and the self-test good" wait_for "$DEADLINE" covered
	check "$1: what is listed is dropped" explained
	verdicts "$1: each source is judged by the $OFFERED list" "$OFFERED"
	DONE=''
}

# median FIRST|LAST COLUMN: of a third of the log of memory.
median() {
	local rows third
	rows=$(wc -l < "$LAB/memory") third=$((rows / 3 > 0 ? rows / 3 : 1))
	if [ "$1" = first ]; then head -n "$third" "$LAB/memory"; else tail -n "$third" "$LAB/memory"; fi |
		awk -v c="$2" '{ print $c }' | sort -n | awk '{ a[NR] = $1 } END { print a[int((NR + 1) / 2)] }'
}

lab_up
"$GEN" -f firehol -s 31 -c 10 -d 1 3000 > "$LAB/day1"
"$GEN" -f firehol -s 31 -c 10 -d 2 3000 > "$LAB/day2"
pair "$LAB/day1" "$LAB/day2"
server_up
offer list "$LAB/old"
OFFERED=old
soak_config 0
moat_start
check "the first list is in force" fetch_by_hand served

rounds=0 DONE=''
while ((SECONDS < SOAK_SECONDS)); do
	rounds=$((rounds + 1))
	round "round $rounds"
	pause_and_resume "round $rounds"
	# Memory is compared where the same is in it: nothing but the feed.
	sql "DELETE FROM listing WHERE feed = 'bulk'"
	wait_synced
	echo "$(rss) $(maps)" >> "$LAB/memory"
	note "round $rounds: $SECONDS s, $SENT packets, kB of moatd, maps, kB of maps: $(tail -n 1 "$LAB/memory")"
done
note "$rounds rounds, $SENT packets; resident kB, first and last third: $(median first 1) $(median last 1)"
check "no map is left over" equal "$(median first 2)" "$(median last 2)"
check "the kernel's memory stays flat" equal "$(median first 3)" "$(median last 3)"
# A process that just started has less than one that held a full table once: a few rounds tell nothing.
((rounds < 30)) ||
	check "moatd's memory stays flat" between 0 $(($(median first 1) * 115 / 100 + 4096)) "$(median last 1)"
check_counted
finish
