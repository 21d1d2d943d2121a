#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# moatctl capture and tail on a wire: what was dropped is what tshark reads, from
# a file and live from a pipe, and every way to end leaves a whole file.
. "$(dirname "$0")/lib.sh"

HOST=198.51.100.7
COUNT=200

captured() { tshark -n -r "$LAB/$1.pcapng" "${@:2}" 2> /dev/null; }
fields() { # fields FILE FIELD...: each different line, with its number
	local name=$1 field args=()
	shift
	for field; do args+=(-e "$field"); done
	captured "$name" -T fields "${args[@]}" | sort | uniq -c | sed 's/^ *//'
}
readers_are() { status_is .events.readers "$1"; }

capture_start() { # capture_start NAME [options]: on when it returns
	local name=$1 before
	shift
	before=$(status .events.readers)
	"$MOATCTL" -s "$SOCKET" capture -w "$LAB/$name.pcapng" "$@" 2> "$LAB/$name.said" &
	CAPTURE=$!
	wait_for "$DEADLINE" readers_are $((before + 1)) || fatal "a capture begins: $(cat "$LAB/$name.said")"
}
capture_end() { # capture_end [SIGNAL]: CODE is its exit code
	[ -z "${1:-}" ] || kill -"$1" "$CAPTURE"
	wait "$CAPTURE"
	CODE=$?
}

command -v tshark > /dev/null || fatal "tshark is there"
lab_up
config <<- 'END'
	categories: { botnet: { action: drop }, scanner: { action: tag, mark: 7 }, research: { action: monitor } }
	events: { rate: 100000 }
END
moat_start
list $HOST botnet
list 2001:db8:bad::/48 scanner

# ---- a file ----

capture_start file -n $((2 * COUNT))
send $HOST --count $COUNT --rate 2000 --dport 53 --payload 400
send 2001:db8:bad::9 --count $COUNT --rate 2000 --proto tcp --dport 22
capture_end
check "capture -n ends by itself" equal 0 "$CODE"
check "and says how many there are" contains "$((2 * COUNT)) packets captured, 0 lost" "$(cat "$LAB/file.said")"
captured file -T fields -E separator=';' -e frame.comment -e frame.interface_name -e frame.packet_flags \
	-e frame.verdict.ebpf_xdp -e ip.src -e udp.dstport -e frame.cap_len -e frame.len > "$LAB/file.fields"
of_file() { cut -d';' -f"$1" "$LAB/file.fields" | sort | uniq -c | sed 's/^ *//'; }
check "tshark reads each packet" equal $((2 * COUNT)) "$(wc -l < "$LAB/file.fields")"
check "with the reason as comment, and the interface" equal \
	"$COUNT moat: drop, reason listed, category botnet (source is listed, action drop);in0
$COUNT moat: tag, reason tagged, category scanner (source is listed, packet tagged);in0" "$(of_file 1,2)"
check "inbound, and what XDP returned" equal "$COUNT 0x00000001;1,$COUNT 0x00000001;2" \
	"$(of_file 3,4 | paste -sd,)"
check "addresses and ports, the length on the wire and that of what there is" equal "$COUNT $HOST;53;128;442" \
	"$(of_file 5-8 | grep -F $HOST)"
check "nobody else may read it" equal 600 "$(stat -c %a "$LAB/file.pcapng")"
if command -v capinfos > /dev/null; then
	check "its section says who wrote it" contains "moatctl" "$(capinfos "$LAB/file.pcapng")"
fi

# ---- each filter ----

capture_start some --category botnet --reason listed --iface in0 --verdict drop --source 198.51.100.0/24
send $HOST --count 20 --rate 2000
send 2001:db8:bad::9 --count 20 --rate 2000
wait_for "$DEADLINE" eval '[ "$(captured some | wc -l)" = 20 ]'
capture_end INT
check "ctrl-C ends a capture well" equal 0 "$CODE"
check "filters choose" equal "20 $HOST" "$(fields some ip.src)"
capture_start none --for 1s --category research
capture_end
check "--for ends it" equal 0 "$CODE"
check "a capture without a packet is one too" equal 0 "$(captured none | wc -l)"
check "an interface that is not there is said" contains "no such interface" \
	"$(moatctl capture -w "$LAB/no.pcapng" --iface eth9 2>&1)"

# ---- a pipe ----

"$MOATCTL" -s "$SOCKET" capture -w - 2> "$LAB/pipe.said" |
	tshark -n -l -i - -c 5 -T fields -e frame.comment -e frame.interface_name > "$LAB/live" 2> "$LAB/tshark.said" &
pipe=$!
wait_for "$DEADLINE" readers_are 1
stream_start $HOST --rate 50
wait $pipe
stream_stop
check "tshark reads it live from a pipe" equal "5 in0" "$(grep -c 'reason listed' "$LAB/live") $(cut -f2 "$LAB/live" | sort -u)"
check "capture ends when nobody reads any more" wait_for "$DEADLINE" readers_are 0
check "and does not complain" lacks moatctl: "$(cat "$LAB/pipe.said")"

# ---- a flood, and a daemon that goes ----

capture_start flood
"$MOATCTL" -s "$SOCKET" -o json tail > "$LAB/flood.lines" 2> /dev/null &
wait_for "$DEADLINE" readers_are 2
send $HOST --count 300000
wait_for "$DEADLINE" grep -q '"lost":{' "$LAB/flood.lines" || not_ok "a flood is more than can be told"
kill -TERM "$MOATD_PID"
capture_end
check "a daemon that goes is said" equal 3 "$CODE"
wait "$MOATD_PID" 2> /dev/null
read -r got _ < <(tr -d , < "$LAB/flood.said" | grep captured)
check "the file is whole" equal "$got" "$(captured flood | wc -l)"
check "what is missing is said" grep -q ' captured, [1-9][0-9,]* lost' "$LAB/flood.said"
note "of 300,000 packets in $LAST_SECONDS s: $(grep captured "$LAB/flood.said")"

# ---- tail ----

moat_start
"$MOATCTL" -s "$SOCKET" tail -n 40 > "$LAB/tail" 2>&1 &
tail=$!
wait_for "$DEADLINE" readers_are 1
send $HOST --count 20 --rate 2000 --dport 53
send 2001:db8:bad::9 --count 20 --rate 2000 --proto tcp --dport 22
wait $tail
check "tail ends by itself" equal 0 $?
check "tail has a line a packet" equal 20 \
	"$(grep -cE "^[0-9:.]{12}  in0     drop     listed    botnet      $HOST:[0-9]+ +$TO4:53 +udp" "$LAB/tail")"
check "of each verdict" equal 20 "$(grep -c 'tag      tagged    scanner' "$LAB/tail")"
stream_start $HOST --rate 200
check "tail in a pipe ends with its reader" equal 3 "$(timeout "$DEADLINE" "$MOATCTL" -s "$SOCKET" tail | head -n 3 | wc -l)"
check "tail as JSON is JSON" equal "$HOST listed" \
	"$(moatctl -o json tail -n 1 | jq -r '"\(.source) \(.reason)"')"
stream_stop
check_counted "each packet was counted, whoever looked"
finish
