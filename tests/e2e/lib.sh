# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# The lab of the wire tests: two network namespaces joined by a veth pair,
# moatd on one end, build/traffic on the other.
#
#	. "$(dirname "$0")/lib.sh"
#	lab_up
#	config <<< 'categories: { botnet: { action: drop } }'
#	moat_start
#	list 198.51.100.7 botnet
#	drops "a listed source is dropped" 198.51.100.7
#	finish
#
# Frames go out0 (namespace $OUT) -> in0 (namespace $IN, where moatd is).
# Nothing but build/traffic sends towards in0, so counters are exact: out0 has
# no address and no IPv6, both ends have no ARP.
#
# Every name is derived from the process, so tests run beside each other. All
# that a test made is removed when it ends, however it ends. Needs root.
# KEEP_LAB=1 leaves the directory with logs. MOAT_USER=daemon: moatd as that user.
#
# Output: "ok - SENTENCE", "not ok - SENTENCE", "# SKIP SENTENCE: WHY"; other
# lines begin with "# ". Exit code 1 if anything is not ok.
set -u
export LC_ALL=C

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=${BUILD:-$ROOT/build}
# shellcheck disable=SC2034 # read by tests
SHARED=$ROOT/../shared
MOATD=$BUILD/moatd
MOATCTL=$BUILD/moatctl
TRAFFIC=$BUILD/traffic

DEADLINE=30 # seconds that a condition may take; none should take more than one
TICK=0.02   # seconds between two looks at a condition

TO4=10.99.0.1
TO6=2001:db8:99::1
IN_MAC=02:00:00:00:99:01
OUT_MAC=02:00:00:00:99:02

PASSED=0 FAILED=0 SKIPPED=0
LAB='' IN='' OUT='' PINS='' SOCKET='' DATABASE=''
MOATD_PID='' RECEIVER_PID='' SENT=0
exec {SILENCE}<> <(:) # nothing ever comes from it: what wait_for waits on

# ---- saying what happened ----

note() { printf '# %s\n' "$@"; }
ok() { PASSED=$((PASSED + 1)) && printf 'ok - %s\n' "$1"; }

