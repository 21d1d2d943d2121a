#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Packets a second through a veth pair, every packet from a listed source:
#
#     wire,<sources>,<impl>,<Mpps>
#
#   [bwa] sender --- veth, native XDP, one NAPI thread --- [bwb] filter, stack
#
# The sender has the first CPU, the receiver's NAPI thread the last. All
# filters are loaded first, then take turns at the same pair; the median of
# the turns counts. A filter that lets packets through to the stack ends the
# benchmark ("none" is what the stack itself refuses). Hash and moat are the
# same program with another lookup; moat+updates while CHANGES sources a
# second come and go, for CHANGES_SECONDS each turn, through what the daemon
# writes them with. When all turns are over every source that came or went, and
# every listed one, is asked for: a wrong verdict ends the benchmark.
# xdp-filter holds at most 10,000 addresses.
#
#     tools/bench/wire.sh OBJECT_DIR		# ROUNDS=5 SECONDS_EACH=1 SOURCES="9000 1000000"
#
# The changes go to standard error, and to the file CHANGES_LOG if it is set:
#
#     changes,<sources>,<a second>,<verdicts asked>,<wrong>
set -euo pipefail

dir=$1
readonly ROUNDS=${ROUNDS:-5} SECONDS_EACH=${SECONDS_EACH:-1} SOURCES=${SOURCES:-9000 1000000}
readonly CHANGES=100000 CHANGES_SECONDS=${CHANGES_SECONDS:-10} CHANGES_LOG=${CHANGES_LOG:-}
readonly XDP_FILTER_HOLDS=10000
readonly LEAK=0.001		# of packets may reach the stack: what else lives in the namespace
readonly a=bwa$$ b=bwb$$
readonly pins=/sys/fs/bpf/moat-bench-$$
wire=$dir/wire
work=$(mktemp -d)
hash_to='' moat_to='' hash_from='' moat_from=''	# orders to the processes that hold these filters

cleanup()
{
	let_go
	xdp_filter_off || true
	ip netns del $a 2>/dev/null || true
	ip netns del $b 2>/dev/null || true
	rm -rf "$work" "$pins"
}

# In the receiver's namespace, with this mount namespace's bpffs.
in_b()
{
	nsenter --net=/run/netns/$b "$@"
}

make_wire()
{
	ip netns add $a
	ip netns add $b
	ip link add bwa netns $a type veth peer name bwb netns $b
	ip -n $b addr add 198.18.0.1/24 dev bwb
	ip netns exec $a ethtool -K bwa gro on >/dev/null	# makes the end take redirected frames
	ip netns exec $b ethtool -K bwb gro on >/dev/null	# and this one receive them with NAPI
	ip -n $a link set bwa up
	ip -n $b link set bwb up
	ip -n $b link set lo up
	ip netns exec $b sh -c '
		echo 1 >/sys/class/net/bwb/threaded
		echo 0 >/proc/sys/net/ipv4/conf/all/rp_filter
		echo 0 >/proc/sys/net/ipv4/conf/bwb/rp_filter'
}

# A NAPI thread lives as long as the interface has NAPI on; it may be a new one each turn.
place_receiver()
{
	local thread

	for thread in $(pgrep '^napi/bwb'); do
		taskset -pc $(($(nproc) - 1)) "$thread" >/dev/null
		renice -n -20 -p "$thread" >/dev/null
	done
}

load_ipset()
{
	{
		echo "create moat hash:ip family inet hashsize 1024 maxelem $(($1 + 1))"
		sed 's/^/add moat /' "$work/list"
	} | in_b ipset restore
}
ipset_on() { in_b iptables -w -t raw -A PREROUTING -m set --match-set moat src -j DROP; }
ipset_off() { in_b iptables -w -t raw -F PREROUTING; }
unload_ipset() { in_b ipset destroy moat; }

load_nftables()
{
	{
		echo "add table netdev moat"
		echo "add set netdev moat sources { type ipv4_addr; size $(($1 + 1)); }"
		awk '
		FNR % 10000 == 1 { if (FNR > 1) print " }"; printf "add element netdev moat sources {" }
		{ printf "%s%s", FNR % 10000 == 1 ? " " : ", ", $0 }
		END { print " }" }' "$work/list"
	} >"$work/nft"
	in_b nft -f "$work/nft"
}
nftables_on()
{
	in_b nft 'add chain netdev moat in { type filter hook ingress device bwb priority 0; }
		add rule netdev moat in ip saddr @sources drop'
}
nftables_off() { in_b nft 'flush chain netdev moat in; delete chain netdev moat in'; }
unload_nftables() { in_b nft delete table netdev moat; }

