/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The made-up format toy: its types. */
#ifndef __GENERIC_PT_FMT_DEFS_TOY_H
#define __GENERIC_PT_FMT_DEFS_TOY_H

#include <linux/generic_pt/toy.h>
#include <linux/types.h>

typedef u64 pt_vaddr_t;
typedef u64 pt_oaddr_t;

struct toy_pt_write_attrs {
	u64 bits;
	gfp_t gfp;
};
#define pt_write_attrs toy_pt_write_attrs

#endif
