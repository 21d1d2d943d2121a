#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# README.md tells the truth: its configuration is a good one, its commands and
# their options are there, and it names the metrics that the code has, no other.
set -u
here=$(cd "$(dirname "$0")" && pwd)
top=$here/../..
build=${BUILD:-$top/build}
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
failed=0

# say STATUS SENTENCE [WHY]
say()
{
	if [ "$1" = 0 ]; then
		echo "ok - $2"
	else
		echo "not ok - $2${3:+: $3}"
		failed=1
	fi
}

# The lines of blocks that open with the first line $1.
blocks()
{
	awk -v "open=$1" '/^```/ { inside = !inside; on = inside && $0 == open; next } on' "$top/README.md"
}

blocks '```yaml' > "$made/moat.yaml"
why=$("$build/moatd" -c "$made/moat.yaml" -n 2>&1)
say $? "the configuration of the README is good" "$why"

# What moatd says that it knows, where a key is that it does not.
known_keys()
{
	local base='interfaces: [ { name: eth0 } ]
categories: { botnet: { action: drop } }' feed='name: a, url: "file:///a", category: botnet' unknown

	for unknown in 'nosuch: 1' 'guards: { nosuch: 1 }' 'tls: { nosuch: 1 }' 'http: { nosuch: 1 }' 'manual: { nosuch: 1 }' 'unjudged: { nosuch: drop }' \
		"feeds: [ { $feed, nosuch: 1 } ]" "feeds: [ { $feed, format: csv, csv: { nosuch: 1 } } ]"; do
		printf '%s\n' "$base" "$unknown" > "$made/unknown.yaml"
		"$build/moatd" -c "$made/unknown.yaml" -n 2>&1
	done | sed -n -e 's/ and / /' -e 's/.* known are //p' | tr -s ', ' '\n'
}

left_out=$(known_keys | sort -u | while read -r key; do
	grep -qE "(^|[^a-z_])$key([^a-z_]|\$)" "$made/moat.yaml" || echo "$key"
done)
[ "$(known_keys | wc -l)" -ge 60 ] && [ -z "$left_out" ]
say $? "the configuration of the README names every key" "$left_out"

# "VERB --option --option ..." of every command line, and of every command in a sentence.
commands()
{
	{
		blocks '```' | sed -n 's/^\(\$ \|sudo \)\?moatctl //p'
		# shellcheck disable=SC2016 # backticks of Markdown
		grep -o '`moatctl [^`]*`' "$top/README.md" | tr -d '`' | sed 's/^moatctl //'
	} | sed -e 's/ *#.*//' -e 's/ [<|].*//' -e 's/"[^"]*"//g' | grep '^[a-z]' | sort -u
}

check_command()
{
	local verb=$1 help word
	shift

	help=$("$build/moatctl" "$verb" --help 2>&1) || {
		say 1 "moatctl $verb is there" "$help"
		return
	}
	for word; do
		case $word in
		--*) grep -qE -- "(^| )$word( |\$)" <<< "$help" ;;
		-?) grep -qE -- "^  $word, " <<< "$help" ;;
		*) continue ;;
		esac || say 1 "moatctl $verb takes what the README gives it" "no $word"
	done
}

while read -r -a words; do
	check_command "${words[@]}"
done < <(commands)
[ "$(commands | wc -l)" -ge 20 ]
say $? "the commands of the README are found" "$(commands)"

missing=$(comm -3 <(grep '^| `moat_' "$top/README.md" | cut -d'|' -f2 | grep -o 'moat_[a-z_]*' | sort -u) \
	<(grep -l "text_metric(" "$top"/user/daemon/*.c | xargs grep -hoE '"moat_[a-z_]+"' | tr -d '"' |
		sed -E 's/_(bucket|sum|count)$//' | sort -u) | tr -d '\t')
[ -z "$missing" ]
say $? "the README has the metrics that moatd has" "$(tr '\n' ' ' <<< "$missing")"
exit $failed
