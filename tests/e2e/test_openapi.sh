#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The API's document against the daemon that serves it: every operation once,
# then requests at random, good and bad, for MOAT_FUZZ_SECONDS (an hour by hand).
# The daemon is the sanitizers' where that was built.
. "$(dirname "$0")/lib.sh"

SEED=${MOAT_FUZZ_SEED:-7}
FUZZ_FOR=${MOAT_FUZZ_SECONDS:-6}
GROWTH_MAX=${MOAT_FUZZ_GROWTH_MB:-200} # of moatd's memory, sanitizers and all
PEER=$ROOT/tests/e2e/api_peer.py
PYTHON=python3
"$PYTHON" -c 'import jsonschema' 2> /dev/null || PYTHON=/usr/bin/python3

# What it prints are results of its own.
peer() {
	"$PYTHON" "$PEER" "$SOCKET" "$@" > "$LAB/peer.out" 2> "$LAB/peer.err"
	if [ -s "$LAB/peer.err" ]; then not_ok "the client runs: $1" "$(cat "$LAB/peer.err")"; fi
	PASSED=$((PASSED + $(grep -c '^ok - ' "$LAB/peer.out")))
	FAILED=$((FAILED + $(grep -c '^not ok - ' "$LAB/peer.out")))
	cat "$LAB/peer.out"
}
rss_mb() { awk '/^VmRSS/ { print int($2 / 1024) }' "/proc/$MOATD_PID/status"; }

if [ -x "$BUILD/san/moatd" ]; then
	MOATD=$BUILD/san/moatd
	# Its own search for leaks would trace the process, which gave up that right.
	export ASAN_OPTIONS="detect_leaks=0:quarantine_size_mb=16:exitcode=66"
fi
lab_up
note "moatd is $MOATD"
printf '198.51.100.%d\n' {1..20} > "$LAB/drop.txt"
config << END
categories: { botnet: { action: drop }, scanner: { action: tag, mark: 1 } }
feeds: [ { name: drop, url: "file://$LAB/drop.txt", format: plain, category: botnet, every: 12h, ttl: 3d } ]
END
moat_start

peer check
before=$(rss_mb)
peer fuzz "$SEED" "$FUZZ_FOR"
check "moatd lives" api GET /healthz -f
check "and has not grown by more than $GROWTH_MAX MB (from $before)" between 0 "$((before + GROWTH_MAX))" "$(rss_mb)"
moat_end TERM
check "and ends in good order, without a word of the sanitizers" equal 0 $?
check "nor one in its log" equal 0 "$(grep -cE 'ERROR: |runtime error' "$LAB/moatd.log")"
finish
