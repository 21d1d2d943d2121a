#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The Debian package in a fresh Debian of its own: installs, starts as its unit
# says, upgrades under traffic, is removed and purged without a trace.
#
# That Debian is made once and kept in build/chroot; without a mirror the test is skipped.
# shellcheck disable=SC2034 # read by the lab
. "$(dirname "$0")/lib.sh"

UNIT=lib/systemd/system/moatd.service
FREE_MB=900 # of the disk, for a Debian

in_deb() { in_ns "$IN" chroot "$DEB" "$@"; } # a command of that Debian, on the wire's end
unit() { sed -n "s/^$1=//p" "$DEB/$UNIT"; }
xdp() { in_ns "$IN" ip -j -d link show in0 | jq -r '.[0].xdp.prog.id // "none"'; }
tc_programs() { in_ns "$IN" sh -c 'tc filter show dev in0 ingress; tc filter show dev in0 egress' 2> /dev/null | grep -c moat_; }

# What is there, but for what dpkg and the tools of accounts note of themselves.
inventory() {
	(cd "$DEB" && find . -xdev \( -path ./proc -o -path ./sys -o -path ./var/lib/dpkg -o -path ./var/log \
		-o -path ./var/cache -o -path ./tmp -o -name '.pwd.lock' -o -path './etc/*-' \) -prune -o -print) | sort
	sort "$DEB/etc/passwd" "$DEB/etc/group"
}

packages() { # that the package depends on, the first of alternatives
	dpkg-deb -f "$1" Depends | tr ',' '\n' | sed 's/[|(].*//; s/ //g'
	printf '%s\n' systemd iproute2
}

debian_up() {
	local list base
	list=$(packages "$PACKAGE" | sort -u | paste -sd,)
	base=$BUILD/chroot/$(cksum <<< "$list" | cut -d' ' -f1).tar
	DEB=$LAB/debian
	mkdir -p "$BUILD/chroot" "$DEB"
	if [ ! -s "$base" ]; then
		note "making a Debian: $list"
		debootstrap --variant=minbase --include="$list" bookworm "$DEB" > "$LAB/debootstrap.log" 2>&1 || {
			skip "the Debian package" "debootstrap failed: $(tail -n 1 "$LAB/debootstrap.log")"
			finish
		}
		rm -rf "$DEB"/var/cache/apt/archives/*.deb "$DEB"/var/lib/apt/lists/*
		tar -C "$DEB" -cf "$base.part" . && mv "$base.part" "$base"
	else
		tar -C "$DEB" -xf "$base"
	fi
	mount -t proc proc "$DEB/proc"
	in_ns "$IN" mount -t sysfs sysfs "$DEB/sys" # of its own: what is mounted in it is not seen in others
	mount -t bpf -o mode=700 bpf "$DEB/sys/fs/bpf" # as a service manager does
	PINS=$DEB/sys/fs/bpf/moat SOCKET=$DEB/run/moat/moatd.sock DATABASE=$DEB/var/lib/moat/moat.db
}

debian_down() {
	local at
	[ -z "$MOATD_PID" ] || moat_end KILL
	for at in sys/fs/bpf sys proc; do umount "$DEB/$at" 2> /dev/null; done
	lab_down
}

# unit_start: what the unit says, as a service manager would do it.
unit_start() {
	local caps writable dir
	for dir in lib run log; do
		install -d -o "$(id_of moat)" -g "$(awk -F: '$1 == "moat" { print $3 }' "$DEB/etc/group")" -m "$([ $dir = run ] && echo 755 || echo 750)" \
			"$DEB/$([ $dir = run ] || echo var/)$dir/moat"
	done
	caps=$(unit AmbientCapabilities | tr 'A-Z ' 'a-z,' | sed 's/cap_/+/g')
	# shellcheck disable=SC2046 # words
	in_deb $(unit ExecStartPre | sed 's/^+//') > "$LAB/prepare.log" 2>&1 ||
		fatal "the unit's preparation: $(cat "$LAB/prepare.log")"
	writable="sys/fs/bpf/moat etc/moat var/lib/moat var/log/moat run/moat tmp"
	# shellcheck disable=SC2016,SC2046 # of the inner shell; words
	in_ns_exec "$IN" unshare --mount sh -c '
		root=$1 user=$2 caps=$3 writable=$4
		shift 4
		mount --make-rprivate / && mount --rbind "$root" "$root" || exit 9
		for at in $writable; do mount --bind "$root/$at" "$root/$at" || exit 9; done
		mount -o remount,bind,ro "$root" || exit 9
		exec chroot "$root" setpriv --reuid "$user" --regid "$user" --init-groups --no-new-privs \
			--bounding-set "-all,$caps" --inh-caps "-all,$caps" --ambient-caps "-all,$caps" "$@"' \
		sh "$DEB" "$(unit User)" "$caps" "$writable" $(unit ExecStart) >> "$LAB/moatd.log" 2>&1 &
	MOATD_PID=$!
	wait_for "$DEADLINE" "${1:-in_force}" || fatal "moatd starts as its unit says: $(tail -n 3 "$LAB/moatd.log")"
}
id_of() { awk -F: -v name="$1" '$1 == name { print $3 }' "$DEB/etc/passwd"; }

installs() {
	check "the package installs" in_deb dpkg -i /tmp/moat.deb
	check "it makes the account" [ -n "$(id_of moat)" ]
	check "its configuration is good" in_deb moatd -n
	check "and not for all to read" equal '660 root moat' "$(in_deb stat -c '%a %U %G' /etc/moat/moat.yaml)"
	unit_start answers
	check "it starts" answers
	check "and filters nothing yet" equal none "$(xdp)"
	check "which the status says" contains edit-moat.yaml "$(moatctl status)"
	moat_end TERM
	sed -i 's/edit-moat.yaml.*/in0/; s/enforce: false/enforce: true/' "$DEB/etc/moat/moat.yaml"
	unit_start
	list 198.51.100.7 botnet
	drops "with an interface in its configuration it filters" 198.51.100.7
	passes "others pass" 192.0.2.77
	check "it runs as its account" equal "$(id_of moat)" "$(awk '/^Uid:/ { print $2 }' "/proc/$MOATD_PID/status")"
	check "with three capabilities" equal 000000c000001000 "$(awk '/^CapEff:/ { print $2 }' "/proc/$MOATD_PID/status")"
	check "its socket is its group's" equal '660 moat moat' "$(in_deb stat -c '%a %U %G' /run/moat/moatd.sock)"
	check "the audit log is sealed" wait_for "$DEADLINE" moatctl audit --verify
	check "what it cannot write is nothing it wants" lacks 'may not write' "$(cat "$LAB/moatd.log")"
}

