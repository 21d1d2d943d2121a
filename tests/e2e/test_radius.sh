#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Whom a list would hit: what passes now is sampled, and a list that would hit
# too much of it is held in monitor, or refused, until somebody has looked.
. "$(dirname "$0")/lib.sh"

feed() { moatctl -o json feeds | jq -r ".feeds[] | select(.name == \"$1\") | $2"; } # feed NAME FILTER
feed_is() { [ "$(feed "$1" "$2")" = "$3" ]; }
report() { jq -r "$1" "$LAB/report"; } # report FILTER: of the last import
import() { # import FILE FEED [OPTIONS]: exit code; the report as JSON in $LAB/report
	local file=$1 feed=$2
	shift 2
	moatctl -o json import "$file" -f "$feed" "$@" > "$LAB/report" 2> "$LAB/err"
}
code() { # code COMMAND...: its exit code
	"$@" > "$LAB/out" 2>&1
	echo $?
}
judged() { import "$LAB/none" probe -c botnet -n && [ "$(report .radius.judged)" = true ]; }
sampled() { awk -v n="$(metric moat_samples_window)" 'BEGIN { exit !(n >= 200) }'; }
addresses() { seq -f "$1%g" "$2" "$3"; } # addresses PREFIX FIRST LAST

lab_up
addresses 198.51.100. 1 100 > "$LAB/clients"
{ addresses 203.0.113. 1 250; for net in $(seq 1 20); do addresses "192.2.$net." 1 250; done; } > "$LAB/none"
{ head -n 4970 "$LAB/none" && head -n 30 "$LAB/clients"; } > "$LAB/thirty"
{ cat "$LAB/thirty" && for net in $(seq 1 5); do addresses "192.3.$net." 1 250; done; } > "$LAB/grown"
mkdir "$LAB/www"
config <<- END
	categories: { botnet: { action: drop }, ssh: { action: drop, protocol: tcp, ports: [ 22 ] }, watched: { action: monitor } }
	feeds:
	  - { name: partner, url: "file://$LAB/www/partner", format: plain, category: botnet, every: 1h, ttl: 1d, max_growth: 1000% }
	  - { name: later, url: "file://$LAB/www/later", format: plain, category: botnet, every: 1h, ttl: 1d }
END
moat_start

check "without traffic there is nothing to judge by" import "$LAB/thirty" early -c botnet -t 1h -n
check "and the report says so" equal "no traffic to judge by" "$(report .radius.text)"

# Every frame stays in the wire: nobody listens behind in0, and nobody is to.
stream_start "@$LAB/clients" --rate 400
check "what passes is sampled" wait_for "$DEADLINE" sampled
wait_for 90 judged || fatal "after a minute there is traffic to judge by: $(cat "$LAB/report")"

check "a dry run says that a list would be held" equal 1 "$(code import "$LAB/thirty" hit -c botnet -t 1h -n)"
check "by the guard" equal guard "$(report .held)"
check "because of about 30 of 100 clients" between 0.24 0.36 "$(report .radius.share)"
check "at most a bit more" between 0.25 0.40 "$(report .radius.at_most)"
check "and names whom" contains 198.51.100. "$(report '.radius.top[].source' | tr '\n' ' ')"
check "a scope that fits no packet hits nobody" import "$LAB/thirty" hit -c ssh -t 1h -n
check "not one" equal 0 "$(report .radius.share)"
check "what only counts hits nobody" import "$LAB/thirty" hit -c watched -t 1h -n
check "and nothing of it acts" equal 0 "$(report .radius.sources)"

# ---- a first list that hits too much ----

cp "$LAB/thirty" "$LAB/www/partner"
fetch_by_hand partner
check "a first list that would hit 30 of 100 is held" wait_for "$DEADLINE" feed_is partner .held guard
check "its rows are in the database" equal 5000 "$(sql "SELECT count(*) FROM listing WHERE feed = 'partner'")"
check "status says so, and what to do" contains "moatctl feeds release partner" "$(moatctl status)"
check "so does the metric" equal 1 "$(metric moat_feed_held 'feed="partner"')"
check "and the log, once" equal 1 "$(grep -c "feed 'partner': held in monitor" "$LAB/moatd.log")"

cp "$LAB/thirty" "$LAB/www/later"
fetch_by_hand later
check "another feed is held" feed_is later .held guard
touch "$LAB/www/later"
fetch_by_hand later
check "and stays so with the same list" feed_is later .held guard
cp "$LAB/none" "$LAB/www/later"
check "a later list that hits nobody is taken" fetch_by_hand later
check "and releases the feed by itself" feed_is later .held null

