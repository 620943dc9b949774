/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * enumerate_scope.h - one tiny configuration being enumerated: domains, scripts of operations on them, and ranges of units as operations.
 * The ground that the parts of an enumeration stand on.
 */
#ifndef HITLESS_ENUMERATE_SCOPE_H
#define HITLESS_ENUMERATE_SCOPE_H

#include <setjmp.h>

#include "enumerate.h"

/* A half of the iova space, or all of it; nr units. */
struct part {
	uint64_t iova, nr;
};

/* Units first to last of a part; alignment of the oa, up to the part's bits: congruent throughout. */
struct range {
	const struct part *part;
	uint64_t first, last;
	unsigned align;
};

/*
 * struct scope - one configuration being enumerated.
 *
 * @bits:  alignments are 0 to bits: a part has at most 2^bits units
 * @prots: all that the format can express
 * @turn:  what takes turns goes by this number
 * @end:   where a finding goes, and what stops the enumeration otherwise
 */
struct scope {
	struct enumerate *e;
	struct exec x;
	struct config cfg;
	struct hw hw;
	bool quick;
	unsigned unit_lg2, bits, parts_nr, prots_nr;
	struct part parts[2];
	uint8_t prots[PROT_ALL + 1];
	uint64_t turn;
	sigjmp_buf end;
};

/* The hook of s->x; arg is the scope. Does not return. */
void scope_caught(void *arg, const struct verdict *v, const struct op *op);

/* Stop the enumeration, with a line for people. */
void scope_unable(struct scope *s, const char *why) __attribute__((noreturn));

/* Set up @hw, units, parts, alignments and permissions for s->cfg. */
void scope_measure(struct scope *s);

/* A domain, which holds nothing; its end, when everything in it is compared. */
void scope_open(struct scope *s);
void scope_close(struct scope *s);

/* The counts of a domain go with it; for one that a finding has ended. */
void scope_count(struct scope *s);

/* A script begins: what is run from here on should lead to a finding by itself. */
void scope_script(struct scope *s);

enum exec_status scope_op(struct scope *s, const struct op *op);
void scope_cut(struct scope *s, uint64_t iova);
void scope_unmap(struct scope *s, uint64_t iova, uint64_t last);

/* Unmap whatever is left, run by run. */
void scope_rest(struct scope *s);

uint64_t scope_iova(const struct scope *s, const struct part *part, uint64_t unit);

/* The map of a range, with the permissions of number prot, modulo how many there are. Another turn gives another oa. */
struct op scope_map_op(const struct scope *s, const struct range *r, unsigned prot);

bool scope_inside_leaf(const struct scope *s, uint64_t iova);

/* Whether no larger alignment of the oa gives the range the same leaves. */
bool scope_align_counts(const struct scope *s, unsigned align);

/* --- enumerate_device.c, enumerate_fail.c, enumerate_writers.c --- */

void enumerate_devices(struct scope *s, const struct part *part);
void enumerate_failures(struct scope *s, const struct part *part);
void enumerate_writers(struct scope *s, const struct part *part);

#endif
