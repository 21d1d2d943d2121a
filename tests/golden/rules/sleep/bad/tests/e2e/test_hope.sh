# SPDX-License-Identifier: BSD-2-Clause
start &
sleep 1
