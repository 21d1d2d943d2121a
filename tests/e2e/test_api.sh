#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The API: what may be asked where, and errors that say what is wrong.
. "$(dirname "$0")/lib.sh"

code() { api "$@" -o "$LAB/answer" -w '%{http_code}'; }
tcp() { in_ns "$IN" curl -sS --max-time 10 -o "$LAB/answer" -w '%{http_code}' -X "$1" "${@:3}" "http://127.0.0.1:9911$2"; }
listing() { printf '{"source":"%s","category":"%s"}' "$1" "$2"; }

lab_up
config <<< 'categories: { botnet: { action: drop } }'
moat_start

check "healthz over TCP is ok" equal 200 "$(tcp GET /healthz)"
check "readyz over TCP is ready" equal 200 "$(tcp GET /readyz)"
check "status over TCP from loopback is given" equal 200 "$(tcp GET /api/v1/status)"
check "writing over TCP needs a token" equal 401 "$(tcp POST /api/v1/listings -d "$(listing 198.51.100.7 botnet)")"
check "pausing over TCP needs a token" equal 401 "$(tcp POST /api/v1/pause)"
passes "and without effect" 198.51.100.7

check "a listing by the unix socket is taken" equal 200 "$(code POST /api/v1/listings -d "$(listing 198.51.100.7 botnet)")"
drops "and is in force when the answer comes" 198.51.100.7
check "cut JSON is a bad request" equal 400 "$(code POST /api/v1/listings -d '{"source":')"
check "its answer is problem JSON with a place" contains line "$(cat "$LAB/answer")"
check "of its media type" equal application/problem+json \
	"$(api POST /api/v1/listings -d '{"source":' -o /dev/null -w '%{content_type}')"
check "what the gate refuses is a conflict" equal 409 "$(code POST /api/v1/listings -d "$(listing 198.51.100.8 nosuch)")"
check "with its cause" equal unknown_category "$(jq -r .cause "$LAB/answer")"
check "many with one bad are refused as a whole" equal 409 "$(code POST /api/v1/listings \
	-d "[$(listing 198.51.100.9 botnet),$(listing 0.0.0.0/0 botnet)]")"
passes "none of them is in force" 198.51.100.9
check "an unknown path is not found" equal 404 "$(code GET /api/v1/nosuch)"
check "a known path with another method says so" equal 405 "$(code PUT /api/v1/status)"
head -c 40000000 /dev/zero > "$LAB/huge"
check "a body too large is refused" equal 413 "$(code POST /api/v1/listings --data-binary "@$LAB/huge")"

check "pages of listings join to all" equal 250 "$({
	awk 'BEGIN { printf "["; for (i = 0; i < 249; i++) printf "%s{\"source\":\"203.0.113.%d\",\"category\":\"botnet\"}", i ? "," : "", i; print "]" }' |
		api POST /api/v1/listings --data-binary @- > /dev/null
	cursor=0
	while [ "$cursor" != null ]; do
		page=$(api GET "/api/v1/listings?limit=100&cursor=$cursor")
		jq -r '.listings[].source' <<< "$page"
		cursor=$(jq -r .cursor <<< "$page")
	done
} | sort -u | wc -l)"
check "delete says whether it is still blocked" equal "1 false" \
	"$(api DELETE '/api/v1/listings?source=198.51.100.7' | jq -r '[.removed, .blocked] | join(" ")')"
passes "it is not" 198.51.100.7
check "delete of what is not there removes nothing" equal 0 "$(api DELETE '/api/v1/listings?source=198.51.100.7' | jq .removed)"
check_counted
finish
