#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The dashboard's files: what is from elsewhere is as it was published, what is
# ours asks nobody else, and makes no markup of text.
set -u
web=$(cd "$(dirname "$0")/../../user/web" && pwd)
failed=0

# check SENTENCE FINDINGS: ok if there are none
check()
{
	if [ -z "$2" ]; then
		echo "ok - $1"
	else
		echo "not ok - $1"
		printf '%s\n' "$2" | sed 's/^/#   /'
		failed=1
	fi
}

# sha256sum's own format stands behind the blank line of each ORIGIN.
published()
{
	local origin file
	for origin in "$web"/vendor/*/ORIGIN; do
		(cd "${origin%/*}" && grep -E '^[0-9a-f]{64}  ' ORIGIN | sha256sum --check --quiet 2>&1)
		for file in "${origin%/*}"/*; do
			[ "$file" = "$origin" ] || grep -qF "  ${file##*/}" "$origin" || echo "$file: no hash stands in ORIGIN"
		done
	done
}

ours() { grep -nE "$1" "$web"/*.js "$web"/*.html "$web"/*.css "$web"/*.svg | sed "s|^$web/||"; }

check "what is from elsewhere is as it was published" "$(published)"
check "no other host is named" "$(ours 'https?://|["(]//[a-z0-9]' | grep -v 'http://www.w3.org/2000/svg')"
check "no text becomes markup or code" \
	"$(ours 'innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function|srcdoc|javascript:')"
check "no script and no style stands in a page" "$(ours '<script>|<style|[^-]style=|[[:space:]]on[a-z]+="')"
check "no secret is kept longer than the tab" "$(ours 'document\.cookie|localStorage\.setItem\((TOKEN|"moat-token)|indexedDB')"
check "every file is asked for by another" "$(for file in "$web"/*.js "$web"/*.css "$web"/*.svg "$web"/vendor/*/*.js "$web"/vendor/*/*.css; do
	grep -qF "${file##*/}" "$web"/*.html "$web"/*.js || echo "$file"
done)"
exit $failed
