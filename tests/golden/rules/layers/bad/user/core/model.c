// SPDX-License-Identifier: BSD-2-Clause
#include "store/store.h"

#include <bpf/libbpf.h>
