#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What any SQL client can write, but no feed would: rows in the names that moat
# uses for itself, and rows under the name of a feed that only monitors.
. "$(dirname "$0")/lib.sh"

claim() { # claim FEED SOURCE CATEGORY
	sql "INSERT INTO listing (source, category, feed) VALUES ('$2', '$3', '$1')"
	wait_synced
}

series_twice() { metrics | grep -v '^#' | sed 's/ [^ ]*$//' | sort | uniq -d; }
cause_of() { sql "SELECT cause FROM refused WHERE source = '$1' AND category = '$2'"; }
cause_is() { [ "$(cause_of "$1" "$2")" = "$3" ]; }

lab_up
config <<- 'END'
	categories:
	  botnet:  { action: drop }
	  scanner: { action: drop }
	never_block: [ 203.0.113.1 ]
	feeds:
	  - { name: watched, url: 'file:///nonexistent', category: botnet, mode: monitor }
END
moat_start

claim one 203.0.113.0/24 botnet
passes "what must never be blocked passes inside a listed network" 203.0.113.1
claim '(never_block)' 203.0.113.1 allow
passes "it does when a row is written in that protection's name" 203.0.113.1
check "the row is refused" wait_for "$DEADLINE" cause_is 203.0.113.1 allow bad_name
sql "DELETE FROM listing WHERE feed = '(never_block)'"
wait_synced
passes "and when that row is gone" 203.0.113.1
drops "its neighbour is dropped all the time" 203.0.113.2

claim watched 198.51.100.7 botnet
claim watched 198.51.100.7 '~botnet'
passes "a source of a feed that only monitors passes" 198.51.100.7
check "it still counts when a row has the name of what counts" equal "$FRAMES" \
	"$(packets 'reason="monitor"' 'category="botnet"')"
check "no two series have the same labels" equal "" "$(series_twice)"

claim watched 198.51.100.8 scanner
passes "what SQL lists under its name in another category passes" 198.51.100.8
check "and counts there" equal "$FRAMES" "$(packets 'reason="monitor"' 'category="scanner"')"
moatctl feeds hold watched > "$LAB/hold" 2>&1
sql "DELETE FROM listing WHERE source = '198.51.100.8'"
wait_synced
check "its listing ends with its row" contains '"reason":"clean"' \
	"$(api GET '/api/v1/explain?address=198.51.100.8' | tr -d ' \n')"
check_counted
finish
