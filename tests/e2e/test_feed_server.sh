#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A server of feeds that fails in every way servers do: nothing changes, the
# last good list stays, and status, metrics and log say why, the log once.
# shellcheck disable=SC2034 # CAPACITY4, SENT are read by the lab
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/feed_lab.sh"

database() { sql "SELECT source, category, feed, expires_at FROM listing ORDER BY source, feed" | md5sum; }
fetch() { # fetch NAME: exit code of a fetch by hand; what it said is in $LAB/out
	fetch_by_hand "$1"
	echo $?
}
said_in_log() { grep -c "feed '$1': not taken over" "$LAB/moatd.log"; }
in_trouble() { feed_is "$1" .state trouble; }

# trouble SENTENCE FEED CAUSE WORDS: a fetch that just failed left all as it was, and said why.
trouble() {
	local sentence=$1 feed=$2 cause=$3 words=$4
	check "$sentence: the feed is in trouble, by its cause" equal "trouble $cause" "$(feed "$feed" '"\(.state) \(.cause)"')"
	check "$sentence: which says what it is" contains "$words" "$(feed "$feed" .why)"
	check "$sentence: status names the feed" contains "$feed" "$(status '.degraded | tostring')"
	check "$sentence: the metric counts it" between 1 100 "$(refused_total "$feed" "$cause")"
	check "$sentence: nothing changed" equal "$BEFORE" "$(database)"
}

# fails SENTENCE CAUSE WORDS HOW...: of the feed 'served', which has a good list.
fails() {
	local sentence=$1 cause=$2 words=$3 logged counted
	behave list "${@:4}"
	logged=$(said_in_log served) counted=$(refused_total served "$cause")
	check "$sentence: the fetch fails" equal 1 "$(fetch served)"
	check "$sentence: and says why" contains "$words" "$(cat "$LAB/out")"
	trouble "$sentence" served "$cause" "$words"
	fetch served > /dev/null
	check "$sentence: again it is counted, and not said again" equal "$((counted + 2)) $((logged + 1))" \
		"$(refused_total served "$cause") $(said_in_log served)"
	behave list good
	check "$sentence: a good list ends it" equal "0 ok" "$(fetch served) $(feed served .state)"
	check "$sentence: it changed nothing either" equal "$BEFORE" "$(database)"
}

# ---- certificates ----

