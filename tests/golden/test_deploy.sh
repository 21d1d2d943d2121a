#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The service and its files: the unit is one and is tight, what is installed is
# what it starts, the tarball is the same bytes every time.
set -u
here=$(cd "$(dirname "$0")" && pwd)
top=$here/../..
build=$(realpath "${BUILD:-$top/build}")
unit=$top/user/deploy/systemd/moatd.service
worst=20 # of systemd-analyze security, in tenths: 0 is best, 100 none
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

why=$("$build/moatd" -c "$top/user/deploy/moat.yaml" -n 2>&1)
say $? "the configuration that is installed is good" "$why"

if command -v scdoc >/dev/null; then
	for round in 1 2; do
		make -s -C "$top" BUILD="$build" install PREFIX=/usr DESTDIR="$made/root$round" >/dev/null 2>"$made/why" || break
	done
	[ -x "$made/root2/usr/sbin/moatd" ] && [ -s "$made/root2/usr/share/man/man5/moat.yaml.5" ]
	say $? "make install installs programs and man pages" "$(cat "$made/why")"
	why=$(diff -r "$made/root1" "$made/root2" 2>&1)
	say $? "twice the same" "$why"
	echo 'interfaces: [ { name: mine } ]' >"$made/root2/etc/moat/moat.yaml"
	make -s -C "$top" BUILD="$build" install PREFIX=/usr DESTDIR="$made/root2" >/dev/null
	grep -q mine "$made/root2/etc/moat/moat.yaml"
	say $? "a configuration that is there is left alone"
else
	echo "# SKIP make install: scdoc is not installed"
fi

if command -v systemd-analyze >/dev/null; then
	tenths=$(systemd-analyze security --offline=yes --no-pager "$unit" 2>/dev/null |
		sed -n 's/.*Overall exposure level[^:]*: \([0-9]*\)\.\([0-9]\).*/\1\2/p')
	[ -n "$tenths" ] && [ "$tenths" -le $worst ]
	say $? "the unit's exposure is ${tenths%?}.${tenths#"${tenths%?}"}, at most ${worst%?}.${worst#"${worst%?}"}"
	# Of programs that are not installed here it also complains.
	why=$(systemd-analyze verify --man=no "$unit" 2>&1 | grep moatd.service | grep -v 'Command /usr/sbin/moatd is not executable')
	[ -z "$why" ]
	say $? "the unit is one" "$why"
	install -D -m 644 "$unit" "$made/units/moatd.service"
	install -D -m 644 "$top/user/deploy/systemd/chain.conf" "$made/units/moatd.service.d/chain.conf"
	why=$(systemd-analyze verify --man=no "$made/units/moatd.service" 2>&1 | grep -E 'chain.conf|moatd.service' |
		grep -v 'Command /usr/sbin/moatd is not executable')
	[ -z "$why" ]
	say $? "so is what goes beside it for libxdp" "$why"
else
	echo "# SKIP the unit: systemd-analyze is not installed"
fi

if [ -e "$top/.git" ]; then
	for round in 1 2; do
		make -s -C "$top" BUILD="$made/$round" dist >/dev/null 2>"$made/why"
	done
	sums=$(sha256sum "$made"/[12]/dist/*.tar.gz | cut -d' ' -f1 | uniq | wc -l)
	[ "$sums" = 1 ] && [ "$(tar -tf "$made"/1/dist/*.tar.gz | grep -c '/Makefile$')" = 1 ]
	say $? "the tarball is the same bytes twice" "$(cat "$made/why")"
else
	echo "# SKIP the tarball: this is no checkout"
fi
exit $failed
