#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What moatd gives up, and that everything works without it: as root, as a user
# that root became, and as a user whom a service manager gave its capabilities.
# shellcheck disable=SC2034 # SENT, SOCKET are read by the lab
. "$(dirname "$0")/lib.sh"

ME=daemon # an account of every Debian
KEPT=000000c000001000 # CAP_NET_ADMIN, CAP_PERFMON, CAP_BPF

of_moatd() { awk -v key="$1:" '$1 == key { print $2 }' "/proc/$MOATD_PID/status"; }
caps() { of_moatd "Cap$1"; }

write_config() { # write_config [LINE]
	config <<- END
		categories: { botnet: { action: drop }, spam: { action: drop } }
		$1
		feeds: [ { name: disk, url: "file://$LAB/disk.txt", category: spam, every: 12h } ]
	END
}

works() { # works WHO: all that moatd does after it gave its rights up
	list 198.51.100.7 botnet
	drops "$1: a listing is in force" 198.51.100.7
	wait_for "$DEADLINE" status_is '.listings.live // empty' 2
	drops "$1: a feed was read" 203.0.113.77
	passes "$1: others pass" 192.0.2.77
	check "$1: an interface is taken off" moatctl detach in0
	check "$1: and put on again" moatctl attach in0
	SENT=0 # its counters start anew
	drops "$1: then it filters" 198.51.100.7
	check "$1: pause" moatctl pause
	check "$1: resume" moatctl resume
	kill -HUP "$MOATD_PID"
	check "$1: the configuration is read again" wait_for "$DEADLINE" grep -q 'reload.*by moatd' "$LAB/moatd.log"
	check "$1: the audit log is sealed" wait_for "$DEADLINE" moatctl audit --verify
	check "$1: nothing is degraded" status_is .state ok
	check "$1: nothing is amiss in its log" lacks 'may not write' "$(cat "$LAB/moatd.log")"
}

again() { # another moatd on the same pins
	moat_end TERM
	: > "$LAB/moatd.log"
}

as_root() {
	write_config ''
	moat_start
	check "root: only these capabilities are left" equal 000000c0002011eb "$(caps Eff)"
	check "root: no others can come back" equal 000000c0002011eb "$(caps Bnd)"
	check "root: no new privileges" equal 1 "$(of_moatd NoNewPrivs)"
	check "root: system calls are filtered" equal 2 "$(of_moatd Seccomp)"
	list 198.51.100.7 botnet # every other wire test shows that all works as root
	drops "root: a listing is in force" 198.51.100.7
	again
}

as_user() {
	write_config "user: $ME"
	moat_launch
	wait_for "$DEADLINE" answers || fatal "moatd starts as a user"
	check "user: what was made as root is said" \
		contains "chown -R $ME: $LAB" "$(cat "$LAB/moatd.log")"
	again
	chown -R "$ME": "$LAB"
	moat_start
	check "user: it is another user" equal "$(id -u $ME)" "$(of_moatd Uid)"
	check "user: three capabilities are left" equal $KEPT "$(caps Eff)"
	for set in Inh Bnd Amb; do
		check "user: none are ${set,,}" equal 0000000000000000 "$(caps $set)"
	done
	check "user: pins that root made are its own" equal '' "$(find "$PINS" ! -user "$ME")"
	drops "user: what was in force still is" 198.51.100.7
	unlist 198.51.100.7
	works user
	moat_end KILL
	receive_start
	send 198.51.100.7 192.0.2.77 --count 20
	receive_stop
	check "user: killed, the filter stays in force" equal "0 10" "$(got 198.51.100.7) $(got 192.0.2.77)"
	: > "$LAB/moatd.log"
}

