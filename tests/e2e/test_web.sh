#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The dashboard in a browser: what it shows, explains and changes is what is so.
. "$(dirname "$0")/lib.sh"

URL=http://127.0.0.1:9911/
TOKEN=moat_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG
NOBODY=moat_nobody789abcdefghijklmnopqrstuvwxyzABCDEFG

# In a PID namespace of its own: with its first process goes all that it began.
page_start() {
	mkdir "$LAB/browser" && mkdir -p "$BUILD/test-web" || fatal "the lab has room for a browser"
	coproc PAGE { in_ns_exec "$IN" unshare --pid --fork --kill-child --mount-proc \
		python3 "$ROOT/tests/e2e/web_page.py" "$LAB/browser" $URL "$BUILD/test-web" 2> "$LAB/page.log"; }
	page_answer || fatal "a browser starts: $(tail -n 3 "$LAB/page.log")"
}

page_answer() {
	local line
	while read -rt 90 -u "${PAGE[0]}" line; do
		case $line in
		.) return 0 ;;
		ok*) PASSED=$((PASSED + 1)) ;;
		"not ok"*) FAILED=$((FAILED + 1)) ;;
		esac
		printf '%s\n' "$line"
	done
	return 1
}

# page COMMAND WORD...: see web_page.py.
page() {
	printf '%q ' "$@" >&"${PAGE[1]}" && printf '\n' >&"${PAGE[1]}"
	page_answer || fatal "the browser goes on: $(tail -n 3 "$LAB/page.log")"
}

page_end() {
	echo quit >&"${PAGE[1]}"
	wait "$PAGE_PID"
}

sends() { # sends COUNT SOURCE
	send --count "$1" "$2"
	wait_for "$DEADLINE" counted || fatal "each packet is counted once: sent $SENT, counted $(packets)"
}

lab_up
umask 077
printf 'analyst verbs=read,write sha256=%s\n' "$(printf %s "$TOKEN" | sha256sum | cut -d ' ' -f 1)" > "$LAB/tokens"
configure() { # configure MORE: with these categories, too
	config <<< "categories: { botnet: { action: drop }, scanner: { action: tag, mark: 0x10 }, research: { action: monitor }${1:-} }
tokens: $LAB/tokens"
}
configure
moat_start
list 198.51.100.7 botnet
list 198.51.100.44 scanner
list 198.51.100.55 research
sql "INSERT INTO listing (source, category, feed, reason, reference) VALUES ('192.0.2.66', 'botnet', 'hostile',
	'<img src=x onerror=\"window.owned=1\"><script>window.owned=2</script>', '<b>bold</b>')"
wait_synced
sends 50 198.51.100.7 # before anybody looks
page_start

page open
page headline "it says first that all is in force" "All in force"
page live "and that what it shows is live"
sends 300 198.51.100.7
sends 120 198.51.100.44
sends 80 198.51.100.55
sends 500 203.0.113.9
page counters "its numbers are those of /metrics"
page top 198.51.100.7 "the most active source is named"

stream_start 198.51.100.7 --rate 100
page tile drop "a stream of dropped packets is seen as it comes"
page packet 198.51.100.7 "and packets of it, with their reason"
stream_stop

page explain 198.51.100.7 drop "a listed source is explained"
page nonsense "what is no address is said to be none"
page explain 192.0.2.66 drop "a source with a hostile listing is explained"
page hostile "the hostile reason is text"
page refused "$NOBODY" "a token that is nobody's is refused"
page block 203.0.113.77 "$TOKEN" "with a token a source is listed, and explained anew"
drops "and is dropped on the wire" 203.0.113.77
check "the audit log knows whose token it was" contains analyst "$(moatctl audit)"
page end 203.0.113.77 "with a token a listing ends"
passes "and the source passes on the wire" 203.0.113.77

# What the points of the rates add up to, of every series.
rated() { api GET "/api/v1/rates?since=10m" | jq '[.series[].packets[] // 0] | add | round'; }
rates_are() { [ "$(rated)" = "$1" ]; }
wait_for "$DEADLINE" rates_are "$SENT"
check "the rates add up to what was sent" equal "$SENT" "$(rated)"
configure ', spam: { action: drop }'
kill -HUP "$MOATD_PID"
wait_for "$DEADLINE" status_is '.categories | length' 4 || not_ok "moatd takes another configuration"
check "and outlive a reload" equal "$SENT" "$(rated)"

moatctl pause --for 10m > /dev/null
page headline "a pause is what it says first" "Paused: every packet passes"
moatctl resume > /dev/null
page headline "and its end" "All in force"

page keyboard
page accessible
page pictures
page clean

moat_end KILL
page headline "without moatd it says so" "moatd does not answer"
moat_start
page headline "and goes on by itself when moatd is back" "All in force"
page live "live, as before"
sends 40 198.51.100.7
page counters "its numbers are those of /metrics again"

page_end
check_counted
finish
