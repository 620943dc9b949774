/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * program.h - a program: stores, write-backs and invalidations issued by hand in place of an engine's operation, and what is reported of them.
 * The domain is one of full size, made and mapped by the engine. Operations of tiny domains, of which nothing is reported, are hand.h's.
 */
#ifndef HITLESS_PROGRAM_H
#define HITLESS_PROGRAM_H

#include <setjmp.h>

#include "../fuzzers/exec.h"
#include "../oracle/walk.h"

#define PROGRAM_RW (PROT_R | PROT_W)

/*
 * struct program - one at a time.
 *
 * @trying: a finding is kept in @seen and goes on at @caught; otherwise it fails the running test
 * @seen: its class is VERDICT_NR: nothing was found
 * @call, @res: of program_begin
 */
struct program {
	struct exec x;
	bool trying;
	sigjmp_buf caught;
	struct verdict seen;
	struct call call;
	struct call_result res;
};

extern struct program program;

/* For cmocka: reserve memory, give it back. */
int program_set_up(void **state);
int program_tear_down(void **state);

/* program_open - an empty domain of a configuration; ends with exec_abandon(&program.x). */
void program_open(const char *config);

/* The engine maps [iova, last], checked; fails the running test if it does not. */
void program_map(uint64_t iova, uint64_t last, uint64_t oa, unsigned prot);
void program_unmap(uint64_t iova, uint64_t last);

/* The walk of iova, which is mapped. program_leaf: its last step; program_pointer: the step before that. */
void program_look(uint64_t iova, struct walk *w);
struct walk_step program_leaf(uint64_t iova);
struct walk_step program_pointer(uint64_t iova);

/* program_begin - call begins, and will have returned res; what follows is its log. */
void program_begin(struct call call, struct call_result res);

/* program_end - the call has returned: everything is compared. program_try: run fn and keep what it finds. */
void program_end(void);
void program_try(void (*fn)(void));

/* Fail the running test, which is about name, if what was found is not of this class; VERDICT_NR: nothing. */
void program_expect(const char *name, enum verdict_class class);

/* A new table of a level, within the device's reach. */
uint64_t program_table(unsigned level);

/* Store an item, relaxed; write bytes back. */
void program_store(uint64_t pa, uint64_t raw);
void program_flush(uint64_t pa, uint64_t bytes);

/* Invalidate leaves of 2^size_lg2 bytes, which lie at level, or pointers to tables that lie at level, in [iova, last], and wait. */
void program_invalidate(uint64_t iova, uint64_t last, unsigned level, unsigned size_lg2);
void program_invalidate_pointers(uint64_t iova, uint64_t last, unsigned level);

#endif
