#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Lists of feeds, by hand and by themselves: what is new is dropped, what is
# gone passes, and a list that is not to be believed changes nothing.
# shellcheck disable=SC2034 # CAPACITY4, SENT are read by the lab
. "$(dirname "$0")/lib.sh"

GEN=$ROOT/tools/gen-feed
DROP=$SHARED/data/spamhaus/drop.txt
LEVEL1=$SHARED/data/firehol/firehol_level1.netset
DAY1=$SHARED/data/firehol/firehol_level2.day1.netset
DAY2=$SHARED/data/firehol/firehol_level2.netset
HTTP_PID=''

code() { # code COMMAND...: its exit code
	"$@" > "$LAB/out" 2>&1
	echo $?
}

report() { jq -r "$1" "$LAB/report"; } # report FILTER: of the last import
import() { # import FILE FEED [OPTIONS]: exit code; the report as JSON in $LAB/report
	local file=$1 feed=$2
	shift 2
	moatctl -o json import "$file" -f "$feed" "$@" > "$LAB/report" 2> "$LAB/err"
}

sources() { awk '{ sub(/[;#].*/, ""); gsub(/[ \t\r]/, "") } $0 != "" { sub(/\/32$/, ""); print }' "$1" | sort -u; }
first_source() { sources "$1" | grep -v / | head -n 1; }
feed() { moatctl -o json feeds | jq -r ".feeds[] | select(.name == \"$1\") | $2"; } # feed NAME FILTER
feed_is() { [ "$(feed "$1" "$2")" = "$3" ]; }
rows() { sql "SELECT count(*) FROM listing WHERE feed = '$1'"; }

# A server of directory $LAB/www in the namespace of moatd, until http_stop.
http_start() {
	: > "$LAB/http.log"
	in_ns_exec "$IN" python3 -u -m http.server --bind 127.0.0.1 -d "$LAB/www" 8080 > "$LAB/http.log" 2>&1 &
	HTTP_PID=$!
	wait_for "$DEADLINE" in_ns "$IN" curl -sf -o /dev/null http://127.0.0.1:8080/ || fatal "the lab has an HTTP server"
}

http_stop() {
	kill -TERM "$HTTP_PID" 2> /dev/null
	wait "$HTTP_PID" 2> /dev/null
}

# serve FILE: the list that the server has from now on, at once and newer than the last.
serve() {
	cp "$1" "$LAB/www/list.part"
	touch -d "@$((1750000000 + ++SERVED))" "$LAB/www/list.part"
	mv "$LAB/www/list.part" "$LAB/www/list.txt"
}
SERVED=0

lab_up
CAPACITY4=100000
config <<- 'END'
	categories: { botnet: { action: drop }, bogon: { action: drop } }
END
moat_start
"$GEN" -f spamhaus -s 1 1000 > "$LAB/drop.txt"
echo '; EOF' >> "$LAB/drop.txt"
"$GEN" -f firehol -s 2 3000 > "$LAB/day1"
"$GEN" -f firehol -s 3 200 | tail -n +2 > "$LAB/more"
{ tail -n +400 "$LAB/day1" && cat "$LAB/more"; } > "$LAB/day2"
ONE=$(first_source "$LAB/day1")
NEW=$(first_source "$LAB/more")
KEPT=$(sources "$LAB/day2" | grep -Fxf <(sources "$LAB/day1") | grep -v / | head -n 1)

# ---- by hand ----

check "a dry run succeeds" import "$LAB/day1" abuse -c botnet -t 1h --dry-run
check "and says what it would add" equal "$(sources "$LAB/day1" | wc -l)" "$(report .adds)"
check "and how much it covers" between 1000 4294967296 "$(report .covers.ipv4_addresses)"
check "and changes nothing" equal 0 "$(rows abuse)"
passes "a source of it passes still" "$ONE"
check "the import succeeds" import "$LAB/day1" abuse -c botnet -t 1h
check "and is all in the database" equal "$(sources "$LAB/day1" | wc -l)" "$(rows abuse)"
drops "and in force on return" "$ONE"
check "with the ttl" equal 0 "$(sql "SELECT count(*) FROM listing WHERE expires_at NOT BETWEEN unixepoch() + 3300 AND unixepoch() + 3600")"