# ---- lists that follow one in force ----

check "a list that hits nobody is in force at once" import "$LAB/none" clean -c botnet -t 1h
check "and not held" equal null "$(report .held)"
check "the next one that hits too much is refused" equal 1 "$(code import "$LAB/grown" clean -c botnet -t 1h)"
check "by the guard radius" contains radius "$(cat "$LAB/err")"
check "and counted under it" equal 1 "$(metric moat_feed_refused_total 'feed="clean"' 'cause="radius"')"
check "the last list stays" equal "$(wc -l < "$LAB/none")" "$(sql "SELECT count(*) FROM listing WHERE feed = 'clean'")"

# ---- rows that are added ----

bulk() { moatctl add - -c botnet -f bulk "$@" < "$LAB/grown"; }
check "many rows at once over the API are refused" equal 1 "$(code bulk)"
check "by the guard radius" contains radius "$(cat "$LAB/out")"
check "none of them is there" equal 0 "$(sql "SELECT count(*) FROM listing WHERE feed = 'bulk'")"
check "one by hand is not asked" moatctl add 198.51.100.99 -c botnet
list 198.51.100.98 botnet
stream_stop
wait_for "$DEADLINE" counted || fatal "each packet is counted once"
drops "and in force" 198.51.100.99
drops "as one by SQL" 198.51.100.98
passes "of a held feed nobody is dropped" 198.51.100.7
check "but counted" between 1 1000000 "$(packets 'verdict="monitor"' 'category="botnet"')"
check "explain shows the listing" contains partner "$(moatctl explain 198.51.100.7)"
check "as one that only counts" equal true \
	"$(moatctl -o json explain 198.51.100.7 | jq '.listings[] | select(.feed == "partner") | .monitored')"
check "and the policy that does so" equal "botnet monitor" \
	"$(moatctl -o json explain 198.51.100.7 | jq -r '.policy | "\(.category) \(.action)"')"

moat_end TERM
moat_start
check "it is held over a restart" wait_for "$DEADLINE" feed_is partner .held guard
passes "and nobody is dropped" 198.51.100.7

check "it is released by hand" moatctl feeds release partner
drops "and then in force" 198.51.100.7
passes "for those it names" 198.51.100.77
check "audit says who released it" equal "root partner" \
	"$(moatctl -o json audit | jq -r '[.audit[] | select(.verb == "release")][-1] | "\(.actor) \(.detail)"')"
check "it is held by hand" moatctl feeds hold partner
passes "and its sources pass again" 198.51.100.7
check "a fetch does not release it" equal 1 "$(code fetch_by_hand partner)"
passes "they pass still" 198.51.100.7
check "until it is released" moatctl feeds release partner
drops "and then they do not" 198.51.100.7
check "an unknown feed is not held" equal 1 "$(code moatctl feeds hold nosuch)"

# ---- mode monitor, and its end ----

sets() { # sets FEEDS: they are all there are now
	config <<- END
		categories: { botnet: { action: drop }, ssh: { action: drop, protocol: tcp, ports: [ 22 ] }, watched: { action: monitor } }
		feeds: [ $1 ]
	END
	kill -HUP "$MOATD_PID"
}
watch="name: watch, url: 'file://$LAB/www/watch', format: plain, category: botnet, every: 1h, ttl: 1d"
echo 198.51.100.60 > "$LAB/www/watch"
sets "{ $watch, mode: monitor }"
wait_for "$DEADLINE" feed_is watch .mode monitor
check "a feed in mode monitor is taken" fetch_by_hand watch
passes "and nobody is dropped" 198.51.100.60
check "which is no hold" feed_is watch .held null
check "a feed that left the configuration is said to be removed" wait_for "$DEADLINE" feed_is later .state removed
sets ""
check "of one that was in mode monitor" wait_for "$DEADLINE" feed_is watch .held mode
passes "nobody is dropped all the same" 198.51.100.60
check "and status says why" contains "it was in mode monitor" "$(moatctl status)"
moat_end TERM
moat_start
passes "nor over a restart" 198.51.100.60
sets "{ $watch, radius_sources: 0 }"
check "back in mode enforce it waits for traffic to judge it by" feed_is watch .held mode
passes "and only counts" 198.51.100.60
sets "{ $watch }"
check "a list too small to be asked is in force by itself" wait_for 60 feed_is watch .held null
drops "and its source is dropped" 198.51.100.60

check "force adds many rows" bulk --force
drops "which are in force" 198.51.100.30
check_counted
finish
