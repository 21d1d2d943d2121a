// SPDX-License-Identifier: BSD-2-Clause
#include "plane/tables.h"
#include "local.h"
