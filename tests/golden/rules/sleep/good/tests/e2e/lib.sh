# SPDX-License-Identifier: BSD-2-Clause
wait_for()
{
	until "$@"; do
		sleep 0.05
	done
}
wait_for test -e ready # no sleep 1 here