upgrades() {
	dpkg-deb -R "$PACKAGE" "$LAB/next"
	sed -i 's/^Version: .*/&+next/' "$LAB/next/DEBIAN/control"
	dpkg-deb --root-owner-group -b "$LAB/next" "$DEB/tmp/next.deb" > /dev/null
	receive_start
	stream_start 198.51.100.7 192.0.2.77 --rate 1000
	check "the next version installs over it" in_deb dpkg -i /tmp/next.deb
	moat_end TERM
	unit_start
	stream_stop
	receive_stop
	check "no packet of a listed source came through meanwhile" equal 0 "$(got 198.51.100.7)"
	check "and no other was lost" equal $((LAST_SENT / 2)) "$(got 192.0.2.77)"
	check_counted "every packet was counted over the upgrade"
	check "what was edited in the configuration stays" contains 'name: in0' "$(cat "$DEB/etc/moat/moat.yaml")"
}

removes() {
	check "the package is removed while moatd runs" in_deb dpkg -r moat
	check "which takes the filter off" equal none "$(xdp)"
	moat_end TERM
	check "the list is kept" [ -s "$DATABASE" ]
	check "and the configuration" [ -s "$DEB/etc/moat/moat.yaml" ]
}

purges() {
	check "it installs again" in_deb dpkg -i /tmp/moat.deb
	unit_start
	SENT=0 # its counters start anew
	drops "the list is in force again" 198.51.100.7
	moat_end KILL
	check "moatd is dead, the filter is not" [ "$(xdp)" != none ]
	check "the package is purged" in_deb dpkg --purge moat
	check "no program is left on the interface" equal none "$(xdp)"
	check "nor a tc program" equal 0 "$(tc_programs)"
	check "nor a pin" [ ! -e "$PINS" ]
	inventory > "$LAB/after"
	check "nor a file, nor an account" equal '' "$(diff "$LAB/before" "$LAB/after")"
}

for program in debootstrap dh lintian; do
	command -v $program > /dev/null || { skip "the Debian package" "$program is not installed" && finish; }
done
lab_up
[ "$(df -m --output=avail "$LAB" | tail -n 1)" -gt $FREE_MB ] || { skip "the Debian package" "no room for a Debian" && finish; }
mkdir "$LAB/package"
PACKAGE=$(BUILT=$BUILD make -s -C "$ROOT" BUILD="$LAB/package" deb | tail -n 1)
[ -s "$PACKAGE" ] || fatal "the package builds"
ok "the package builds"
check "lintian finds nothing" lintian --allow-root --fail-on error,warning "$PACKAGE"
debian_up
trap debian_down EXIT
cp "$PACKAGE" "$DEB/tmp/moat.deb"
inventory > "$LAB/before"
installs
upgrades
removes
purges
finish
