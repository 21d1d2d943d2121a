#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The alert rules: promtool reads them, each fires when it must and not before
# (moat.rules.test.yml), and each says what it means and what to do.
set -u
cd "$(dirname "$0")/../../user/deploy/prometheus" || exit 1
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

names() { sed -n 's/^ *- alert: //p' moat.rules.yml; }

# The lines of one rule, from its name to the next rule.
rule() { awk -v name="$1" '/^ *- (alert|record|name):/ { on = $3 == name } on' moat.rules.yml; }

# tests_of NAME VALUE: how many ask for the alert and expect that many.
tests_of() { grep -F "alertname=\"$1\"" moat.rules.test.yml | grep -c "value: $2 }"; }

if ! command -v promtool >/dev/null; then
	echo "# SKIP alert rules: promtool is not installed"
	exit 0
fi
promtool check rules moat.rules.yml >/dev/null
say $? "promtool reads the alert rules"
out=$(promtool test rules moat.rules.test.yml 2>&1)
say $? "every alert fires when it must, and none when all is well"
[ $failed = 0 ] || echo "${out//$'\n'/$'\n# '}"
[ "$(names | wc -l)" -ge 20 ]
say $? "there are alerts"
while read -r name; do
	[ "$(tests_of "$name" 1)" -gt 0 ] && [ "$(tests_of "$name" 0)" -gt 0 ]
	say $? "$name has a test that it fires, and one that it does not"
	text=$(rule "$name")
	grep -qE 'severity: (page|ticket) ' <<<"$text" && grep -q ' summary: ' <<<"$text" &&
		grep -q ' description: ' <<<"$text" && grep -q ' runbook: ' <<<"$text"
	say $? "$name says whom it wakes, what it means and what to do"
done < <(names)
exit $failed
