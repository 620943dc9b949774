/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dart_inst.c - the native engine for Apple DART tables. */
#include "dart.h"

#include "../pt_ops.h"
