/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x86_64_inst.c - the native engine for x86-64 tables: VT-d first stage, AMD IOMMU v2. */
#include "x86_64.h"

#include "../pt_ops.h"
