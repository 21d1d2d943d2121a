#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The filter on other kernels: a guest in qemu for each, where the object must
# load, attach in native mode and pass the tests of tests/prog, moatd must drop
# what its database lists, and the kernel must not complain.
#
#	run.sh BUILD
#
# KERNELS="6.1 newest": some of them. JOBS: guests at a time. TESTS="test_plane*":
# some of the tests, and none of moatd; TESTS=none: only whether it loads and attaches.
#
# A kernel that cannot be had is skipped, loudly; one that boots and fails, or
# does not get to the end, is a failure. Logs, and results.csv with a line a
# kernel, are in BUILD/kernels.
set -u

build=$(realpath "$1")
here=$(dirname "$0")
readonly LANES=${KERNELS:-5.10 6.1 6.12 6.18 newest}
readonly JOBS=${JOBS:-$(nproc)}
readonly DEADLINE=${KERNEL_DEADLINE:-1800} # seconds a guest may take
# Its CPUs in turn on one thread: with a thread each 5.10 panics in the breakpoints by which it
# changes its own code, and 6.18 may stand still.
readonly EMULATION=${EMULATION:-tcg,thread=single}
readonly MEMORY=1536			   # MiB
readonly PAIRS=${MOAT_PAIRS:-20000}	   # of the random differential
readonly PACKETS=${MOAT_PACKETS:-50000} # while the sieve changes
readonly SPLAT='WARNING: |BUG: |Call Trace|Oops|KASAN|UBSAN|verifier bug|suspicious RCU|general protection|Kernel panic|unregister_netdevice'
readonly NO_SPLAT='Spectre|[Uu]nprivileged eBPF' # advice to the operator, not a fault

work=$build/kernels
results=$work/results.csv
mkdir -p "$work"

fact() { awk -v name="$1" '$1 == name { sub(/^[^ ]+ /, ""); print; exit }' "$2"; }
number() { sed -nE "s/.*[^0-9]?\b([0-9]+) $1.*/\1/p" <<<"$2"; }

# boot LANE KERNEL: until the guest powers off. Returns qemu's status.
boot()
{
	local lane=$1 kernel=$2
	"$here/image.sh" modules "$kernel" "$work/$lane.modules.cpio" || return 1
	cat "$work/base.cpio" "$work/$lane.modules.cpio" >"$work/$lane.cpio"
	rm "$work/$lane.modules.cpio"
	# In the background: a signal ends it at once, and nothing is left.
	timeout -k 5 "$DEADLINE" qemu-system-x86_64 -accel "$EMULATION" -cpu max -smp 2 -m $MEMORY -nodefaults \
		-display none -monitor none -no-reboot -kernel "$kernel/vmlinuz" -initrd "$work/$lane.cpio" \
		-serial file:"$work/$lane.kernel.log" -serial file:"$work/$lane.log" \
		-append "console=ttyS0 panic=-1 mitigations=off tsc=reliable rcupdate.rcu_cpu_stall_timeout=300 nosoftlockup
			MOAT_EMULATED=1 deadline=$((DEADLINE / 2)) MOAT_PAIRS=$PAIRS MOAT_PACKETS=$PACKETS ${TESTS:+wire=0 tests=$TESTS}" </dev/null >"$work/$lane.qemu.log" 2>&1 &
	# shellcheck disable=SC2064 # this guest
	trap "kill $! 2>/dev/null; exit 1" INT TERM
	wait $!
}

