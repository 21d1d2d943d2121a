#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A few rounds of soak.sh, which says what they are.
export SOAK_SECONDS=${SOAK_SECONDS:-8}
exec "$(dirname "$0")/soak.sh"
