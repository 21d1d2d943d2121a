#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What moatd refuses to start with: it says what is wrong and what to do, and
# the filter that is in force stays.
# shellcheck disable=SC2034 # AS_USER is read by refuses
. "$(dirname "$0")/lib.sh"

still_filters() {
	drops "$1" 198.51.100.7
}

xdp_id() { in_ns "$IN" ip -j -d link show dev in0 | jq -r '.[0].xdp.prog.id // "none"'; }

# bad_config SENTENCE LINE:COLUMN WORD: the configuration comes from standard input, appended from line 7 on.
bad_config() {
	config
	refuses "$1" 1 "moat.yaml:$2" "$3"
	in_ns "$IN" "$MOATD" -n -c "$LAB/moat.yaml" > /dev/null 2>&1
	check "$1, and moatd -n says so, too" equal 1 $?
}

lab_up
config <<< 'categories: { botnet: { action: drop } }'
check "moatd -n takes a good configuration" "$MOATD" -n -c "$LAB/moat.yaml"
moat_start
list 198.51.100.7 botnet

# ---- beside a running one ----
refuses "pins in use are an error" 2 "$PINS" "another moatd"
PINS=$PINS-other config <<< 'categories: { botnet: { action: drop } }'
refuses "a socket in use is an error" 2 "$SOCKET"
rm -rf "$PINS-other"
SOCKET=$LAB/other.sock PINS=$PINS-other config <<< 'categories: { botnet: { action: drop } }'
refuses "a metrics address in use is an error" 2 127.0.0.1:9911
rm -rf "$PINS-other"
still_filters "and the one that runs goes on filtering"
check "and answers" equal ok "$(status .state)"
id=$(xdp_id)
moat_end TERM

# ---- configuration ----
bad_config "an unknown key is an error with line and column" 7:1 nonsense <<< 'nonsense: 1'
bad_config "an unknown action is an error with line and column" 8:21 explode << 'END'
categories:
  botnet: { action: explode }
END
bad_config "an unknown key of a category is an error with line and column" 8:27 colour << 'END'
categories:
  botnet: { action: drop, colour: red }
END
bad_config "a port that is none is an error with line and column" 8:50 70000 << 'END'
categories:
  botnet: { action: drop, protocol: tcp, ports: [70000] }
END
bad_config "a bad prefix is an error with line and column" 8:16 203.0.113.0/33 << 'END'
categories: { botnet: { action: drop } }
never_block: [ 203.0.113.0/33 ]
END
bad_config "a bad rate is an error with line and column" 8:35 fast << 'END'
categories:
  scraper: { action: limit, rate: fast }
END
bad_config "what is not YAML is an error with its line" 8 '' << 'END'
categories: { botnet: { action: drop
never_block: ]
END
printf '' > "$LAB/moat.yaml"
refuses "an empty file is an error" 1 moat.yaml
rm "$LAB/moat.yaml"
refuses "a missing file is an error" 1 "no such file"
mkdir "$LAB/moat.yaml"
refuses "a directory in its place is an error" 1 moat.yaml
rmdir "$LAB/moat.yaml"
check "the program is still the same" equal "$id" "$(xdp_id)"

# ---- privilege ----
config <<< 'categories: { botnet: { action: drop } }'
chmod 755 "$LAB"
chmod 666 "$DATABASE"
AS_USER='setpriv --reuid=65534 --regid=65534 --clear-groups --'
refuses "without privilege it says which is missing" 2 CAP_
AS_USER=''
chmod 700 "$LAB"

# ---- pins of another ABI ----
if bpftool map dump pinned "$PINS/moat_control" > /dev/null 2>&1; then
	moat_abi() { # moat_abi BYTE: writes the first byte of moat_control
		local value
		value=$(bpftool -j map lookup pinned "$PINS/moat_control" key 0 0 0 0 | jq -r '.value | join(" ")')
		# shellcheck disable=SC2086 # one word a byte
		bpftool map update pinned "$PINS/moat_control" key 0 0 0 0 value "$1" ${value#* }
	}
	abi=$(bpftool -j map lookup pinned "$PINS/moat_control" key 0 0 0 0 | jq -r '.value[0]')
	moat_abi 0x63
	refuses "pins of another ABI are refused" 2 ABI "$PINS"
	check "the program of the other ABI stays attached" equal "$id" "$(xdp_id)"
	moat_abi "$abi"
else
	not_ok "moat_control is pinned in $PINS"
fi

# ---- what is in the way ----
moat_start
still_filters "after all of this the filter is as it was"
check_counted
moat_end TERM

ln -s /nowhere "$LAB/elsewhere"
DATABASE=$LAB/elsewhere/moat.db config <<< 'categories: { botnet: { action: drop } }'
moat_launch
wait_for "$DEADLINE" answers
check "a missing directory of the database is a degraded state" equal degraded "$(status .state)"
check "that names it" contains "$LAB/elsewhere" "$(status '.degraded | tostring')"
still_filters "and the filter stays in force"
moat_end TERM

cp "$DATABASE" "$LAB/newer.db"
sqlite3 "$LAB/newer.db" 'PRAGMA user_version = 99'
DATABASE=$LAB/newer.db config <<< 'categories: { botnet: { action: drop } }'
moat_launch
wait_for "$DEADLINE" answers
check "a newer schema is a degraded state" equal degraded "$(status .state)"
check "that says so" contains newer "$(status '.degraded | tostring')"
check "nothing was written to it" equal 99 "$(sqlite3 "$LAB/newer.db" 'PRAGMA user_version')"
still_filters "and the filter stays in force"
check_counted
moat_end TERM
finish
