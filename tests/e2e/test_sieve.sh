#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The sieve over restarts: every moatd makes its own, and a packet on its way
# between two of them gets what the database said before or says now. Traffic
# flows while moatd is killed, while the database changes behind its back, and
# while the next one takes over.
. "$(dirname "$0")/lib.sh"

RATE=20000  # frames a second
MANY=4000   # listings of a kind that come and go while nobody runs
# shellcheck disable=SC2034 # read by config
CAPACITY4=20000

settings() { # settings SIEVE
	cat <<- END
		sieve: $1
		categories:
		  botnet:   { action: drop }
		  spam:     { action: drop }
		  proxy:    { action: drop }
		  research: { action: monitor }
	END
}

flows() { # whether some more frames were counted than at the last call
	local now
	now=$(packets)
	((now > ${SEEN:-0} + RATE / 20)) && SEEN=$now
}

# Kept: dropped, passed and counted only, the same before and after. Freed:
# counted only before, not listed after, so nothing of it is ever dropped.
KEPT="198.51.100.7 203.0.113.77 2001:db8:bad::1"
PASSED_ON="192.0.2.1 192.0.2.200 192.0.2.66 2001:db8:5::1 2001:db8:6::1"

# unharmed SENTENCE COMMAND...: the command runs under traffic of both kinds.
unharmed() {
	local sentence=$1 out='' source
	shift
	receive_start
	# shellcheck disable=SC2086 # sources are words
	stream_start $KEPT $PASSED_ON --rate "$RATE"
	wait_for "$DEADLINE" flows || fatal "traffic flows"
	"$@"
	wait_for "$DEADLINE" flows || not_ok "traffic flows on: $sentence"
	stream_stop
	wait_for "$DEADLINE" counted
	receive_stop
	note "$LAST_SENT frames in $LAST_SECONDS s, $(received total) came out"
	for source in $KEPT; do [ "$(got "$source")" = 0 ] || out+=" $source:$(got "$source")"; done
	check "$sentence: nothing of what stays listed came out" equal "" "$out"
	check "$sentence: all of what never was to be dropped did" equal "$(sent_of_passed)" "$(received total)"
}
sent_of_passed() { echo $((LAST_SENT / 8 * 5 + (LAST_SENT % 8 > 3 ? LAST_SENT % 8 - 3 : 0))); }

hosts() { # hosts NET COUNT CATEGORY: rows of listings, for sql
	sql "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < $2)
		INSERT INTO listing (source, category, feed)
		SELECT '$1.' || (i / 250) || '.' || (1 + i % 250), '$3', 'test' FROM n"
}

# Behind moatd's back: whole classes go, others come in their place.
change_much() {
	moat_end KILL
	sql "DELETE FROM listing WHERE category = 'research' AND source NOT IN ('192.0.2.200', '2001:db8:6::/48');
		DELETE FROM listing WHERE source LIKE '10.99.%' AND category = 'spam'"
	hosts 45.1 $MANY proxy
	hosts 45.2 $MANY spam
	hosts 45.2 $MANY proxy
	sql "INSERT INTO listing (source, category, feed) VALUES ('45.3.0.0/16', 'botnet', 'test'),
		('45.3.0.0/17', 'proxy', 'test'), ('2001:db8:7::/48', 'spam', 'test')"
	moat_start
	wait_synced
}

change_back() {
	moat_end KILL
	sql "DELETE FROM listing WHERE source LIKE '45.%' OR source = '2001:db8:7::/48'"
	hosts 45.4 $MANY spam
	moat_start
	wait_synced
}

reconfigure() { # reconfigure SIEVE: a restart with another configuration
	moat_end TERM
	config < <(settings "$1")
	moat_start
	wait_synced
}

grow() {
	# shellcheck disable=SC2034 # read by config
	CAPACITY4=40000
	reconfigure true
}

sieve_hosts() { metric moat_map_entries 'map="moat_hosts4"'; }

lab_up
config < <(settings true)
moat_start
hosts 45.1 $MANY research
hosts 45.2 $MANY spam
sql "INSERT INTO listing (source, category, feed) VALUES
	('198.51.100.7', 'botnet', 'test'), ('203.0.113.0/24', 'spam', 'test'),
	('203.0.113.77', 'botnet', 'test'), ('2001:db8:bad::/48', 'botnet', 'test'),
	('192.0.2.200', 'research', 'test'), ('192.0.2.66', 'research', 'test'),
	('192.0.2.64/27', 'research', 'test'), ('2001:db8:6::/48', 'research', 'test')"
wait_synced
check "the sieve is on" equal true "$(status .sieve.on)"
# Its keys are random: of some thousand hosts a few may find both of their places taken.
few=$((2 * MANY / 500))
check "the hosts that are listed are in it" between $((2 * MANY - few)) $((2 * MANY + 20)) "$(sieve_hosts)"
check "next to none is left to the hash maps" between 0 $few "$(metric moat_sieve_asked)"
check "status says so to people" contains "hosts in" "$(moatctl status | grep sieve)"

sql "DELETE FROM listing WHERE source LIKE '45.%'"
wait_synced
hosts 45.1 $MANY research
hosts 45.2 $MANY spam
wait_synced
sql "DELETE FROM listing WHERE source LIKE '45.%' AND category = 'spam'"

unharmed "killed, the database changed, started" change_much
drops "what was listed meanwhile is in force" 45.1.3.7
drops "so is a prefix" 45.3.200.1
check "the new sieve has what the database says" between $((2 * MANY)) $((2 * MANY + 20)) "$(sieve_hosts)"
unharmed "killed again, and changed back" change_back
passes "what went meanwhile is clean" 45.1.3.7
drops "what came is not" 45.4.3.7

unharmed "started with sieve: false" reconfigure false
check "without a sieve status says so" contains "off (sieve: false)" "$(moatctl status | grep sieve)"
check "and so do the metrics" equal 0 "$(metric moat_sieve_enabled)"
drops "lookups go by the hash maps" 45.4.3.7
unharmed "started with sieve: true" reconfigure true
check "then it is on again" equal 1 "$(metric moat_sieve_enabled)"
unharmed "started with more capacity, in maps made anew" grow
drops "all is in force in them" 45.4.3.7
check_counted
finish
