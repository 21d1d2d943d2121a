#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Another configuration while moatd runs: in force at once, what ran before is
# back by itself unless it is confirmed, also when moatd is killed in between.
. "$(dirname "$0")/lib.sh"

LISTED=198.51.100.7
SECRET=hunter2-s3cret

botnet() { config <<< "categories: { botnet: { action: $1 } }"; }
other() { # other ACTION: the same as a file of its own, which is applied
	cp "$LAB/moat.yaml" "$LAB/kept.yaml"
	botnet "$1"
	mv "$LAB/moat.yaml" "$LAB/next.yaml"
	mv "$LAB/kept.yaml" "$LAB/moat.yaml"
}
apply() { moatctl apply "$LAB/next.yaml" "$@" > "$LAB/out" 2>&1; }
state() { status .configuration.state; }
confirmed() { [ "$(state)" = confirmed ]; }
file_says() { grep -q "action: $2" "$LAB/moat.yaml$1"; }
journal_is_gone() { [ ! -e "$DATABASE-apply" ]; }
is_past() { [ "$(($(date +%s%N) / 1000000))" -gt "$1" ]; }
past_deadline() { # waits until what is in the journal is over, with moatd or without
	local until
	until=$(jq .until_boot_ms "$DATABASE-apply")
	boot_is_past() { [ "$(awk '{ printf "%d", $1 * 1000 }' /proc/uptime)" -gt "$1" ]; }
	wait_for "$DEADLINE" boot_is_past "$until"
}
audit() { sql "SELECT verb || ' ' || actor || ' ' || detail FROM audit ORDER BY rowid"; }

lab_up
botnet drop
moat_start
list $LISTED botnet
drops "before it, botnet is dropped" $LISTED

# ---- confirmed ----
other monitor
check "apply --confirm succeeds" apply --confirm 60s
check "and says when it is rolled back, and how to keep it" grep -q "rolls back in .*moatctl confirm" "$LAB/out"
check "and what changes" grep -q "changes .*categories.botnet.action" "$LAB/out"
passes "it is in force before it is confirmed" $LISTED
check "status says unconfirmed" equal unconfirmed "$(state)"
check "as something to act on" contains "unconfirmed, by root, rolls back in" "$(status '.degraded | tostring')"
check "the metric says when it is over" between 30 60 "$(metric moat_config_rollback_seconds)"
check "the file is not touched before it is confirmed" file_says '' drop
check "a second one has to wait" equal 1 "$(apply --confirm 5s; echo $?)"
check "and hears for whom" grep -q "by root is not confirmed yet" "$LAB/out"
kill -HUP "$MOATD_PID"
wait_for "$DEADLINE" grep -q 'reload: nothing changed: .* is not confirmed yet' "$LAB/moatd.log" ||
	not_ok "SIGHUP is refused while something waits"
passes "SIGHUP does not end it" $LISTED
check "confirm keeps it" moatctl confirm
check "the file is what runs" file_says '' monitor
check "the one before is kept" file_says .previous drop
check "nothing is left beside the database" journal_is_gone
check "a second confirm has nothing to do" equal 1 "$(moatctl confirm > /dev/null 2>&1; echo $?)"

# ---- not confirmed ----
other drop
apply --confirm 1s
wait_for "$DEADLINE" confirmed
passes "what is not confirmed in time is rolled back by itself" $LISTED
check "and the file is as it was" file_says '' monitor
other drop
apply --confirm 60s
drops "an applied change acts" $LISTED
check "rollback ends it" moatctl rollback
passes "at once" $LISTED

# ---- kill -9 ----
apply --confirm 60s
moat_end KILL
moat_start
drops "a moatd that is started in time goes on with it" $LISTED
check "and goes on waiting" equal unconfirmed "$(state)"
check "it can be confirmed then" moatctl confirm
check "and becomes the file" file_says '' drop

other monitor
apply --confirm 1s
passes "before the kill it is in force" $LISTED
moat_end KILL
past_deadline
moat_start
drops "a moatd that is started too late begins with what ran before" $LISTED
check "and says so in the audit log" wait_for "$DEADLINE" grep -q "rollback moatd not confirmed in time, moatd was not there" <(
	wait_for "$DEADLINE" journal_is_gone
	audit
)

# ---- another boot: the wall clock is all there is ----
reboot_with() { # reboot_with SECONDS: so far is the deadline on the wall
	moat_end KILL
	jq -c ".boot = \"another\" | .until = (now | floor) + $1" "$DATABASE-apply" > "$LAB/j" &&
		cat "$LAB/j" > "$DATABASE-apply"
	moat_start
}
apply --confirm 60s
reboot_with 40
passes "it outlives a reboot" $LISTED
reboot_with -1
drops "and ends with one that took too long" $LISTED
apply --confirm 60s
reboot_with 100000
drops "a clock that was set back does not keep it" $LISTED

# ---- edited in place ----
botnet monitor
check "the file itself may be applied" moatctl apply "$LAB/moat.yaml" --confirm 1s
passes "and acts" $LISTED
moat_end KILL
past_deadline
moat_start
drops "not confirmed, what ran before is back although the file had changed" $LISTED
check "the file is what runs" file_says '' drop
check "what was edited is kept beside it" file_says .rejected monitor

