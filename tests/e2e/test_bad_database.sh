#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The abuse database fails in every way it can: the filter stays in force, the
# status says what to do, and it catches up.
# shellcheck disable=SC2034 # SENT is read by the lab
. "$(dirname "$0")/lib.sh"

post() { # post SOURCE: prints the HTTP status; the answer is in $LAB/answer
	api POST /api/v1/listings -o "$LAB/answer" -w '%{http_code}' -d "{\"source\":\"$1\",\"category\":\"botnet\"}"
}
degraded() { status_is .state degraded; }
good() { status_is .state ok; }

start() {
	config <<< 'categories: { botnet: { action: drop } }'
	moat_start
	list 198.51.100.7 botnet
}

# Another client in its own process; lines written to $CLIENT are its SQL.
client_start() {
	mkfifo "$LAB/client"
	sqlite3 -cmd '.timeout 10000' "$DATABASE" < "$LAB/client" > "$LAB/client.out" 2>&1 &
	CLIENT_PID=$!
	exec {CLIENT}> "$LAB/client"
}
client_end() {
	echo .quit >&"$CLIENT" # moatd may have inherited our end of it
	exec {CLIENT}>&-
	wait $CLIENT_PID
	rm "$LAB/client"
}
client_said() { grep -q "$1" "$LAB/client.out"; }

nonsense() {
	lab_up
	start
	sql <<- 'END'
		BEGIN;
		INSERT INTO listing (source, category, feed) VALUES
			('not an address', 'botnet', 'bad'), ('', 'botnet', 'bad'), ('198.51.100.256', 'botnet', 'bad'),
			('198.51.100.7/24', 'botnet', 'bad'), ('0.0.0.0/0', 'botnet', 'bad'), ('fe80::1', 'botnet', 'bad'),
			('198.51.100.66', 'no-such', 'bad'), ('198.51.100.67', 'bot net', 'bad'), ('198.51.100.68', 'botnet', ''),
			('10.99.0.1', 'botnet', 'bad'), (x'c3280a', 'botnet', 'bad'), ('2001:DB8:0:0::72', 'botnet', 'bad');
		INSERT INTO listing (source, category, feed, confidence) VALUES ('198.51.100.69', 'botnet', 'bad', 'very');
		INSERT INTO listing (source, category, feed, expires_at) VALUES ('198.51.100.70', 'botnet', 'bad', 'tomorrow');
		INSERT INTO listing (source, category, feed) VALUES ('198.51.100.71', 'botnet', 'good');
		COMMIT;
	END
	wait_synced
	refused_by() { sql "SELECT cause FROM refused WHERE source = '$1'"; }
	all_listed() { [ "$(sql "SELECT count(*) FROM refused WHERE feed IN ('bad', '')")" = 14 ]; }
	wait_for "$DEADLINE" all_listed
	check "14 nonsense rows are in table refused" equal 14 "$(sql "SELECT count(*) FROM refused WHERE feed IN ('bad', '')")"
	while IFS='|' read -r source cause; do
		check "'$source' is refused as $cause" equal "$cause" "$(refused_by "$source")"
	done <<- 'END'
		not an address|bad_source
		198.51.100.256|bad_source
		198.51.100.7/24|host_bits
		0.0.0.0/0|prefix_floor
		fe80::1|unblockable
		198.51.100.66|unknown_category
		198.51.100.67|bad_name
		198.51.100.68|bad_name
		10.99.0.1|never_block
		198.51.100.69|bad_confidence
		198.51.100.70|bad_expiry
		2001:DB8:0:0::72|not_canonical
	END
	check "the status counts them by cause" equal 2 "$(status .refused_rows.bad_name)"
	drops "a good row among them is in force" 198.51.100.71
	passes "none of the refused is" 198.51.100.66 198.51.100.67 198.51.100.68 198.51.100.69 198.51.100.70
	passes "the host's own address is not blocked" 10.99.0.1
	sql "DELETE FROM listing WHERE feed = 'bad' OR feed = ''"
	none_listed() { [ "$(sql 'SELECT count(*) FROM refused')" = 0 ]; }
	wait_for "$DEADLINE" none_listed
	check "deleted rows leave table refused" equal 0 "$(sql 'SELECT count(*) FROM refused')"
	check_counted
	lab_down
	SENT=0
}