not_ok() {
	FAILED=$((FAILED + 1))
	printf 'not ok - %s\n' "$1"
	shift
	(($#)) && printf '%s\n' "$@" | sed 's/^/#   /'
	[ -s "$LAB/moatd.log" ] && tail -n 8 "$LAB/moatd.log" | sed 's/^/#   moatd: /'
	return 0
}

skip() { SKIPPED=$((SKIPPED + 1)) && printf '# SKIP %s: %s\n' "$1" "$2"; }

# check SENTENCE COMMAND...: ok if the command succeeds.
check() {
	local sentence=$1 output
	shift
	if output=$("$@" 2>&1); then ok "$sentence"; else not_ok "$sentence" "failed: $*" "$output"; fi
}

# equal WANTED GOT, contains WORD TEXT, between LOW HIGH GOT: for check.
equal() { [ "$1" = "$2" ] || { echo "wanted '$1', got '$2'" && return 1; }; }
contains() { [[ $2 == *"$1"* ]] || { echo "no '$1' in: $2" && return 1; }; }
lacks() { [[ $2 != *"$1"* ]] || { echo "'$1' in: $2" && return 1; }; }
between() {
	awk -v l="$1" -v h="$2" -v g="$3" 'BEGIN { exit !(g >= l && g <= h) }' ||
		{ echo "wanted $1..$2, got $3" && return 1; }
}

# fatal WHY: the test cannot go on.
fatal() {
	not_ok "$1"
	exit 1
}

finish() {
	printf '1..%d\n' $((PASSED + FAILED))
	exit $((FAILED > 0))
}

# wait_for SECONDS COMMAND...: until it succeeds; 1 if it does not in time.
wait_for() {
	local end=$((SECONDS + $1 + 1))
	shift
	until "$@" > /dev/null 2>&1; do
		((SECONDS < end)) || return 1
		read -rt "$TICK" -u "$SILENCE"
	done
	return 0
}

# fetch_by_hand FEED: once no other list of it is under way; what it said is in $LAB/out.
fetch_by_hand() {
	wait_for "$DEADLINE" answered_fetch "$1"
	return "$FETCHED"
}
answered_fetch() {
	moatctl feeds fetch "$1" > "$LAB/out" 2>&1
	FETCHED=$?
	! grep -qE 'is under way$|try again$' "$LAB/out"
}

now_us() { echo "${EPOCHREALTIME/./}"; }

# ---- the lab ----

in_ns() { # in_ns NAMESPACE COMMAND...
	local name=$1
	shift
	# Not "ip netns exec": that hides the bpffs behind a new /sys.
	nsenter --net=/run/netns/"$name" "$@"
}

# The same in place of the shell: for the background, where $! is to be the command.
in_ns_exec() { exec nsenter --net=/run/netns/"$1" "${@:2}"; }

wire_up() { # makes the veth pair; again after wire_down
	ip link add out0 netns "$OUT" address "$OUT_MAC" mtu "${MTU:-1500}" type veth \
		peer name in0 netns "$IN" address "$IN_MAC" mtu "${MTU:-1500}" || fatal "the lab has a veth pair"
	in_ns "$OUT" sh -c 'echo 1 > /proc/sys/net/ipv6/conf/out0/disable_ipv6
		ethtool -K out0 tx off rxvlan off txvlan off gro off tso off gso off > /dev/null
		ip link set lo up && ip link set out0 arp off up'
	in_ns "$IN" sh -c 'echo 0 > /proc/sys/net/ipv6/conf/in0/accept_dad
		ethtool -K in0 tx off rxvlan off txvlan off gro off tso off gso off > /dev/null
		ip link set lo up && ip link set in0 arp off up && ip addr add "$1"/24 dev in0' sh "$TO4"
}

wire_down() { in_ns "$IN" ip link del in0; }

lab_up() {
	[ "$(id -u)" = 0 ] || fatal "wire tests run as root"
	for program in "$MOATD" "$MOATCTL" "$TRAFFIC"; do
		[ -x "$program" ] || fatal "$program is built"
	done
	LAB=$(mktemp -d "${TMPDIR:-/tmp}/moat-e2e-XXXXXX") || exit 1
	trap lab_down EXIT
	trap 'exit 1' INT TERM HUP
	[ -z "${MOAT_USER:-}" ] || chown "$MOAT_USER": "$LAB"
	IN=moat-$$-in OUT=moat-$$-out PINS=/sys/fs/bpf/moat-test-$$
	SOCKET=$LAB/moatd.sock DATABASE=$LAB/moat.db
	ip netns add "$IN" && ip netns add "$OUT" || fatal "the lab has two network namespaces"
	wire_up
}

lab_down() {
	local job
	trap - EXIT
	for job in $(jobs -p); do kill -KILL "$job" 2> /dev/null; done
	wait 2> /dev/null
	ip netns del "$IN" 2> /dev/null
	ip netns del "$OUT" 2> /dev/null
	rm -rf "$PINS"
	[ -d "$LAB/disk" ] && umount -l "$LAB/disk" 2> /dev/null
	if [ -n "${KEEP_LAB:-}" ]; then note "left: $LAB"; else rm -rf "$LAB"; fi
}

# disk_up SIZE: a small disk of the test's own at $LAB/disk, with the database on it.
disk_up() {
	mkdir "$LAB/disk" && mount -t tmpfs -o "size=$1" moat-test "$LAB/disk" || fatal "the lab has a disk"
	DATABASE=$LAB/disk/moat.db
}

# ---- moatd ----

# config: the configuration; what is not about the lab comes from standard input.
config() {
	{
		cat <<- END
			interfaces: [ { name: in0, mode: ${MODE:-native}, enforce: ${ENFORCE:-true} } ]
			database: sqlite://$DATABASE
			capacity: { ipv4: ${CAPACITY4:-10000}, ipv6: ${CAPACITY6:-10000} }
			listen: ${LISTEN:-127.0.0.1:9911}
			socket: $SOCKET
			pins: $PINS
		END
		[ -z "${MOAT_USER:-}" ] || echo "user: $MOAT_USER"
		cat
	} > "$LAB/moat.yaml"
}

api() { # api GET /api/v1/status
	local method=$1 path=$2
	shift 2
	curl -sS --max-time 10 --unix-socket "$SOCKET" -X "$method" "$@" "http://moat$path"
}

status() { api GET /api/v1/status | jq -r "$1"; }
status_is() { [ "$(status "$1")" = "$2" ]; }
moatctl() { "$MOATCTL" -s "$SOCKET" "$@"; }
answers() { api GET /healthz; }
in_force() { status_is '(.interfaces | all(.attached)) and .sync.last_success != null' true; }

moat_launch() { # starts it and waits for nothing
	in_ns_exec "$IN" "$MOATD" -c "$LAB/moat.yaml" >> "$LAB/moatd.log" 2>&1 &
	MOATD_PID=$!
}

# moat_start: until the filter is in force.
moat_start() {
	moat_launch
	wait_for "$DEADLINE" in_force || fatal "moatd starts and puts the filter in force"
}

moat_gone() { ! kill -0 "$MOATD_PID"; }

moat_end() { # moat_end SIGNAL: prints nothing, returns moatd's exit code
	local code
	kill -"$1" "$MOATD_PID"
	wait "$MOATD_PID" 2> /dev/null
	code=$?
	MOATD_PID=''
	return $code
}

# refuses SENTENCE CODE WORDS...: moatd ends by itself with the code and says the words.
refuses() {
	local sentence=$1 wanted=$2 code word
	shift 2
	: > "$LAB/refused.log"
	timeout "$DEADLINE" nsenter --net=/run/netns/"$IN" ${AS_USER:-} "$MOATD" -c "$LAB/moat.yaml" \
		> "$LAB/refused.log" 2>&1 < /dev/null
	code=$?
	for word in "$@"; do
		grep -qi -- "$word" "$LAB/refused.log" || code="$code without '$word'"
	done
	if [ "$code" = "$wanted" ]; then
		ok "$sentence"
	else
		not_ok "$sentence" "wanted exit $wanted, got $code; it said:" "$(cat "$LAB/refused.log")"
	fi
}

# ---- the abuse database ----

sql() { sqlite3 -cmd '.timeout 10000' "$DATABASE" "$@"; }

# Whether all that the database says is in the kernel.
seq_kernel() { metric 'moat_sync_seq' 'stage="kernel"'; }
synced() { [ "$(seq_kernel)" = "$(sql "SELECT ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'change'), 0)")" ]; }
wait_synced() { wait_for "$DEADLINE" synced || not_ok "moatd follows the change log" "kernel $(seq_kernel)"; }