SEQ=$(sql "SELECT max(seq) FROM change")
check "the same list again is taken" import "$LAB/day1" abuse -c botnet -t 1h
check "and changes nothing" equal "0 0 0" "$(report '"\(.adds) \(.removes) \(.refreshes)"')"
check "not a row of the change log" equal "$SEQ" "$(sql "SELECT max(seq) FROM change")"

check "the next day's list is taken" import "$LAB/day2" abuse -c botnet -t 1h
check "as a difference: added" equal "$(comm -13 <(sources "$LAB/day1") <(sources "$LAB/day2") | wc -l)" "$(report .adds)"
check "as a difference: ended" equal "$(comm -23 <(sources "$LAB/day1") <(sources "$LAB/day2") | wc -l)" "$(report .removes)"
check "as a difference: untouched" equal "$(comm -12 <(sources "$LAB/day1") <(sources "$LAB/day2") | wc -l)" "$(report .unchanged)"
check "the change log has the difference and nothing else" equal "$(report '.adds + .removes')" \
	"$(($(sql "SELECT max(seq) FROM change") - SEQ))"
drops "what is new is dropped" "$NEW"
drops "what stayed is dropped" "$KEPT"
passes "what is gone passes" "$ONE"
check "audit says who, in one line" equal 2 "$(moatctl -o json audit | jq '[.audit[] | select(.verb == "import" and .actor == "root" and .origin == "moatctl")] | length')"

# ---- what is not to be believed ----

printf 'error code: 502' > "$LAB/error"
: > "$LAB/empty"
head -c 8000 "$LAB/drop.txt" > "$LAB/cut"
head -n 200 "$LAB/day2" > "$LAB/shrunk"
echo 10.1.2.3 > "$LAB/tiny"
"$GEN" -f ipset -s 9 30000 > "$LAB/grown"
BEFORE=$(sql "SELECT group_concat(source || expires_at) FROM (SELECT * FROM listing ORDER BY source)" | md5sum)
for fault in error empty cut shrunk grown; do
	check "a list that is $fault is refused with exit code 1" equal 1 "$(code import "$LAB/$fault" abuse -c botnet)"
	check "and says why" between 8 4000 "$(wc -c < "$LAB/err")"
done
check "none of them changed anything" equal "$BEFORE" \
	"$(sql "SELECT group_concat(source || expires_at) FROM (SELECT * FROM listing ORDER BY source)" | md5sum)"
check "each is counted under its cause" equal 1 "$(metric moat_feed_refused_total 'feed="abuse"' 'cause="growth"')"
drops "the last good list is in force" "$KEPT"
check "a dry run of one says what stands against it" equal 1 "$(code import "$LAB/shrunk" abuse -c botnet -n)"
check "by its cause" equal shrink "$(report .cause)"
check "force overrules the size" import "$LAB/shrunk" abuse -c botnet -t 1h --force
passes "and what is not in it any more passes" "$KEPT"
check "the feed 'manual' is not for lists" equal 2 "$(code moatctl import "$LAB/day1" -f manual -c botnet)"
check "an unknown category is a usage error" equal 2 "$(code moatctl import "$LAB/day1" -f abuse -c nosuch)"
check "a file that is not there is a usage error" equal 2 "$(code moatctl import "$LAB/nosuch" -f abuse -c botnet)"