locked() {
	lab_up
	start
	client_start
	echo 'BEGIN IMMEDIATE;
		INSERT INTO listing (source, category) VALUES ("198.51.100.80", "botnet"); SELECT "holds it";' >&"$CLIENT"
	wait_for "$DEADLINE" client_said 'holds it'
	check "while another client writes, the API says 503" equal 503 "$(post 198.51.100.81)"
	check "and to try again" contains again "$(cat "$LAB/answer")"
	drops "the filter stays in force" 198.51.100.7
	passes "what is not committed is not in force" 198.51.100.80
	check "status answers" equal true "$(status '.interfaces[0].attached')"
	echo 'COMMIT;' >&"$CLIENT"
	client_end
	wait_synced
	drops "once it is committed it is" 198.51.100.80
	check "and the API writes again" equal 200 "$(post 198.51.100.81)"
	drops "with effect" 198.51.100.81

	# Nobody else may even read it: at the start of moatd, and for some seconds.
	moat_end KILL
	client_start
	echo 'PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;
		INSERT INTO listing (source, category) VALUES ("198.51.100.82", "botnet"); SELECT "holds it";' >&"$CLIENT"
	wait_for "$DEADLINE" client_said 'holds it'
	moat_launch
	wait_for "$DEADLINE" answers
	wait_for "$DEADLINE" degraded
	check "a database locked at the start is a degraded state" equal degraded "$(status .state)"
	check "that says locked" contains locked "$(status '.degraded | tostring')"
	check "reading the API says 503" equal 503 "$(api GET /api/v1/listings -o /dev/null -w '%{http_code}')"
	drops "the filter of before is in force" 198.51.100.7
	echo 'COMMIT;' >&"$CLIENT"
	client_end
	wait_for "$DEADLINE" good
	check "it catches up by itself" equal ok "$(status .state)"
	wait_synced
	drops "with what was written meanwhile" 198.51.100.82
	check_counted
	lab_down
	SENT=0
}

read_only() {
	lab_up
	disk_up 16m
	start
	moat_end TERM
	mount -o remount,ro "$LAB/disk" || fatal "the disk becomes read-only"
	moat_start
	check "a read-only database is told" equal true "$(status .database.read_only)"
	drops "the filter is in force from it" 198.51.100.7
	code=$(post 198.51.100.90)
	check "writing is refused" contains "$code" "403 409 500 503 507"
	check "as read-only" grep -Eqi 'read-only|only read' "$LAB/answer"
	passes "and without effect" 198.51.100.90
	check_counted
	moat_end TERM
	lab_down
	SENT=0
}

full() {
	lab_up
	disk_up 1m
	start
	dd if=/dev/zero of="$LAB/disk/ballast" bs=4k 2> /dev/null
	n=0
	fills() { # small writes fill what the database had left
		n=$((n + 1))
		[ "$(post "198.51.101.$((n % 200))")" != 200 ]
	}
	wait_for "$DEADLINE" fills || not_ok "a full disk refuses a write"
	check "a full disk refuses a write and says why" grep -Eqi 'full|no space' "$LAB/answer"
	drops "the filter stays in force" 198.51.100.7
	check "status answers" equal true "$(status '.interfaces[0].attached')"
	rm "$LAB/disk/ballast"
	writes() { [ "$(post 198.51.100.91)" = 200 ]; }
	check "with room again it writes" wait_for "$DEADLINE" writes
	drops "with effect" 198.51.100.91
	check_counted
	moat_end TERM
	lab_down
	SENT=0
}

gone() {
	lab_up
	start
	mkdir "$LAB/aside"
	mv "$DATABASE"* "$LAB/aside"
	wait_for "$DEADLINE" degraded
	check "a database that disappears is a degraded state" equal degraded "$(status .state)"
	drops "the filter stays in force" 198.51.100.7
	sqlite3 "$LAB/aside/moat.db" ".backup $LAB/restored.db"
	mv "$LAB/restored.db" "$DATABASE"
	wait_for "$DEADLINE" good
	check "it is followed again when it is restored from a backup" equal ok "$(status .state)"
	list 198.51.100.92 botnet
	drops "with effect" 198.51.100.92

	moat_end TERM
	dd if=/dev/urandom of="$DATABASE" bs=4k count=4 conv=notrunc 2> /dev/null
	rm -f "$DATABASE"-wal "$DATABASE"-shm
	moat_launch
	wait_for "$DEADLINE" answers
	wait_for "$DEADLINE" degraded
	check "a database of random bytes is a degraded state" equal degraded "$(status .state)"
	drops "the filter of before is in force" 198.51.100.7
	check_counted
	lab_down
	SENT=0
}

nonsense
locked
read_only
full
gone
finish