# list SOURCE CATEGORY [TTL]: a listing, in force on return.
list() {
	sql "INSERT INTO listing (source, category, feed, expires_at)
		VALUES ('$1', '$2', 'test', ${3:+unixepoch() + }${3:-NULL})"
	wait_synced
}

unlist() {
	sql "DELETE FROM listing WHERE source = '$1'"
	wait_synced
}

# ---- metrics ----

metrics() { api GET /metrics; }

# metric NAME [LABEL...]: the sum over the samples with these labels, e.g. 'reason="listed"'.
metric() {
	metrics | metric_of "$@"
}

metric_of() {
	awk -v name="$1" -v labels="${*:2}" '
		BEGIN { n = split(labels, want, " ") }
		{ key = $1; sub(/[{].*/, "", key) }
		key == name {
			for (i = 1; i <= n; i++)
				if (index($1, want[i]) == 0)
					next
			sum += $NF
			found = 1
		}
		END { if (found) printf "%.17g\n", sum; else print "none" }'
}

# packets [LABEL...]: how many moat counted with these labels.
# shellcheck disable=SC2120 # no label: all of them
packets() {
	local n
	n=$(metric moat_packets_total "$@")
	[ "$n" = none ] && n=0
	echo "$n"
}
counted() { [ "$(packets)" = "$SENT" ]; }

# After every test: each packet was counted, once.
check_counted() {
	if wait_for "$DEADLINE" counted; then
		ok "${1:-the sum over reasons is what was sent} ($SENT)"
	else
		not_ok "${1:-the sum over reasons is what was sent}" "sent $SENT, counted $(packets)" \
			"$(metrics | grep '^moat_packets_total')"
	fi
}

# ---- events ----

# watched: which packets the program on the wire makes events of, as the kernel has it.
watched() {
	local map
	for map in $(bpftool -j prog show id "$(in_ns "$IN" ip -j link show in0 | jq '.[0].xdp.prog.id')" | jq '.map_ids[]'); do
		bpftool -j map show id "$map" | grep -q '"moat.bss"' &&
			bpftool -j map dump id "$map" | jq '.[0].formatted.value[".bss"][0].moat_event_wanted'
	done
}
watched_is() { [ "$(watched)" = "$1" ]; }

# ---- traffic ----

# send SOURCE... [options of traffic]: sets LAST_SENT and LAST_SECONDS.
send() {
	local line
	line=$(in_ns "$OUT" "$TRAFFIC" send -i out0 --to-mac "$IN_MAC" --from-mac "$OUT_MAC" \
		--to "$TO4" --to "$TO6" "$@") || fatal "traffic is sent: $*"
	sent "$line"
}

# shellcheck disable=SC2034 # LAST_SECONDS is read by tests
sent() { # adds a "sent N in S s, N skipped" line up
	read -r _ LAST_SENT _ LAST_SECONDS _ <<< "$1"
	SENT=$((SENT + LAST_SENT))
}

stream_start() { # stream_start SOURCE... [options]: until stream_stop
	in_ns_exec "$OUT" "$TRAFFIC" send -i out0 --to-mac "$IN_MAC" --from-mac "$OUT_MAC" \
		--to "$TO4" --to "$TO6" --count 0 "$@" > "$LAB/stream" &
	STREAM_PID=$!
}

stream_stop() {
	kill -TERM "$STREAM_PID"
	wait "$STREAM_PID" || fatal "the stream of traffic lasts"
	sent "$(cat "$LAB/stream")"
}

# shellcheck disable=SC2120 # no option: every frame
receive_start() { # receive_start [options]: what comes out of the filter
	: > "$LAB/received" # the last one's "ready" is not this one's
	in_ns_exec "$IN" "$TRAFFIC" recv -i in0 --seconds 600 "$@" > "$LAB/received" &
	RECEIVER_PID=$!
	wait_for "$DEADLINE" grep -q ready "$LAB/received" || fatal "the receiver listens"
}

# Ends when no more frames come; then got() and received() tell.
receive_stop() {
	kill -TERM "$RECEIVER_PID" 2> /dev/null
	wait "$RECEIVER_PID"
	[ "$(received lost)" = 0 ] || not_ok "the receiver sees every frame" "lost $(received lost)"
}

# received WHAT [KEY]: a number of what "traffic recv" printed.
received() {
	awk -v f="$1" -v k="${2:-}" '$1 == f && (k == "" || $2 == k) { n = k == "" ? $2 : $3 }
		END { print n + 0 }' "$LAB/received"
}
got() { received source "$1"; }

FRAMES=20 # that drops() and passes() send

# through [options]: sends, waits until all is counted, prints how many came out.
through() {
	receive_start
	send --count "$FRAMES" "$@"
	wait_for "$DEADLINE" counted || fatal "each packet is counted once: sent $SENT, counted $(packets)"
	receive_stop
	THROUGH=$(received total)
}

# drops SENTENCE SOURCE... [options]; passes the same: all of the frames.
drops() {
	local sentence=$1
	shift
	through "$@"
	if [ "$THROUGH" = 0 ]; then ok "$sentence"; else not_ok "$sentence" "$THROUGH of $FRAMES passed"; fi
}

passes() {
	local sentence=$1
	shift
	through "$@"
	if [ "$THROUGH" = "$FRAMES" ]; then ok "$sentence"; else not_ok "$sentence" "$THROUGH of $FRAMES passed"; fi
}
