/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * linux_pages.h - pages of table memory as the kernel's allocator hands them out, and what it keeps beside each.
 */
#ifndef HITLESS_LINUX_PAGES_H
#define HITLESS_LINUX_PAGES_H

#include "linux_ops.h"

/* linux_pages_init - room for what is kept beside the pages of d->mem. 0 or -ENOMEM. linux_pages_release gives it back. */
int linux_pages_init(struct linux_domain *d);
void linux_pages_release(struct linux_domain *d);

/* The domain whose pages they are from now on. */
void linux_pages_use(struct linux_domain *d);

/* Whether making a page reachable for a device that does not snoop may fail. */
extern const bool linux_mapping_may_fail;

/* Put the tables that g is to free onto the kernel's list, and the other way round. */
void linux_pages_to_list(struct gather *g, struct iommu_pages_list *list);
void linux_pages_to_gather(struct iommu_pages_list *list, struct gather *g);

/* Free the table at pa, as the kernel does. */
void linux_pages_free(uint64_t pa);

#endif
