/* SPDX-License-Identifier: GPL-2.0-or-later */
/* armv7s_inst.c - the native engine for Armv7 short-descriptor tables. */
#include "armv7s.h"

#include "../pt_ops.h"
