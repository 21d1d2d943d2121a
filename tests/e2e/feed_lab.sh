# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# Feeds from a real web server, and a wire that stays open while they change.
#
#	. "$(dirname "$0")/lib.sh"
#	. "$(dirname "$0")/feed_lab.sh"
#	lab_up
#	server_up
#	offer list "$LAB/day1"; behave list slowly 0.5
#	config <<< "feeds: [ { name: served, url: \"$SERVER/list\", ... } ]"
#	moat_start
#	wire_open			# traffic of four groups, from now on
#	...
#	wire_close "WHILE WHAT"		# two checks: nobody innocent was lost, nobody listed came through
#
# The groups are sources of two lists (pair): in both, only in the old, only in
# the new, in none. Their verdicts: the first is dropped and the last passes,
# always; the others as the list in force says.
# shellcheck disable=SC2034 # read by tests
GEN=$ROOT/tools/gen-feed
SERVER=http://127.0.0.1:8080
RATE=${RATE:-2000}   # packets a second of the open wire
GROUP=16	     # sources of a group
BPFTOOL=${BPFTOOL:-$(command -v bpftool || echo /usr/sbin/bpftool)}

# ---- lists ----

# sources FILE: what a list names, one a line, hosts without /32.
sources() { awk '{ sub(/[;#].*/, ""); gsub(/[ \t\r]/, "") } $0 != "" { sub(/\/32$/, ""); print }' "$1" | sort -u; }

# hosts FILE: the first hosts of a sorted list of sources that are spread over it.
hosts() { grep -v '[/:]' "$1" | awk -v n="$GROUP" '{ a[NR] = $0 } END { for (i = 0; i < n && NR; i++) print a[int(i * NR / n) + 1] }' | uniq; }

# covered LIST < ADDRESSES: those that no prefix of the list covers.
uncovered() {
	python3 -c '
import bisect, ipaddress, sys
nets = [ipaddress.ip_network(line.strip()) for line in open(sys.argv[1]) if ":" not in line]
spans = sorted((int(n[0]), int(n[-1])) for n in nets)
starts, last, ends = [], -1, []
for low, high in spans:
    last = max(last, high)
    starts.append(low)
    ends.append(last)
for line in sys.stdin:
    at = int(ipaddress.ip_address(line.strip()))
    i = bisect.bisect_right(starts, at) - 1
    if i < 0 or ends[i] < at:
        print(line.strip())' "$1"
}

# pair OLD NEW: the two lists of a test, and the groups of sources of them.
pair() {
	sources "$1" > "$LAB/old"
	sources "$2" > "$LAB/new"
	comm -12 "$LAB/old" "$LAB/new" > "$LAB/both"
	sort -u "$LAB/old" "$LAB/new" > "$LAB/either"
	hosts "$LAB/both" > "$LAB/kept.group"
	comm -23 "$LAB/old" "$LAB/new" | grep -v / | uncovered "$LAB/new" > "$LAB/only"
	hosts "$LAB/only" > "$LAB/gone.group"
	comm -13 "$LAB/old" "$LAB/new" | grep -v / | uncovered "$LAB/old" > "$LAB/only"
	hosts "$LAB/only" > "$LAB/come.group"
	# Neighbours of what is listed: nearest to a wrong verdict.
	grep -v / "$LAB/both" | awk -F. '$4 < 254 { print $1 "." $2 "." $3 "." $4 + 1 }' |
		uncovered "$LAB/either" > "$LAB/only"
	hosts "$LAB/only" > "$LAB/innocent.group"
	for group in kept gone come innocent; do
		[ -s "$LAB/$group.group" ] || fatal "the two lists have sources: $group"
	done
	cat "$LAB"/{kept,gone,come,innocent}.group > "$LAB/wire"
}

# ---- the server ----

# server_up [NAME PORT CERTIFICATE KEY]: serves $LAB/www in the namespace of moatd until the lab ends.
server_up() {
	local port=${2:-8080} log=$LAB/server-${1:-http}
	mkdir -p "$LAB/www"
	in_ns_exec "$IN" python3 "$ROOT/tests/e2e/feed_server.py" "$LAB/www" "$port" "${@:3}" > "$log" 2>&1 &
	SERVER_PID=$!
	wait_for "$DEADLINE" grep -q ready "$log" || fatal "the lab has a server of feeds: $(cat "$log")"
}

# offer NAME FILE: the list that the server has from now on, at once.
offer() { cp "$2" "$LAB/www/$1~" && mv "$LAB/www/$1~" "$LAB/www/$1"; }

# behave NAME HOW...: see feed_server.py.
behave() { echo "${*:2}" > "$LAB/www/$1.how~" && mv "$LAB/www/$1.how~" "$LAB/www/$1.how"; }

