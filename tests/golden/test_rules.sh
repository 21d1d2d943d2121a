#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The checks of the tree find what they are for: every file of a bad sample,
# nothing in a good one (tests/golden/rules/RULE/good and bad).
set -u
here=$(cd "$(dirname "$0")" && pwd)
tools=$here/../../tools
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
failed=0

say()
{
	if [ "$1" = 0 ]; then
		echo "ok - $2"
	else
		echo "not ok - $2"
		failed=1
	fi
}

run()
{
	if [ "$1" = layers ]; then
		"$tools/check-layers" "$2"
	else
		"$tools/check-rules" -r "$1" "$2"
	fi
}

# Every C file and script of a bad sample but those that set the scene has a finding.
every_file_found()
{
	local file

	while read -r file; do
		case $file in
		include/moat/reason.h | README.md) continue ;;
		esac
		grep -qF "$file" <<<"$2" || return 1
	done < <(cd "$1" && find . -type f -printf '%P\n')
}

test_rule()
{
	local rule=$1 samples=$2 out

	out=$(run "$rule" "$samples/good" 2>&1) && [ -z "$out" ]
	say $? "rule $rule: nothing is found in a good sample"
	! out=$(run "$rule" "$samples/bad" 2>&1) && every_file_found "$samples/bad" "$out"
	say $? "rule $rule: a bad sample is found"
}

# Samples that are long.
lines()
{
	local file=$made/$1
	mkdir -p "$(dirname "$file")"
	{
		echo '// SPDX-License-Identifier: BSD-2-Clause'
		printf 'int f(void)\n{\n'
		yes '	f();' | head -n "$2"
		printf '}\n'
		yes '/* more */' | head -n "$3"
	} >"$file"
}
lines function/good/user/core/long.c 120 1
lines function/bad/user/core/long.c 121 1
lines file/good/user/core/long.c 100 496
lines file/bad/user/core/long.c 100 497

for samples in "$here"/rules/* "$made"/*; do
	test_rule "$(basename "$samples")" "$samples"
done

rules=$(sed -n 's/^readonly RULES="\(.*\)"$/\1/p' "$tools/check-rules")
for rule in $rules; do
	[ -d "$here/rules/$rule" ] || [ -d "$made/$rule" ] || say 1 "rule $rule has samples"
done
exit $failed
