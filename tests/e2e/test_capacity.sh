#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A full map: what fits is in force, what does not is listed with its cause,
# and comes in when there is room.
# shellcheck disable=SC2034 # CAPACITY4 is read by config
. "$(dirname "$0")/lib.sh"

CAPACITY4=100
WANTED=150

sources() { metric moat_sources 'family="ipv4"' "state=\"$1\""; }
sources_are() { [ "$(sources wanted) $(sources installed) $(sources refused)" = "$*" ]; }
refused_rows() { sql "SELECT count(*) FROM refused WHERE cause = 'map_full'"; }
refused_rows_are() { [ "$(refused_rows)" = "$1" ]; }

lab_up
config <<< 'categories: { botnet: { action: drop } }'
moat_start
sql "INSERT INTO listing (source, category, feed)
	WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < $WANTED - 1)
	SELECT '198.51.100.' || i, 'botnet', 'test' FROM n WHERE i > 0 UNION ALL SELECT '203.0.113.1', 'botnet', 'test'"
wait_synced
wait_for "$DEADLINE" sources_are 150 100 50
check "100 of 150 sources are in force, 50 are refused" equal "150 100 50" \
	"$(sources wanted) $(sources installed) $(sources refused)"
wait_for "$DEADLINE" refused_rows_are 50
check "the 50 are in table refused with their cause" equal 50 "$(refused_rows)"
check "coverage in the metrics is 2/3" between 0.66 0.67 "$(metric moat_coverage_ratio)"
check "coverage in the status is 2/3" between 0.66 0.67 "$(status .coverage.ratio)"
check "the status is degraded" equal degraded "$(status .state)"
check "and says to raise capacity" contains capacity "$(status '.degraded | tostring')"
check "readyz says no" equal 503 "$(api GET /readyz -o /dev/null -w '%{http_code}')"
check "the map is full in the metrics" between 100 108 "$(metric moat_map_entries 'map="moat_source4"')"

for i in $(seq 149); do echo "198.51.100.$i"; done > "$LAB/sources"
echo 203.0.113.1 >> "$LAB/sources"
receive_start
send "@$LAB/sources" --count $WANTED
wait_for "$DEADLINE" counted
receive_stop
check "exactly the refused ones pass" equal 50 "$(received total)"
api GET '/api/v1/listings?limit=1000' | jq -r '.listings[] | select(.state == "refused") | .source' | sort > "$LAB/refused"
awk '$1 == "source" { print $2 }' "$LAB/received" | sort > "$LAB/came"
check "the API names exactly these as refused" cmp "$LAB/refused" "$LAB/came"
check "with the cause" equal map_full "$(api GET '/api/v1/listings?limit=1000' |
	jq -r '[.listings[].cause | values] | unique | join(" ")')"

list 2001:db8:1::1 botnet
drops "the other family has room of its own" 2001:db8:1::1

in_force_now() { comm -23 <(sort "$LAB/sources") "$LAB/refused"; }
in_force_now | head -n 60 | sed "s/.*/DELETE FROM listing WHERE source = '&';/" | sql
wait_synced
wait_for "$DEADLINE" sources_are 90 90 0
check "after deletes the rest comes in by itself" equal "90 90 0" \
	"$(sources wanted) $(sources installed) $(sources refused)"
wait_for "$DEADLINE" refused_rows_are 0
check "table refused is empty" equal 0 "$(refused_rows)"
check "coverage is 1" equal 1 "$(metric moat_coverage_ratio)"
wait_for "$DEADLINE" status_is .state ok
check "the status is good" equal ok "$(status .state)"
receive_start
send "@$LAB/sources" --count $WANTED
wait_for "$DEADLINE" counted
receive_stop
check "exactly the deleted ones pass" equal 60 "$(received total)"
check_counted
finish
