/* SPDX-License-Identifier: GPL-2.0-or-later */
/* armv8_64k_inst.c - the native engine for Armv8 tables with the 64K granule. */
#define FMT_NAME armv8_64k
#define FMT_ARMV8_GRANULE_LG2 16
#include "armv8.h"

#include "../pt_ops.h"