# certificate NAME SUBJECT_ALT_NAME [AUTHORITY DAYS]: NAME.pem and NAME.key; without an authority by itself.
certificate() {
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=moat test $1" \
		-keyout "$LAB/$1.key" -out "$LAB/$1.csr" 2> /dev/null
	printf 'subjectAltName=%s\nbasicConstraints=CA:%s\n' "$2" "$([ $# = 2 ] && echo TRUE || echo FALSE)" > "$LAB/$1.ext"
	if [ $# = 2 ]; then
		openssl x509 -req -in "$LAB/$1.csr" -signkey "$LAB/$1.key" -days 2 -extfile "$LAB/$1.ext" -out "$LAB/$1.pem"
	else
		openssl x509 -req -in "$LAB/$1.csr" -CA "$LAB/$3.pem" -CAkey "$LAB/$3.key" -CAcreateserial \
			-days "$4" -extfile "$LAB/$1.ext" -out "$LAB/$1.pem"
	fi 2> "$LAB/openssl.log" || fatal "a certificate can be made: $(cat "$LAB/openssl.log")"
}

tls_feeds() {
	cat <<- END
		  - { name: tls-right, url: "https://127.0.0.1:8443/list", category: botnet, every: 1h, ttl: 3h }
		  - { name: tls-expired, url: "https://127.0.0.1:8444/list", category: botnet, every: 1h, ttl: 3h }
		  - { name: tls-name, url: "https://127.0.0.1:8445/list", category: botnet, every: 1h, ttl: 3h }
		  - { name: tls-self, url: "https://127.0.0.1:8446/list", category: botnet, every: 1h, ttl: 3h }
	END
}

certificates() {
	certificate authority DNS:authority.example
	certificate right IP:127.0.0.1 authority 2
	certificate expired IP:127.0.0.1 authority -1
	certificate name DNS:elsewhere.example authority 2
	certificate self IP:127.0.0.1
	server_up right 8443 "$LAB/right.pem" "$LAB/right.key"
	server_up expired 8444 "$LAB/expired.pem" "$LAB/expired.key"
	server_up name 8445 "$LAB/name.pem" "$LAB/name.key"
	server_up self 8446 "$LAB/self.pem" "$LAB/self.key"
	export SSL_CERT_FILE=$LAB/authority.pem
}

refused_certificate() { # refused_certificate NAME SENTENCE WORDS
	check "$2: the fetch fails" equal 1 "$(fetch "tls-$1")"
	trouble "$2" "tls-$1" fetch certificate
	check "$2: the cause is told apart" contains "$3" "$(feed "tls-$1" .why)"
	check "$2: no row of it came" equal 0 "$(rows "tls-$1")"
}

# ---- the test ----

lab_up
CAPACITY4=100000
"$GEN" -f firehol -s 31 -c 10 -d 1 3000 > "$LAB/day1"
"$GEN" -f firehol -s 31 -c 10 -d 2 3000 > "$LAB/day2"
pair "$LAB/day1" "$LAB/day2"
server_up
certificates
offer list "$LAB/day1"
config <<- END
	categories: { botnet: { action: drop } }
	feeds:
	  - { name: served, url: "$SERVER/list", category: botnet, every: 1h, ttl: 3h }
	$(tls_feeds)
END
moat_start
own_entries
check "a list is fetched from the server" equal 0 "$(fetch served)"
check "and in force" kernel_is old
check "over TLS likewise, from a server of a known authority" equal 0 "$(fetch tls-right)"

# A 304 keeps the list alive: its listings end a ttl from now on, in place.
sql "UPDATE listing SET expires_at = expires_at - 1800 WHERE feed = 'served'"
wait_synced
moat_end TERM
moat_start
OLDEST=$(sql "SELECT min(expires_at) FROM listing WHERE feed = 'served'")
before=$(asked list "304 conditional")
check "a list that did not change is confirmed" equal 0 "$(fetch served)"
check "by a conditional request, which got 304" between $((before + 1)) $((before + 1)) "$(asked list "304 conditional")"
check "which refreshes the ttl of every listing" between $((OLDEST + 1500)) $((OLDEST + 3600)) \
	"$(sql "SELECT min(expires_at) FROM listing WHERE feed = 'served'")"
check "and changes nothing else" kernel_is old

BEFORE=$(database)
wire_open
fails "429 with Retry-After" fetch "answered 429" status 429 7200
fails "500 with a page of HTML" fetch "answered 500" status 500
fails "503 with a date in Retry-After" fetch "answered 503" status 503 "Wed, 21 Oct 2099 07:28:00 GMT"
fails "404" fetch "answered 404" status 404
fails "a page of HTML with status 200" error_page "" page
fails "a list cut in the middle" fetch "cut" cut
fails "one cut in the middle of its chunks" fetch "cut" chunked-cut
fails "a bomb of gzip" bomb "" bomb
fails "a loop of redirects" fetch "redirects more than" loop
fails "a redirect to a file" fetch "redirects to something else" plain file:///etc/passwd

behave list status 429 7200
fetch served > /dev/null
check "Retry-After moves the next fetch" between 7000 9000 \
	"$(($(date -d "$(feed served .next)" +%s) - $(date +%s)))"
behave list good
fetch served > /dev/null

refused_certificate expired "an expired certificate" expired
refused_certificate name "a certificate of another name" "127.0.0.1"
refused_certificate self "a certificate signed by itself" "self"

rss() { awk '/^VmHWM:/ { print int($2 / 1024) }' "/proc/$MOATD_PID/status"; }
check "a list without an end: the fetch fails" equal 1 "$(behave list endless; fetch served)"
trouble "a list without an end" served fetch "more entries than a feed may have"
check "a list without an end: memory is bounded (MB)" between 1 600 "$(rss)"
behave list good
check "a list without an end: a good list ends it" equal "0 ok" "$(fetch served) $(feed served .state)"

wire_close "whatever the server did"
check "the first list is in force to the end" kernel_is old
verdicts "and judges every source" old
check "no child is left behind" equal "" "$(pgrep -P "$MOATD_PID")"
finish
