#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The RPM package: builds, and installs into a directory what "make install" does.
. "$(dirname "$0")/lib.sh"

for program in rpmbuild rpm scdoc; do
	command -v $program > /dev/null || { skip "the RPM package" "$program is not installed" && finish; }
done
LAB=$(mktemp -d "${TMPDIR:-/tmp}/moat-e2e-XXXXXX") || exit 1
trap 'rm -rf "$LAB"' EXIT
mkdir "$LAB/package"
PACKAGE=$(BUILT=$BUILD make -s -C "$ROOT" BUILD="$LAB/package" rpm | tail -n 1)
[ -s "$PACKAGE" ] || fatal "the package builds"
ok "the package builds"
rpm --root "$LAB/root" --initdb
check "it installs" rpm --root "$LAB/root" -i --nodeps --noscripts --nosignature "$PACKAGE"
make -s -C "$ROOT" BUILD="$BUILD" install PREFIX=/usr DESTDIR="$LAB/installed" \
	UNITDIR=/usr/lib/systemd/system COMPLETE_ZSH=/usr/share/zsh/site-functions > /dev/null
listed() { (cd "$1" && find . -type f ! -path './var/*' ! -path './root/*' ! -path './usr/share/doc/*' ! -path './usr/share/licenses/*' ! -path './usr/lib/.build-id/*') | sed 's/\.gz$//' | sort; }
check "its files are those of make install" equal '' "$(diff <(listed "$LAB/root") <(listed "$LAB/installed"))"
check "the configuration is one, and not replaced" \
	contains '/etc/moat/moat.yaml' "$(rpm -qp --nosignature --configfiles "$PACKAGE")"
check "it is not for all to read" contains '-rw-rw----' "$(rpm -qp --nosignature -lv "$PACKAGE" | grep moat.yaml$)"
check "removed, it takes the filter off" contains 'moatctl detach' "$(rpm -qp --nosignature --scripts "$PACKAGE")"
finish
