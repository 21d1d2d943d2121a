#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# The first process of a guest of the kernel matrix. The kernel's log goes to
# the first serial port, what the tests say to the second one:
#
#	NAME VALUE...		# facts of tools/kernels/about.c, and "kernel RELEASE"
#	N passed, N failed...	# the last line of tools/run-tests
#	==> LOG <==		# the logs of all tests
#	end
set -u
export PATH=/bin HOME=/root LC_ALL=C BUILD=/moat/build TEST_DEADLINE="${deadline:-240}"

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp
mount -t tmpfs run /run
mount -t bpf bpf /sys/fs/bpf
mkdir -p /dev/shm /var/run
ln -s /proc/self/fd /dev/fd
exec </dev/null >/dev/ttyS1 2>&1
stty raw <&1

ip link set lo up
echo "kernel $(uname -r)"
cd /moat || exit 1
ip link add about0 type veth peer name about1
ip link set about0 up
build/tools/kernels/about /sys/fs/bpf/about about0
ip link del about0

set --
[ "${wire:-1}" = 0 ] || set -- tap:tests/e2e/smoke.sh
[ "${wire:-1}" = 0 ] && [ "${tests:-}" != test_chain ] || [ ! -f tests/e2e/test_chain.sh ] || set -- "$@" tap:tests/e2e/test_chain.sh
for test in build/tests/prog/${tests:-test_*}; do
	[ ! -f "$test" ] || set -- "$@" "tap:$test"
done
[ $# -eq 0 ] || tools/run-tests /tmp/logs "$@"
for log in /tmp/logs/*.log; do
	[ ! -f "$log" ] || { echo "==> ${log##*/} <==" && cat "$log"; }
done
echo end
sync
poweroff -f