# judge LANE KERNEL SECONDS BOOTED: writes the line of results, and why it failed.
judge()
{
	local lane=$1 kernel=$2 seconds=$3 booted=$4 log=$work/$1.log total loads attaches lacks splats state=ok
	local passed failed skipped why=()
	total=$(grep -aE '^[0-9]+ passed, [0-9]+ failed' "$log" | tail -n 1)
	loads=$(fact loads "$log") attaches=$(fact attaches "$log")
	lacks=$(awk '$1 == "lacks" { out = out (out ? "+" : "") $2 } END { print out }' "$log")
	passed=$(number passed "$total") failed=$(number failed "$total") skipped=$(number skipped "$total")
	splats=$(grep -aE "$SPLAT" "$work/$lane.kernel.log" | grep -avcE "$NO_SPLAT")

	[ "$booted" = 0 ] || why+=("the guest ended with status $booted (124: not done within $DEADLINE s)")
	tail -n 1 "$log" | grep -qa '^end' || why+=("the guest did not get to the end")
	[ "${loads%% *}" = yes ] || why+=("does not load: $loads")
	[ "${attaches%% *}" = native ] || why+=("does not attach in native mode: $attaches")
	[ "${TESTS:-}" = none ] || { [ "${failed:-1}" = 0 ] && [ "${passed:-0}" != 0 ]; } || why+=("${total:-no test ran}")
	[ "$splats" = 0 ] || why+=("$splats complaints in the kernel's log")
	((${#why[@]})) && state=failed
	echo "$lane,$(cat "$kernel/release"),$state,${loads%% *},${attaches%% *},$(fact 'insns' <(grep -a 'moat_ingress ' "$log") |
		awk '{ print $2 }'),$lacks,${passed:-0},${failed:-0},${skipped:-0},$splats,$seconds" >"$work/$lane.csv"
	((${#why[@]})) || return 0
	{
		printf 'FAILED %s: %s\n' "$lane" "${why[@]}"
		grep -a -A 40 '^FAIL ' "$log" | sed '/^ok /d' | head -n 80
		grep -aE -A 12 "$SPLAT" "$work/$lane.kernel.log" | grep -avE "$NO_SPLAT" | head -n 40
		tail -n 3 "$work/$lane.kernel.log" "$work/$lane.qemu.log"
	} | sed '2,$s/^/     | /' >&2
	return 1
}

lane()
{
	local lane=$1 kernel begin booted=0
	rm -f "$work/$lane".*
	if ! kernel=$("$here/fetch.sh" get "$work" "$lane" 2>"$work/$lane.why"); then
		echo "SKIP $lane: $(tail -n 1 "$work/$lane.why")" >&2
		echo "$lane,,skipped,,,,,0,0,0,0,0" >"$work/$lane.csv"
		return
	fi
	begin=$SECONDS
	boot "$lane" "$kernel" || booted=$?
	judge "$lane" "$kernel" $((SECONDS - begin)) $booted
	rm -f "$work/$lane.cpio" "$work/$lane.why"
}

table()
{
	awk -F, 'NR == 1 {
			printf "%-7s %-30s %-8s %-6s %-9s %-8s %-8s %-7s %-7s %-7s %-7s %-8s %s\n", "kernel", "release",
				"result", "loads", "attaches", "insns", "seconds", "passed", "failed", "skipped", "splats", "", "lacks"
			next
		}
		{ printf "%-7s %-30s %-8s %-6s %-9s %-8s %-8s %-7s %-7s %-7s %-7s %-8s %s\n", $1, $2, $3, $4, $5, $6, $12,
			$8, $9, $10, $11, "", $7 }' "$results"
}

trap 'kill $(jobs -p) 2>/dev/null; exit 1' INT TERM
"$here/fetch.sh" update "$work"
"$here/image.sh" base "$build" "$work/base.cpio" || exit 1
for name in $LANES; do
	while (($(jobs -pr | wc -l) >= JOBS)); do wait -n; done
	lane "$name" &
done
wait

echo 'kernel,release,result,loads,attaches,insns,lacks,passed,failed,skipped,splats,seconds' >"$results"
for name in $LANES; do cat "$work/$name.csv"; done >>"$results"
rm -f "$work/base.cpio"
table
# All skipped is no success: nothing was tried.
awk -F, 'NR > 1 { failed += $3 == "failed"; ok += $3 == "ok" } END { exit failed || !ok }' "$results"
