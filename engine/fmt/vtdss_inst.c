/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vtdss_inst.c - the native engine for VT-d second-stage tables. */
#include "vtdss.h"

#include "../pt_ops.h"