# Who got into moatd may write beside the database, also what waits to be confirmed.
with_a_forged_journal() {
	SENT=0
	mkdir "$LAB/etc"
	write_config "user: $ME"
	mv "$LAB/moat.yaml" "$LAB/etc/moat.yaml"
	ln -s etc/moat.yaml "$LAB/moat.yaml"
	jq -n --rawfile was "$LAB/etc/moat.yaml" '{ moat_apply: 1, state: "confirmed", was: $was,
		next: ($was | gsub("user: [a-z]*\n"; "")), actor: "root", origin: "moatctl", seconds: 60,
		until: 0, until_boot_ms: 0, boot: "", attached: [] }' > "$DATABASE-apply"
	chown "$ME": "$DATABASE-apply"
	moat_start
	check "forged journal: the configuration of root is as it was" grep -q "^user: $ME" "$LAB/etc/moat.yaml"
	check "forged journal: moatd is not root" equal "$(id -u $ME)" "$(of_moatd Uid)"
	check "forged journal: what cannot be done is said" contains configuration "$(status '[.degraded[].what] | join(" ")')"
	again
	rm -r "${LAB:?}/etc" "$LAB/moat.yaml" "$DATABASE-apply"
}

# The BPF file system as a service manager mounts it, closed to others.
in_a_closed_directory() {
	rm -rf "$PINS"
	SENT=0
	mkdir -m 700 "$PINS"
	PINS=$PINS/closed write_config "user: $ME"
	moat_start
	check "a closed directory above the pins is opened to the group" \
		equal "root:$ME 710" "$(stat -c '%U:%G %a' "$PINS")"
	check "and to nobody else's" equal "$ME:$ME 700" "$(stat -c '%U:%G %a' "$PINS/closed")"
	list 198.51.100.9 botnet
	drops "pins in a closed directory: a listing is in force" 198.51.100.9
	again
	rm -rf "$PINS"
}

# As systemd does it: never root, no way up, the system read-only.
by_a_manager() {
	SENT=0
	# The account may write the configuration that root prepares by: root makes nothing else for it.
	SOCKET=$LAB/made/moatd.sock DATABASE=$LAB/made-too/moat.db write_config "user: $ME"
	"$MOATD" -c "$LAB/moat.yaml" --prepare 2> /dev/null
	check "manager: no directory is made for a path of the configuration" \
		equal '' "$(find "$LAB" -maxdepth 1 -name 'made*')"
	mkdir "$LAB/empty"
	PINS=$LAB/empty write_config "user: $ME"
	check "manager: nothing but pins is handed over" equal 2 \
		"$("$MOATD" -c "$LAB/moat.yaml" --prepare 2> "$LAB/out"; echo $?)"
	check "manager: and it says where they may be" contains "/sys/fs/bpf" "$(cat "$LAB/out")"
	check "manager: the directory is root's, and nothing is mounted there" equal "root not" \
		"$(stat -c %U "$LAB/empty") $(mountpoint -q "$LAB/empty" || echo not)"
	mountpoint -q "$LAB/empty" && umount "$LAB/empty"
	write_config "user: $ME"
	check "manager: what it needs is handed over" "$MOATD" -c "$LAB/moat.yaml" --prepare
	in_ns_exec "$IN" setpriv --reuid "$ME" --regid "$ME" --clear-groups --no-new-privs \
		--inh-caps=-all,+bpf,+net_admin,+perfmon --ambient-caps=-all,+bpf,+net_admin,+perfmon \
		--bounding-set=-all,+bpf,+net_admin,+perfmon "$MOATD" -c "$LAB/moat.yaml" >> "$LAB/moatd.log" 2>&1 &
	MOATD_PID=$!
	wait_for "$DEADLINE" in_force || fatal "moatd starts where it is never root"
	check "manager: three capabilities are left" equal $KEPT "$(caps Eff)"
	check "manager: none are ambient" equal 0000000000000000 "$(caps Amb)"
	sql "DELETE FROM listing WHERE feed = 'test'"
	works manager
	again
}

refusals() {
	write_config 'user: nosuchuser'
	refuses "an account that is not there is an error" 2 "user 'nosuchuser'" 'useradd'
	write_config 'user: games'
	AS_USER="setpriv --reuid $ME --clear-groups" \
		refuses "who is not root cannot become another" 2 "user 'games'" 'cannot become'
}

lab_up
SOCKET=$LAB/run/moatd.sock # of a directory of its own, as in /run
chmod 711 "$LAB"
echo 203.0.113.77 > "$LAB/disk.txt"
as_root
as_user
with_a_forged_journal
in_a_closed_directory
by_a_manager
refusals
finish
