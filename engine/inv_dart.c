/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inv_dart.c - a gather as an Apple DART operation.
 *
 * No public document. From the Asahi Linux reverse-engineering notes: DART invalidates whole streams, chosen by a bitmap (register
 * STREAM_SELECT, then STREAM_COMMAND with its invalidate bit); there is no invalidation by address. low is the bitmap, ours is stream 0;
 * high is 0.
 */
#include "inv.h"

#define DART_STREAMS UINT64_C(1)

void inv_dart(struct mem *mem, const struct config *cfg, const struct inv_geometry *geo, const struct gather *g)
{
	(void)cfg;
	(void)geo;
	(void)g;
	mem_invalidate(mem, TLB_DART, DART_STREAMS, 0);
}
