#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What a listing carries from add to explain and audit, and that the audit log
# can be proved whole: also over kill -9, and not after somebody was at it.
. "$(dirname "$0")/lib.sh"

# As who has the file: the triggers that guard the log go, and come back.
tamper() {
	python3 - "$DATABASE" "$1" <<- 'END'
		import sqlite3, sys
		db = sqlite3.connect(sys.argv[1], timeout=10, isolation_level=None)
		db.execute("BEGIN IMMEDIATE")
		triggers = db.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'"
		                      " AND tbl_name = 'audit'").fetchall()
		for name, sql in triggers:
		    db.execute(f"DROP TRIGGER {name}")
		db.execute(sys.argv[2])
		for name, sql in triggers:
		    db.execute(sql)
		db.execute("COMMIT")
	END
}

verify() { moatctl audit --verify "$@" 2>&1; }
sealed() { [ "$(metric moat_audit_sealed)" = "$(metric moat_audit_entries)" ]; }
whole() { verify > "$LAB/proof" && grep -q '^whole: ' "$LAB/proof"; }

lab_up
config <<< 'categories: { botnet: { action: drop } }'
moat_start

check "an empty log is whole" contains 'whole: 0 entries' "$(verify)"
check "add takes all that a listing carries" moatctl add 198.51.100.7 -c botnet -r 'C2 traffic' --ref CASE-7 \
	--basis 'GDPR 6.1.f' --confidence 90 --review 2027-01-31
drops "it is in force" 198.51.100.7
explained=$(moatctl explain 198.51.100.7)
for word in CASE-7 'GDPR 6.1.f' 90 'C2 traffic' REVIEW; do
	check "explain says $word" contains "$word" "$explained"
done
check "explain as JSON has the review date" equal 2027-01-31T00:00:00Z \
	"$(moatctl -o json explain 198.51.100.7 | jq -r '.listings[0].review_at')"
entry=$(moatctl audit | grep 198.51.100.7)
for word in root "confidence 90" "basis 'GDPR 6.1.f'" "reference 'CASE-7'" "reason 'C2 traffic'" "review 1801353600"; do
	check "audit says $word" contains "$word" "$entry"
done
check "nothing is due for review" equal '' "$(moatctl list --review-due)"
sql "UPDATE listing SET review_at = unixepoch() - 60"
wait_synced
check "what is due is listed" contains 198.51.100.7 "$(moatctl list --review-due)"
check "status says so" contains "1 listing past the review date" "$(moatctl status)"
check "and is not degraded by it" equal ok "$(status .state)"
check "a metric counts it" equal 1 "$(metric moat_listings_review_due)"

sql "INSERT INTO listing (source, category) VALUES ('198.51.100.8', 'botnet')"
wait_synced
check "rows of every writer are sealed" wait_for "$DEADLINE" sealed
check "the log is whole" whole
head=$(sed -n 's/.*head \([0-9a-f]*\).*/\1/p' "$LAB/proof")
note "$(cat "$LAB/proof")"

for _ in 1 2 3; do
	sql "INSERT OR REPLACE INTO listing (source, category) VALUES ('198.51.100.9', 'botnet')"
	moat_end KILL
	moat_start
	check "after kill -9 it is whole" whole
done
check "and has the head that was noted elsewhere" contains 'that of entry' "$(verify --head "$head")"
verify --head "$(tr 0-9a-f a-f0-9 <<< "$head")" > "$LAB/out"
check "another head is not in it: exit 1" equal 1 $?

first=$(sql 'SELECT actor FROM audit WHERE rowid = 2')
tamper "UPDATE audit SET actor = 'nobody' WHERE rowid = 2"
verify > "$LAB/out"
check "a changed entry is found: exit 1" equal 1 $?
check "and named" contains 'entry 2 is not what was sealed there' "$(cat "$LAB/out")"
check "status says so" equal audit "$(status '.degraded[0].what')"
tamper "UPDATE audit SET actor = '$first' WHERE rowid = 2"
check "as it was it is whole again" whole
check "and status is well" equal ok "$(status .state)"

check "all is sealed before the end is cut off" wait_for "$DEADLINE" sealed
moat_end TERM
tamper "DELETE FROM audit WHERE rowid > 3"
moat_start
noticed() { status_is '[.degraded[] | select(.what == "audit")] | length' 1; }
check "an end cut off is noticed at start" wait_for "$DEADLINE" noticed
check "and by --verify" contains 'the log ends before it' "$(verify)"
drops "the filter does not care" 198.51.100.7
check "an operator takes it as it is" moatctl audit --accept
check "from there on it is whole" whole
check "which is an entry itself" contains accept "$(moatctl audit)"
check "and status is well" equal ok "$(status .state)"
check_counted
finish
