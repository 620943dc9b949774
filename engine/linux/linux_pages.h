/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * linux_pages.h - pages of table memory as the kernel's allocators hand them out, and what it keeps beside each.
 */
#ifndef HITLESS_LINUX_PAGES_H
#define HITLESS_LINUX_PAGES_H

#include "../gather.h"
#include "stand_in.h"

struct ioptdesc;

/*
 * struct linux_pages - the pages of a domain.
 *
 * @descs:   what the kernel keeps beside each page, by page of the arena
 * @dma_api: tables are made reachable through the DMA API, which may refuse; as anywhere but on x86
 * @refused: an allocation was
 * @joined, @joined_bytes: see linux_pages_join; joined is MEM_NONE if nothing was
 * @joined_out, @joined_live: how many of its parts have been handed out, and how many of these have not come back
 */
struct linux_pages {
	struct ioptdesc *descs;
	bool dma_api, refused;
	uint64_t joined, joined_bytes;
	unsigned joined_nr, joined_out, joined_live;
};

/* linux_pages_init - room for what is kept beside the pages of mem. 0 or -ENOMEM. linux_pages_release gives it back. */
int linux_pages_init(struct linux_pages *pages, const struct mem *mem, bool dma_api);
void linux_pages_release(struct linux_pages *pages);

/* The domain whose pages they are from now on. */
void linux_pages_use(struct linux_pages *pages);

/*
 * linux_pages_join - the next nr allocations of so many bytes are one table, of which each is handed a part: where the oracle takes several roots
 * for one. 0 or -ENOMEM. It is freed with its last part.
 */
int linux_pages_join(struct linux_pages *pages, struct mem *mem, unsigned nr, uint32_t bytes);

/* Put the tables that g is to free onto the kernel's list, and the other way round. */
void linux_pages_to_list(struct gather *g, struct iommu_pages_list *list);
void linux_pages_to_gather(struct iommu_pages_list *list, struct gather *g);

/* Free the table at pa, as the kernel does. */
void linux_pages_free(uint64_t pa);

#endif
