#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The man pages say what there is and nothing else: every verb and option of
# --help, every key of the configuration, every column of the tables.
set -u
here=$(cd "$(dirname "$0")" && pwd)
top=$here/../..
build=$(realpath "${BUILD:-$top/build}")
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

for program in scdoc mandoc; do
	command -v $program >/dev/null || { echo "# SKIP the man pages: $program is not installed"; exit 0; }
done
for source in "$top"/user/man/*.scd; do
	page=$(basename "$source" .scd)
	"$top/user/man/page" "$build" "$source" | scdoc 2>"$made/why" | "$top/user/man/tidy" >"$made/$page"
	why=$(cat "$made/why"; mandoc -Tlint -Wwarning "$made/$page" 2>&1)
	[ -s "$made/$page" ] && [ -z "$why" ]
	say $? "$page is a man page" "$why"
	MANWIDTH=1000 mandoc -Tascii -Owidth=1000 "$made/$page" | col -bx >"$made/$page.txt"
done

# terms PAGE: the options that stand as terms, a word each.
terms() { grep -oE '^ +(-[a-zA-Z], )?--?[a-z][a-z-]*' "$1" | grep -oE -- '-{1,2}[a-zA-Z][a-z-]*' | sort -u; }
helps()
{
	"$build/moatctl" --help
	"$build/moatctl" --help | sed -n '/^  -/q; s/^  \([a-z][a-z-]*\) .*/\1/p' >"$made/verbs"
	while read -r verb; do "$build/moatctl" "$verb" --help; done <"$made/verbs"
}
helps >"$made/help"
differ=$(diff <(grep -oE '^ +(-[a-zA-Z], )?--[a-z-]+' "$made/help" | grep -oE -- '-{1,2}[a-zA-Z][a-z-]*' | sort -u) <(terms "$made/moatctl.8.txt"))
[ -z "$differ" ] && [ "$(terms "$made/moatctl.8.txt" | wc -l)" -ge 30 ]
say $? "moatctl(8) has the options of every verb" "$differ"
differ=$(diff "$made/verbs" <(sed -n 's/^   \([a-z][a-z-]*\)$/\1/p' "$made/moatctl.8.txt"))
[ -z "$differ" ] && [ "$(wc -l <"$made/verbs")" -ge 15 ]
say $? "moatctl(8) has every verb" "$differ"
differ=$(diff <("$build/moatd" --help | grep -oE '^ +-[a-zA-Z], --[a-z-]+' | grep -oE -- '-{1,2}[a-zA-Z][a-z-]*' | sort -u) \
	<(terms "$made/moatd.8.txt"))
say $((${#differ} > 0)) "moatd(8) has every option" "$differ"

# What the code knows as a key; test_readme.sh asks moatd whether the README has all of them.
missing=$(sed -n '/^```yaml/,/^```$/p' "$top/README.md" | grep -oE '[a-z][a-z0-9_]*:' | sort -u | while read -r key; do
	grep -qE "(^|[^a-z_])$key" <(sed -n '/^KEYS/,/^EXAMPLE/p' "$made/moat.yaml.5.txt") || echo "$key"
done)
say $((${#missing} > 0)) "moat.yaml(5) has every key of the configuration" "$missing"
awk '/^```/ { inside = !inside; on = inside && $0 == "```yaml"; next } on' "$top/README.md" >"$made/readme.yaml"
sed -n '/^EXAMPLE/,/^SEE ALSO/p' "$made/moat.yaml.5.txt" >"$made/example"
missing=$(while IFS= read -r line; do grep -qF -- "$line" "$made/example" || echo "$line"; done <"$made/readme.yaml")
say $((${#missing} > 0)) "and the whole block of the README" "$missing"

columns=$(sed -n '/^const char schema_tables/,/^const char schema_triggers/p' "$top/user/store/schema.c" |
	sed 's/--.*//' | grep -oE '\b[a-z_]+ +(TEXT|INTEGER)' | sed 's/ .*//' | sort -u)
missing=$(for column in $columns; do grep -qw "$column" "$made/moat-sql.7.txt" || echo "$column"; done)
[ -z "$missing" ] && [ "$(wc -w <<<"$columns")" -ge 20 ]
say $? "moat-sql(7) has every column of the tables" "$missing"
exit $failed
