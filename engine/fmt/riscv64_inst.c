/* SPDX-License-Identifier: GPL-2.0-or-later */
/* riscv64_inst.c - the native engine for RISC-V first-stage tables. */
#include "riscv64.h"

#include "../pt_ops.h"
