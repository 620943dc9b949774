/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * random_op.h - for tests of the trace forms: operations with any fields, and configurations with any set of keys. They make no sense
 * together.
 */
#ifndef HITLESS_RANDOM_OP_H
#define HITLESS_RANDOM_OP_H

#include <stdint.h>
#include <string.h>

#include "../fuzzers/config_key.h"
#include "../fuzzers/op.h"

/* xorshift64*; *state is not 0. */
static inline uint64_t random_u64(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(0x2545f4914f6cdd1d);
}

static inline uint32_t random_below(uint64_t *state, uint32_t bound)
{
	return (random_u64(state) >> 32) * bound >> 32;
}

/* Any width is as likely as any other; now and then the extremes. */
static inline uint64_t random_number(uint64_t *state)
{
	uint64_t value = random_u64(state) >> random_below(state, 64);

	switch (random_below(state, 8)) {
	case 0:
		return 0;
	case 1:
		return UINT64_MAX - random_below(state, 2);
	case 2:
		return value & ~UINT64_C(0xfff);
	default:
		return value;
	}
}

/* Fields that the kind does not use are 0, as the text form reads them. */
static inline void random_op(uint64_t *state, struct op *op)
{
	memset(op, 0, sizeof(*op));
	op->kind = random_below(state, OP_NR);
	if (op->kind == OP_SWITCH) {
		for (unsigned nr = random_below(state, OP_SWITCHES_MAX + 1); op->switches_nr < nr; op->switches_nr++)
			op->switches[op->switches_nr] = (struct op_switch){ .writer = 1 + random_below(state, MEM_WRITERS_MAX),
									    .to = 1 + random_below(state, MEM_WRITERS_MAX),
									    .at = op->switches_nr << 11 | random_number(state) >> 53 };
		return;
	}
	op->thread = op_may_thread(op->kind) && !random_below(state, 3) ? 1 + random_below(state, MEM_WRITERS_MAX) : 0;
	if (op->kind != OP_SYNC)
		op->iova = random_number(state);
	if (op->kind == OP_MAP || op->kind == OP_UNMAP || op->kind == OP_DIRTY)
		op->last = random_below(state, 4) ? op->iova + random_number(state) : random_number(state);
	if (op->kind == OP_MAP) {
		op->oa = random_number(state);
		op->prot = random_u64(state);
	}
	if (op->kind > OP_DIRTY)
		return;
	op->clear = op->kind == OP_DIRTY && random_below(state, 2);
	op->fail = random_below(state, 4) ? 0 : random_number(state);
	op->devices_nr = op->thread || random_below(state, 4) ? 0 : random_below(state, OP_DEVICES_MAX + 1);
	for (unsigned i = 0; i < op->devices_nr; i++) {
		op->devices[i].at = random_number(state);
		op->devices[i].write = random_below(state, 2);
		op->devices[i].iova = random_number(state);
	}
}

/* One more operation, or a switch for those that wait; rounds are whole when random_trace_end has been called. */
static inline void random_trace_push(uint64_t *state, struct trace *t)
{
	size_t waiting = ops_waiting(t->ops, t->nr), i;
	struct op op;

	do
		random_op(state, &op);
	while (op.kind == OP_SWITCH && !waiting);
	for (i = 0; op.kind == OP_SWITCH && i < op.switches_nr; i++) {
		op.switches[i].writer = t->ops[t->nr - 1 - random_below(state, (uint32_t)waiting)].thread;
		op.switches[i].to = t->ops[t->nr - 1 - random_below(state, (uint32_t)waiting)].thread;
	}
	trace_push_whole(t, &op);
}

static inline void random_trace_end(struct trace *t)
{
	t->nr -= ops_waiting(t->ops, t->nr);
}

static inline void random_config(uint64_t *state, const char *format, struct config *cfg)
{
	config_unset(cfg);
	strcpy(cfg->format, format);
	for (unsigned i = 0; i < CONFIG_KEYS_NR; i++) {
		const struct config_key *key = &config_keys[i];
		uint64_t value = 0;

		if (random_below(state, 2))
			continue;
		do
			value = key->kind == CONFIG_BITMAP ? random_number(state) & ~UINT64_C(0xfff) : random_below(state, key->max + 1u);
		while (!config_fits(key, value));
		config_set(cfg, key, value);
	}
}

#endif
