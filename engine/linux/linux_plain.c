/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * linux_plain.c - loads and stores of table memory that the kernel's code makes with ordinary assignments.
 *
 * No macro stands between such an assignment and memory. But a compiler that is told to instrument for the thread sanitizer calls a function
 * with the address before each access, and links with whatever defines these functions; the kernel's own race detector (KCSAN) is made in
 * the same way. So the files that store plainly are compiled like that, and the functions are here: an access to table memory is handed to
 * mem, every other one is let through. What is stored is not known when the call comes: mem_plain_store says how it gets into the log all
 * the same, in its place. This file itself is not instrumented.
 */
#include "kernel_memory.h"

/* The compiler's names for what it calls. */
#define PLAIN(name) __tsan_##name

/* Its address kept from what the pointer was made of: see phys_to_virt. */
static void plain_nowhere(const volatile void *p, enum mem_fault fault)
{
	if (unlikely((uintptr_t)p & LINUX_NOWHERE))
		mem_fail(linux_mem, fault, (uintptr_t)p & ~LINUX_NOWHERE, "outside every table");
}

u64 linux_plain_read(const volatile void *p, size_t bytes);
u64 linux_plain_read(const volatile void *p, size_t bytes)
{
	plain_nowhere(p, MEM_FAULT_WILD_LOAD);
	return linux_read(p, bytes);
}

void linux_plain_write(volatile void *p, size_t bytes, u64 val, enum mem_order order);
void linux_plain_write(volatile void *p, size_t bytes, u64 val, enum mem_order order)
{
	plain_nowhere(p, MEM_FAULT_WILD_STORE);
	linux_write(p, bytes, val, order);
}

bool linux_plain_cas(volatile void *p, size_t bytes, u64 *old, u64 val, enum linux_cas_order how);
bool linux_plain_cas(volatile void *p, size_t bytes, u64 *old, u64 val, enum linux_cas_order how)
{
	plain_nowhere(p, MEM_FAULT_WILD_STORE);
	return linux_cas(p, bytes, old, val, how);
}

void linux_plain_fence(void);
void linux_plain_fence(void)
{
	mem_fence(linux_mem);
}

static void plain_load(const volatile void *p, size_t bytes)
{
	if (linux_is_table(p))
		linux_read(p, bytes);
	else
		plain_nowhere(p, MEM_FAULT_WILD_LOAD);
}

static void plain_store(const volatile void *p, size_t bytes)
{
	if (!linux_is_table(p))
		plain_nowhere(p, MEM_FAULT_WILD_STORE);
	else if (bytes != 4 && bytes != 8)
		linux_bad_access(p);
	else if (linux_mem->observed)
		mem_plain_store(linux_mem, linux_pa(p), bytes == 4 ? 2 : 3);
}

/* Ranges: of a structure that is copied, or of memory that is set. */
static void plain_no_table(const volatile void *p)
{
	if (linux_is_table(p))
		linux_bad_access(p);
}

#define PLAIN_SIZE(kind, bytes, prefix, what)     \
	void PLAIN(prefix##kind##bytes)(void *p); \
	void PLAIN(prefix##kind##bytes)(void *p)  \
	{                                         \
		what(p, bytes);                   \
	}

#define PLAIN_SIZES(bytes)                              \
	PLAIN_SIZE(read, bytes, , plain_load)           \
	PLAIN_SIZE(write, bytes, , plain_store)         \
	PLAIN_SIZE(read, bytes, unaligned_, plain_load) \
	PLAIN_SIZE(write, bytes, unaligned_, plain_store)

PLAIN_SIZES(1)
PLAIN_SIZES(2)
PLAIN_SIZES(4)
PLAIN_SIZES(8)
PLAIN_SIZES(16)

void PLAIN(read_range)(void *p, unsigned long bytes);
void PLAIN(read_range)(void *p, unsigned long bytes)
{
	(void)bytes;
	plain_no_table(p);
}

void PLAIN(write_range)(void *p, unsigned long bytes);
void PLAIN(write_range)(void *p, unsigned long bytes)
{
	(void)bytes;
	plain_no_table(p);
}

void *PLAIN(memcpy)(void *to, const void *from, size_t bytes);
void *PLAIN(memcpy)(void *to, const void *from, size_t bytes)
{
	plain_no_table(to);
	plain_no_table(from);
	return memcpy(to, from, bytes);
}

void *PLAIN(memmove)(void *to, const void *from, size_t bytes);
void *PLAIN(memmove)(void *to, const void *from, size_t bytes)
{
	plain_no_table(to);
	plain_no_table(from);
	return memmove(to, from, bytes);
}

void *PLAIN(memset)(void *to, int val, size_t bytes);
void *PLAIN(memset)(void *to, int val, size_t bytes)
{
	plain_no_table(to);
	return memset(to, val, bytes);
}

/* Counters of the coverage build: there is nothing else atomic in these files. */
u64 PLAIN(atomic64_load)(const volatile u64 *p, int order);
u64 PLAIN(atomic64_load)(const volatile u64 *p, int order)
{
	(void)order;
	plain_no_table(p);
	return __atomic_load_n(p, __ATOMIC_RELAXED);
}

u64 PLAIN(atomic64_fetch_add)(volatile u64 *p, u64 val, int order);
u64 PLAIN(atomic64_fetch_add)(volatile u64 *p, u64 val, int order)
{
	(void)order;
	plain_no_table(p);
	return __atomic_fetch_add(p, val, __ATOMIC_RELAXED);
}

void PLAIN(init)(void);
void PLAIN(init)(void)
{
}

void PLAIN(func_entry)(void *from);
void PLAIN(func_entry)(void *from)
{
	(void)from;
}

void PLAIN(func_exit)(void);
void PLAIN(func_exit)(void)
{
}
