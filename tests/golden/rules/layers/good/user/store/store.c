// SPDX-License-Identifier: BSD-2-Clause
#include "store/store.h"

#include <sqlite3.h>

#include "core/base.h"
#include "moat/source.h"