# asked NAME [WORDS]: how many requests for it there were that the log has so.
asked() { grep -c "^/$1 ${2:-}" "$LAB/www/log" 2> /dev/null || true; }

# ---- feeds as moatd tells of them ----

feed() { moatctl -o json feeds | jq -r ".feeds[] | select(.name == \"$1\") | $2"; } # feed NAME FILTER
feed_is() { [ "$(feed "$1" "$2")" = "$3" ]; }
rows() { sql "SELECT count(*) FROM listing WHERE feed = '$1'"; }
refused_total() { # refused_total FEED CAUSE
	local n
	n=$(metric moat_feed_refused_total "feed=\"$1\"" "cause=\"$2\"")
	[ "$n" = none ] && n=0
	echo "$n"
}

# in_database FEED: "old", "new" or what is wrong, of the listings of a feed.
in_database() {
	sql "SELECT source FROM listing WHERE feed = '$1'" | sort -u > "$LAB/rows"
	which_list "$LAB/rows"
}
which_list() { # which_list FILE
	if cmp -s "$1" "$LAB/new"; then
		echo new
	elif cmp -s "$1" "$LAB/old"; then
		echo old
	else
		echo "$(comm -12 "$1" "$LAB/old" | wc -l) of the old, $(comm -12 "$1" "$LAB/new" | wc -l) of the new list"
	fi
}

# in_kernel: the sources that the kernel's maps hold, IPv4, without the test's own.
in_kernel() {
	"$BPFTOOL" -j map dump pinned "$PINS/moat_source4" |
		jq -r '.[] | (.formatted.key // .key) as $k | "\($k.addr) \($k.len)"' |
		awk '{ a = $1; printf "%d.%d.%d.%d%s\n", a % 256, a / 256 % 256, a / 65536 % 256, a / 16777216,
			$2 < 32 ? "/" $2 : "" }' | grep -vFx -f "$LAB/own" | sort -u
}

# own_entries: what the kernel holds before any list: the self-test's.
own_entries() {
	echo 'x' > "$LAB/own"
	in_kernel > "$LAB/own~"
	cat "$LAB/own~" >> "$LAB/own"
}

# kernel_between: every source of both lists is in the kernel, and none of neither.
kernel_between() {
	local missing strange
	in_kernel > "$LAB/kernel"
	missing=$(comm -13 "$LAB/kernel" "$LAB/both" | wc -l)
	strange=$(comm -23 "$LAB/kernel" "$LAB/either" | wc -l)
	[ "$missing $strange" = "0 0" ] || { echo "$missing of both lists are missing, $strange are of neither" && return 1; }
}
kernel_is() { in_kernel > "$LAB/kernel" && [ "$(which_list "$LAB/kernel")" = "$1" ]; }

# ---- the wire ----

wire_open() {
	receive_start
	stream_start "@$LAB/wire" --rate "$RATE"
}

# wire_runs PACKETS: until so many more went over the wire.
more_than() { [ "$(packets)" -gt "$1" ]; }
wire_runs() { wait_for "$DEADLINE" more_than $(($(packets) + $1)) || fatal "the wire is open"; }

# came_of GROUP: packets of its sources that came through.
came_of() { awk 'NR == FNR { group[$1]; next } $1 == "source" && $2 in group { n += $3 } END { print n + 0 }' \
	"$LAB/$1.group" "$LAB/received"; }

# sent_of GROUP: packets that were sent from its sources in the last stream.
sent_of() { awk -v sent="$LAST_SENT" 'NR == FNR { group[$1]; next } { at[FNR - 1] = $1; n = FNR }
	END { for (i = 0; i < n; i++) if (at[i] in group) all += int((sent - i + n - 1) / n); print all + 0 }' \
	"$LAB/$1.group" "$LAB/wire"; }

wire_close() { # wire_close WHEN
	stream_stop
	receive_stop
	check "$1: every packet of the innocent came through ($(sent_of innocent))" \
		equal "$(sent_of innocent)" "$(came_of innocent)"
	check "$1: none of a source of both lists did (of $(sent_of kept))" equal 0 "$(came_of kept)"
}

# verdicts SENTENCE old|new: the sources of one list only are judged as that list says.
verdicts() {
	local dropped=gone passed=come
	[ "$2" = new ] && dropped=come passed=gone
	receive_start
	send --count "$(wc -l < "$LAB/wire")" "@$LAB/wire"
	receive_stop
	check "$1" equal "0 $(sent_of $passed) 0 $(sent_of innocent)" \
		"$(came_of $dropped) $(came_of $passed) $(came_of kept) $(came_of innocent)"
}
