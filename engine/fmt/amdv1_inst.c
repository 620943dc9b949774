/* SPDX-License-Identifier: GPL-2.0-or-later */
/* amdv1_inst.c - the native engine for AMD v1 tables. */
#include "amdv1.h"

#include "../pt_ops.h"