xdp_filter_on()
{
	in_b xdp-filter load -p allow -f ipv4 bwb >/dev/null
	"$wire" fill-xdp-filter /sys/fs/bpf/xdp-filter/filter_ipv4 "$sources"
}
xdp_filter_off()
{
	[ ! -e /sys/fs/bpf/xdp-filter ] || in_b xdp-filter unload bwb >/dev/null
}

# A process for each filter holds its maps until its standard input ends.
hold()
{
	mkfifo "$work/$1.in" "$work/$1.out"
	"$wire" hold "$dir" "$1" "$sources" "$pins/$1" <"$work/$1.in" >"$work/$1.out" &
	exec {to}>"$work/$1.in" {from}<"$work/$1.out"
	rm "$work/$1.in" "$work/$1.out"
	declare -g "$1_to=$to" "$1_from=$from"
	read -r answer <&"$from" && [ "$answer" = ready ] || { echo "$1 does not hold" >&2; exit 1; }
}
let_go()
{
	[ -z "$hash_to" ] || exec {hash_to}>&- {hash_from}<&-
	[ -z "$moat_to" ] || exec {moat_to}>&- {moat_from}<&-
	hash_to='' moat_to=''
	rm -f "$pins"/hash "$pins"/moat
}

xdp_on() { in_b ip link set dev bwb xdpdrv pinned "$pins/$1"; }
xdp_off() { in_b ip link set dev bwb xdpdrv off; }

churn_on() { echo "churn $CHANGES $((CHANGES_SECONDS + 1))" >&"$moat_to"; }
churn_off()
{
	read -r answer <&"$moat_from"
	echo "$answer" >>"$work/changes"
}

# All that came, went or stayed: is it judged as it was written last?
check_verdicts()
{
	local asked wrong clean rate

	echo check >&"$moat_to"
	read -r asked wrong clean <&"$moat_from"
	rate=$(median "$work/changes")
	rm "$work/changes"
	echo "moat+updates, $sources sources: $rate changes/s, $asked verdicts asked afterwards, $wrong wrong" >&2
	[ -z "$CHANGES_LOG" ] || echo "changes,$sources,$rate,$asked,$wrong" >>"$CHANGES_LOG"
	[ "$wrong" = 0 ] || exit 1
	[ "$clean" = 0 ] || { echo "$clean packets of listed sources were taken for clean" >&2; exit 1; }
}

switch()
{
	case $1 in
	none) ;;
	ipset | nftables) "$1_$2" ;;
	xdp-filter) "xdp_filter_$2" ;;
	moat+updates)
		"xdp_$2" moat
		"churn_$2"
		;;
	*) "xdp_$2" "$1" ;;
	esac
}

turn()
{
	local mpps leaked seconds=$SECONDS_EACH

	[ "$1" != moat+updates ] || seconds=$CHANGES_SECONDS
	switch "$1" on
	place_receiver
	read -r mpps leaked < <("$wire" measure "$dir" "$sources" $b bwb $a bwa "$seconds")
	switch "$1" off
	if [ "$1" != none ] && awk -v l="$leaked" -v m=$LEAK 'BEGIN { exit !(l > m) }'; then
		echo "$1 let $leaked of the packets through, all of them from listed sources" >&2
		exit 1
	fi
	echo "$mpps" >>"$work/$1"
}

median()
{
	sort -n "$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

trap cleanup EXIT
trap 'exit 1' INT TERM
[ ! -e /sys/fs/bpf/xdp-filter ] || { echo "xdp-filter is in use on this machine" >&2; exit 1; }
mkdir "$pins"
make_wire
for sources in $SOURCES; do
	impls="none ipset nftables"
	[ "$sources" -gt $XDP_FILTER_HOLDS ] || impls="$impls xdp-filter"
	impls="$impls hash moat moat+updates"
	"$wire" list "$sources" >"$work/list"
	load_ipset "$sources"
	load_nftables "$sources"
	for impl in hash moat; do
		hold $impl
	done
	for _ in $(seq "$ROUNDS"); do
		for impl in $impls; do
			turn "$impl"
		done
	done
	for impl in $impls; do
		echo "wire,$sources,$impl,$(median "$work/$impl")"
		rm "$work/$impl"
	done
	check_verdicts
	let_go
	unload_ipset
	unload_nftables
done