# ---- at once ----
other monitor
check "without --confirm" apply
check "it is the file at once" file_says '' monitor
passes "and in force" $LISTED
moat_end KILL
moat_start
passes "also after kill -9" $LISTED

# ---- refused ----
refused() { # refused SENTENCE WORDS [OPTIONS]: exit code 1, the words, and nothing changes
	apply "${@:3}"
	check "$1" equal 1 $?
	check "$1: and says why" grep -q -- "$2" "$LAB/out"
}
refused "what changes nothing cannot wait for a confirmation" "nothing to confirm" --confirm 9s
sed 's/action: monitor/action: vanish/' "$LAB/moat.yaml" > "$LAB/next.yaml"
refused "a bad file is refused with line and column" 'configuration:[0-9]*:[0-9]*: .*vanish'
sed -e 's/ipv4: 10000/ipv4: 20000/' -e "s|pins: .*|pins: $PINS-2|" "$LAB/moat.yaml" > "$LAB/next.yaml"
refused "what only a restart can change is refused by name" "capacity, pins cannot be changed while" --confirm 9s
check "no such file is a usage error" equal 2 "$(moatctl apply "$LAB/none" > /dev/null 2>&1; echo $?)"
check "no duration is a usage error" equal 2 "$(apply --confirm soon; echo $?)"
check "nothing of that waits" confirmed
passes "nothing of that acts" $LISTED

# ---- secrets ----
cp "$LAB/moat.yaml" "$LAB/next.yaml"
cat >> "$LAB/next.yaml" << END
feeds: [ { name: partner, url: "https://moat:$SECRET@127.0.0.1:9/list?key=$SECRET", format: plain, category: botnet } ]
END
apply --confirm 60s
check "a key of a feed is named" contains "feeds.partner" "$(audit)"
check "GET config shows the address" contains "https://***@127.0.0.1:9/list?***" \
	"$(api GET /api/v1/config | jq -r '.settings.feeds[0].url')"
moatctl confirm > /dev/null
for place in "$(audit)" "$(api GET /api/v1/config)" "$(status .)" "$(cat "$LAB/moatd.log")"; do
	check "no secret of a configuration is in the audit log, the API or the log" lacks "$SECRET" "$place"
done
check "the journal was not for others to read, and is gone" journal_is_gone

# ---- interfaces ----
in_ns "$IN" ip link add extra0 type veth peer name extra1
in_ns "$IN" ip link set extra0 up
sed 's/{ name: in0/{ name: extra0 }, &/' "$LAB/moat.yaml" > "$LAB/next.yaml"
on_extra() { status '.interfaces | any(.name == "extra0" and .attached)'; }
has_xdp() { in_ns "$IN" ip -o link show dev "$1" | grep -q xdp; }
apply --confirm 1s
check "an interface that is new in it gets the filter" has_xdp extra0
moat_end KILL
past_deadline
moat_start
check "and loses it again, also after kill -9" equal false "$(has_xdp extra0 && echo true || echo false)"
check "the others keep it" has_xdp in0
apply --confirm 1s
wait_for "$DEADLINE" confirmed
check "and by itself" equal false "$(has_xdp extra0 && echo true || echo false)"

check "who applied, what, and what came of it is in the audit log" equal \
	"apply root unless confirmed, for 1m: categories.botnet.action|confirm root categories.botnet.action" \
	"$(audit | grep -E '^(apply|confirm|rollback) ' | head -n 2 | paste -sd'|')"
# ---- a reload while the file is owed what was decided ----
# Its disk is read-only for a while.
disk_of_the_file() { mount -o "remount,$1" "$LAB/disk"; }
moat_end TERM
mkdir "$LAB/disk" && mount -t tmpfs moat-test "$LAB/disk" || fatal "the lab has a disk"
botnet drop
mv "$LAB/moat.yaml" "$LAB/disk/moat.yaml" && ln -s disk/moat.yaml "$LAB/moat.yaml"
moat_start
sed -i 's/action: drop/action: monitor/' "$LAB/disk/moat.yaml"
check "edited in place on a disk of its own" moatctl apply "$LAB/disk/moat.yaml" --confirm 60s
disk_of_the_file ro
check "rolled back while the file cannot be written" moatctl rollback
drops "what ran before is in force" $LISTED
kill -HUP "$MOATD_PID"
not_reloaded() { status '[.degraded[].why] | join(" ")' | grep -q 'is not finished'; }
check "a reload does not bring back what was rolled back" wait_for 3 not_reloaded
drops "which is not in force" $LISTED
disk_of_the_file rw
undone() { grep -q 'action: drop' "$LAB/disk/moat.yaml"; }
check "the file follows as soon as it can" wait_for "$DEADLINE" undone
kill -HUP "$MOATD_PID"
reloaded() { ! not_reloaded; }
check "then a reload is taken" wait_for "$DEADLINE" reloaded
drops "and nothing is lost by it" $LISTED

check_counted
finish
