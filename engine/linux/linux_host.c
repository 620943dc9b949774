/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * linux_host.c - stands in for what the kernel's page tables call and that is neither table memory nor a driver: warnings, allocations, reports.
 */
#include "linux_host.h"

#include <stdio.h>
#include <stdlib.h>

#define LINUX_UNSET 0xa5 /* what memory holds that was not asked for zeroed */

struct linux_block {
	struct linux_block *next;
	max_align_t memory[];
};

struct mem *linux_mem;
u64 linux_cbit;
bool linux_warn_goes_on;

static struct linux_host *linux_host_now;

void linux_host_use(struct linux_host *host, struct mem *mem, u64 cbit, bool warn_goes_on)
{
	linux_host_now = host;
	linux_mem = mem;
	linux_cbit = cbit;
	linux_warn_goes_on = warn_goes_on;
}

void linux_host_release(struct linux_host *host)
{
	struct linux_block *next;

	for (; host->blocks; host->blocks = next) {
		next = host->blocks->next;
		free(host->blocks);
	}
}

void *linux_kmalloc(size_t bytes, bool zeroed)
{
	struct linux_block *b = malloc(sizeof(*b) + bytes);

	if (!b)
		abort();
	memset(b->memory, zeroed ? 0 : LINUX_UNSET, bytes);
	b->next = linux_host_now->blocks;
	linux_host_now->blocks = b;
	return b->memory;
}

void kfree(const void *ptr)
{
	struct linux_block **at = &linux_host_now->blocks, *b;

	if (!ptr)
		return;
	while (*at && (*at)->memory != ptr)
		at = &(*at)->next;
	b = *at;
	if (!b)
		mem_fail(linux_mem, MEM_FAULT_DOUBLE_FREE, MEM_NONE, "kfree of what was not allocated");
	*at = b->next;
	free(b);
}

static void __attribute__((noreturn)) linux_report(const char *what, const char *file, int line)
{
	static char text[240];
	const char *slash = strrchr(file, '/');

	snprintf(text, sizeof(text), "the kernel warns: %s at %s:%d", what, slash ? slash + 1 : file, line);
	mem_fail(linux_mem, MEM_FAULT_INVARIANT, MEM_NONE, text);
}

void linux_warn(const char *what, const char *file, int line)
{
	if (!linux_warn_goes_on)
		linux_report(what, file, line);
}

void linux_unreachable(const char *where)
{
	linux_report("code that is to be compiled away was reached", where, 0);
}

void linux_bad_access(const volatile void *virt)
{
	mem_fail(linux_mem, MEM_FAULT_WILD_STORE, linux_pa(virt), "an access that is not of one item");
}

/* The kernel's code calls this where a format has no software bits. */
void __pt_no_sw_bit(void);
void __pt_no_sw_bit(void)
{
	linux_unreachable(__func__);
}

void iova_bitmap_set(struct iova_bitmap *bitmap, unsigned long iova, size_t bytes)
{
	bitmap->fn(bitmap->arg, iova, iova + bytes - 1);
}
