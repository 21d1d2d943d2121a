#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What another policy would have done to the traffic of the last minutes is
# said before it acts, and is what it then does.
. "$(dirname "$0")/lib.sh"

DROPPED=198.51.100.7 # by botnet
COUNTED=198.51.100.8 # by scan, which only monitors
SCOPED=198.51.100.9  # by web, which only monitors: UDP port 9, the traffic's

categories() { # categories BOTNET SCAN WEB
	printf 'categories:\n'
	printf '  %s: { action: %s%s }\n' botnet "$1" "" scan "$2" "" web "$3" ", protocol: udp, ports: [ 9 ]"
}
ask() { # ask BOTNET SCAN WEB: the effect of these as JSON in EFFECT
	cp "$LAB/moat.yaml" "$LAB/runs.yaml"
	config < <(categories "$@")
	mv "$LAB/moat.yaml" "$LAB/next.yaml"
	mv "$LAB/runs.yaml" "$LAB/moat.yaml"
	EFFECT=$(moatctl -o json apply "$LAB/next.yaml" --dry-run) || not_ok "a dry run succeeds" "$EFFECT"
}
effect() { jq -r ".effect.$1" <<< "$EFFECT"; }
enough() { # samples of both kinds
	ask drop monitor monitor
	[ "$(effect passed_samples)" -ge 1400 ] && [ "$(effect dropped_samples)" -ge 400 ]
}
# says SENTENCE KEY SHARE: within five standard deviations of the true one, and the interval is narrow.
says() {
	check "$1" between "$(jq -n "$3 - 0.06")" "$(jq -n "$3 + 0.06")" "$(effect "$2.share")"
	check "$1: closely" between 0 0.12 "$(jq ".effect.$2 | .at_most - .at_least" <<< "$EFFECT")"
}

lab_up
config < <(categories drop monitor monitor)
moat_start
sql "INSERT INTO listing (source, category, feed) VALUES
	('$DROPPED', 'botnet', 'test'), ('$COUNTED', 'scan', 'test'), ('$SCOPED', 'web', 'test')"
wait_synced
# Of ten packets one is dropped; of nine that pass two are counted, one of them by scope.
stream_start $DROPPED $COUNTED $SCOPED 203.0.113.{1,2,3,4,5} 2001:db8:5::{1,2} --dport 9 --rate 4000
wait_for "$DEADLINE" enough || not_ok "samples of what passes and of what is dropped come in" "$EFFECT"

ask drop drop monitor
says "what a category would drop is said before" dropped_more 0.1111
check "by category" equal scan "$(effect 'dropped_more.categories[0].category')"
check "and by source" equal "$COUNTED" "$(effect 'dropped_more.sources[0].source')"
check "nothing more would pass" equal 0 "$(effect dropped_less.share)"
ask drop drop drop
says "several categories add up" dropped_more 0.2222
ask monitor monitor monitor
says "what would pass that is dropped now is said as well" dropped_less 0.99999
check "by source" equal "$DROPPED" "$(effect 'dropped_less.sources[0].source')"
check "and nothing more would be dropped" equal 0 "$(effect dropped_more.share)"
check "a dry run changed nothing" equal confirmed "$(status .configuration.state)"

# And so it comes.
ask drop drop drop
moatctl apply "$LAB/next.yaml" > "$LAB/out" || not_ok "the configuration is applied" "$(cat "$LAB/out")"
check "apply says it, too" grep -q "would have dropped [12][0-9.]* % .* of what passed in the last" "$LAB/out"
before=$(packets 'verdict="drop"' 'family="ipv4"') all=$(packets)
more_came() { [ "$(packets)" -gt $((all + 4000)) ]; }
wait_for "$DEADLINE" more_came
share=$(awk -v d="$(($(packets 'verdict="drop"' 'family="ipv4"') - before))" -v n="$(($(packets) - all))" 'BEGIN { print d / n }')
check "three of ten are dropped then" between 0.28 0.32 "$share"
stream_stop
check_counted
finish
