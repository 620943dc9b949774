/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * linux_host.h - what an adapter must set before it calls the kernel's code, whichever page table it is of.
 */
#ifndef HITLESS_LINUX_HOST_H
#define HITLESS_LINUX_HOST_H

#include "../engine.h"
#include "stand_in.h"

struct linux_block;

/* Memory that the kernel's code allocated for a domain and that is no table; all zero to begin with. */
struct linux_host {
	struct linux_block *blocks;
};

/* The kernel's code is about to work on a domain: whose memory it has, and whether it goes on where it warns. */
void linux_host_use(struct linux_host *host, struct mem *mem, u64 cbit, bool warn_goes_on);

/* Give back whatever the kernel's code did not. */
void linux_host_release(struct linux_host *host);

/* Where leaves that are dirty are reported to; what iova_bitmap_set is handed. */
struct iova_bitmap {
	engine_dirty_fn *fn;
	void *arg;
};

#endif
