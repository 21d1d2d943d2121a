# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# What the benchmarks of the control plane share: the lab of the wire tests, and
# rows on standard output, which gets nothing else.

exec 3>&1 1>&2
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../tests/e2e/lib.sh"
DEADLINE=120

ready() { [ "$(curl -s -o /dev/null -w '%{http_code}' --unix-socket "$SOCKET" http://moat/readyz)" = 200 ]; }
installed() { metric moat_sources 'state="installed"'; }
installed_is() { [ "$(installed)" = "$1" ]; }
seconds_since() { awk -v us=$(($(now_us) - $1)) 'BEGIN { printf "%.3f", us / 1e6 }'; }

cpu_ms() { awk '{ print ($14 + $15) * 10 }' "/proc/$MOATD_PID/stat"; } # at 100 ticks a second

# What is moatd's alone: the kernel's maps, which it has mapped, are the kernel's.
own_rss_kb() {
	awk '/^[0-9a-f]+-[0-9a-f]+ / { map = /bpf-map/ } /^Rss:/ && !map { kb += $2 } END { print kb }' \
		"/proc/$MOATD_PID/smaps"
}

row() { # row WHAT N SECONDS; what is no amount of work (-p50, memory) has no rate
	awk -v what="$1" -v n="$2" -v s="$3" -v kb="$(own_rss_kb)" 'BEGIN {
		printf "control,%s,%d,%s,%.0f,%.0f\n", what, n, s, (s > 0 ? (what ~ /-p[0-9]/ ? 1 : n) / s : 0), kb / 1024
	}' >&3
}
