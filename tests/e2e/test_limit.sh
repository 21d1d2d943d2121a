#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Limits hold on the wire, at their rate.
. "$(dirname "$0")/lib.sh"

# at_rate SENTENCE RATE BURST [traffic options]: what comes out is the burst and
# then RATE frames a second, within 15 %.
at_rate() {
	local sentence=$1 rate=$2 burst=$3 wanted
	shift 3
	receive_start
	send "$@"
	wait_for "$DEADLINE" counted
	receive_stop
	wanted=$(awk -v r="$rate" -v b="$burst" -v s="$LAST_SECONDS" 'BEGIN { print b + r * s }')
	note "$(received total) of $LAST_SENT came out in $LAST_SECONDS s, $wanted would be exact"
	check "$sentence" between "$(awk -v w="$wanted" 'BEGIN { print w * 0.85 }')" \
		"$(awk -v w="$wanted" 'BEGIN { print w * 1.15 }')" "$(received total)"
}

lab_up
config <<- 'END'
	categories:
	  scraper: { action: limit, rate: 100pps, burst: 20 }
	  leech:   { action: limit, rate: 800kbps, burst: 20000 }
END
moat_start
list 198.51.100.7 scraper
list 198.51.100.16/28 scraper
list 2001:db8:1:7::/64 scraper
list 198.51.100.8 leech

at_rate "a source over its rate gets its rate" 100 20 198.51.100.7 --rate 1000 --count 4000
at_rate "an IPv6 prefix over its rate gets its rate as a whole" 100 20 \
	2001:db8:1:7::1 2001:db8:1:7::2 --rate 1000 --count 4000
# 1,000 bytes a frame: 42 are Ethernet, IPv4 and UDP headers.
at_rate "a limit in bits a second holds" 100 20 198.51.100.8 --payload 958 --rate 1000 --count 4000
check "a limit in bits a second keeps to its rate in bytes, too" between 85000 115000 \
	"$(awk -v b="$(metric moat_bytes_total 'reason="within_limit"' 'category="leech"')" -v s="$LAST_SECONDS" \
		'BEGIN { print (b - 20000) / s }')"

receive_start
send 198.51.100.17 --rate 50 --count 100
wait_for "$DEADLINE" counted
receive_stop
check "a source within its rate loses nothing" equal 100 "$(received total)"

send 198.51.100.7 --count 500
receive_start
send 203.0.113.77 --count 500
wait_for "$DEADLINE" counted
receive_stop
check "a clean source is not limited beside a limited one" equal 500 "$(received total)"

check "what is over the rate is counted as limit" between 1 100000 "$(packets 'verdict="drop"' 'reason="limit"')"
check "what is within is counted as such" between 1 100000 "$(packets 'verdict="pass"' 'reason="within_limit"')"
check_counted
finish