printf '%s\n' 198.0.0.0/9 203.0.113.77 10.99.0.1 > "$LAB/wide"
check "a list with a wide prefix is taken without it" import "$LAB/wide" wide -c botnet -t 1h
check "and says so" equal 1 "$(report .skipped.wide)"
check "the own address in it is refused by the gate" equal 1 "$(report .refused.never_block)"
passes "the wide prefix is not in force" 198.1.2.3
drops "the rest is" 203.0.113.77
check "force lets it in" import "$LAB/wide" wide -c botnet -t 1h --force
drops "and then it is in force" 198.1.2.3
check "and stays while the list has it" import "$LAB/wide" wide -c botnet -t 1h
drops "without force" 198.1.2.3

# ---- provenance ----

check "a second feed lists the same" import "$LAB/day1" other -c bogon -t 1h
drops "a source of two feeds is dropped" "$ONE"
sources "$LAB/day1" | grep -vFx "$ONE" > "$LAB/without"
check "the second feed drops it" import "$LAB/day2" other -c bogon -t 1h
check "the first feed has it" import "$LAB/day1" abuse -c botnet -t 1h --force
drops "it is dropped for the first" "$ONE"
check "a first import shows how far feeds overlap" sh -c '"$0" -s "$1" -o json import "$2" -f third -c bogon -n | jq -e ".overlap.feeds.abuse > 2000"' \
	"$MOATCTL" "$SOCKET" "$LAB/day1"
check_counted

# ---- the daemon dies in the middle ----

"$GEN" -f ipset -s 20 30000 > "$LAB/a"
"$GEN" -f ipset -s 21 30000 > "$LAB/b"
check "a list of 30,000 is taken" import "$LAB/a" large -c botnet -t 1d
LAST=a
for delay in 0.03 0.08 0.15 0.25 0.4; do
	next=$([ $LAST = a ] && echo b || echo a)
	moatctl import "$LAB/$next" -f large -c botnet -t 1d > /dev/null 2>&1 &
	read -rt "$delay" -u "$SILENCE"
	moat_end KILL
	wait $! 2> /dev/null
	sql "SELECT source FROM listing WHERE feed = 'large'" | sort > "$LAB/there"
	for LAST in a b none; do
		[ $LAST != none ] && cmp -s "$LAB/there" <(sources "$LAB/$LAST") && break
	done
	check "killed after $delay s, the database has the one list or the other" lacks none "$LAST"
	check "and is consistent" equal ok "$(sql 'PRAGMA integrity_check')"
	moat_start
done
alone() { [ "$(ip netns pids "$IN" | xargs)" = "$MOATD_PID" ]; }
check "no child is left behind" wait_for "$DEADLINE" alone
drops "and that list is in force" "$(first_source "$LAB/$LAST")"

# ---- real lists ----

if [ -r "$DROP" ] && [ -r "$LEVEL1" ] && [ -r "$DAY2" ]; then
	check "Spamhaus DROP is taken" import "$DROP" drop -c botnet -t 3d
	check "with its 1,698 prefixes" equal 1698 "$(report .entries)"
	check "14,863,616 addresses" equal 14863616 "$(report .covers.ipv4_addresses)"
	check "and known to be complete" equal "spamhaus true" "$(report '"\(.format) \(.complete)"')"
	check "with its references" between 1600 1698 "$(sql "SELECT count(*) FROM listing WHERE feed = 'drop' AND reference LIKE '%SBL%'")"
	check "FireHOL level 1 is taken" import "$LEVEL1" level1 -c bogon -t 3d
	check "with its 4,631 entries, but wide ones" equal 4631 "$(report '.entries + .skipped.wide')"
	check "224.0.0.0/3 in it is refused by the prefix floor" equal prefix_floor \
		"$(sql "SELECT cause FROM refused WHERE source = '224.0.0.0/3' AND feed = 'level1'")"
	check "level 2 of the first day is taken" import "$DAY1" level2 -c botnet -t 3d
	check "level 2 of the second day is taken" import "$DAY2" level2 -c botnet -t 3d
	check "as the difference of the two" equal "6836 5139 11088" "$(report '"\(.adds) \(.removes) \(.unchanged)"')"
	for fault in "$SHARED"/data/faults/drop*; do
		check "$(basename "$fault") is refused" equal 1 "$(code import "$fault" drop)"
	done
	check "and Spamhaus DROP is whole" equal 1698 "$(rows drop)"
else
	skip "real lists are taken with the counts they have" "no $SHARED/data"
fi
lab_down
SENT=0

# ---- by themselves ----

lab_up
mkdir "$LAB/www"
serve "$LAB/empty" 2> /dev/null || : > "$LAB/www/list.txt"
"$GEN" -f firehol -s 2 3000 > "$LAB/day1"
"$GEN" -f firehol -s 3 200 | tail -n +2 > "$LAB/more"
{ tail -n +400 "$LAB/day1" && cat "$LAB/more"; } > "$LAB/day2"
head -n 100 "$LAB/day2" > "$LAB/shrunk"
ONE=$(first_source "$LAB/day1")
NEW=$(first_source "$LAB/more")
serve "$LAB/day1"
http_start
config <<- END
	categories: { botnet: { action: drop }, research: { action: monitor } }
	feeds:
	  - { name: served, url: "http://127.0.0.1:8080/list.txt", category: botnet, every: 1s, ttl: 1h }
	  - { name: watched, url: "file://$LAB/watched", category: botnet, every: 1s, ttl: 1h, mode: monitor }
END
printf '%s\n' 203.0.113.50 203.0.113.51 > "$LAB/watched"
moat_start
check "a configured feed is fetched" wait_for "$DEADLINE" feed_is served .state ok
drops "and in force" "$ONE"
check "a list that did not change is confirmed" wait_for "$DEADLINE" grep -q ' 304 ' "$LAB/http.log"
serve "$LAB/day2"
check "a list that changed is taken over" wait_for "$DEADLINE" feed_is served .entries "$(sources "$LAB/day2" | wc -l)"
drops "what is new is dropped" "$NEW"
passes "what is gone passes" "$ONE"

serve "$LAB/shrunk"
check "a list that shrank puts the feed in trouble" wait_for "$DEADLINE" feed_is served .cause shrink
check "status says so" contains served "$(status '.degraded[].what')"
check "and what to do" contains "moatctl feeds fetch served" "$(status '.degraded[].do')"
drops "and changes nothing" "$NEW"
check "it is said once in the log" equal 1 "$(grep -c "'served': not taken over" "$LAB/moatd.log")"
check "by hand it is refused, too" equal 1 "$(code fetch_by_hand served)"
check "for its cause" contains shrink "$(cat "$LAB/out")"
serve "$LAB/day2"
check "a good list ends the trouble" wait_for "$DEADLINE" feed_is served .state ok
http_stop
check "a server that is gone puts the feed in trouble" wait_for "$DEADLINE" feed_is served .cause fetch
drops "and its list stays" "$NEW"

check "a feed in mode monitor is in the database" equal 2 "$(rows watched)"
passes "and its sources pass" 203.0.113.50
check "counted as monitored" between "$FRAMES" 1000 "$(packets 'verdict="monitor"' 'category="botnet"')"
check "unless another feed enforces" moatctl add 203.0.113.51 -c botnet
drops "that one" 203.0.113.51
check_counted

check "explain says which listing only counts" contains " monitored " "$(moatctl explain 203.0.113.50)"
check "explain says that it is monitored" equal "monitor botnet false" \
	"$(moatctl -o json explain 203.0.113.50 | jq -r '"\(.verdict) \(.category) \(.differ)"')"
moat_end TERM
rm -f "$DATABASE" "$DATABASE"-wal "$DATABASE"-shm
moat_start
check "after the database was lost the last good list is back from disk, without the network" \
	wait_for "$DEADLINE" feed_is served .entries "$(sources "$LAB/day2" | wc -l)"
drops "and in force" "$NEW"
finish
