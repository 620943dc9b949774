/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mutate.c - changes which operations a trace has, and its configuration; see mutate.h. What one operation is, is fit.c's. */
#include "mutate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_key.h"
#include "exec.h"
#include "gen_round.h"

#define RUN_MAX 8 /* operations that are deleted, copied or spliced at once: mostly */
#define REST_MAX 24 /* operations that are made anew at once */
#define CONFIG_TRIES 8
#define ROUND_SWITCHES_MAX 4
#define ROUND_ONE_IN 8 /* of what is new so much is a round */
#define ROUND_POINTS_LG2 8 /* from one switch to the next, at most: as many primitives as a usual round has */

void mutator_init(struct mutator *m, trace_configs_fn *configs, const char *only)
{
	memset(m, 0, sizeof(*m));
	m->configs = configs;
	m->only = only;
	m->rounds = true;
	trace_init(&m->to);
}

void mutator_release(struct mutator *m)
{
	guess_close(&m->guess);
	trace_release(&m->to);
	free(m->items.at);
	free(m->others.at);
}

static uint32_t below(struct mutator *m, size_t bound)
{
	return rng_below(&m->rng, (uint32_t)bound);
}

/* --- lists of items --- */

/* Make room for nr items at idx. They hold nothing yet. */
static struct mutate_item *items_open(struct mutate_items *s, size_t idx, size_t nr)
{
	if (s->nr + nr > s->room) {
		s->room = 2 * (s->nr + nr);
		s->at = realloc(s->at, s->room * sizeof(*s->at));
		if (!s->at)
			abort();
	}
	memmove(s->at + idx + nr, s->at + idx, (s->nr - idx) * sizeof(*s->at));
	s->nr += nr;
	return s->at + idx;
}

static void items_remove(struct mutate_items *s, size_t idx, size_t nr)
{
	/* An empty list may be none at all. */
	if (!nr)
		return;
	memmove(s->at + idx, s->at + idx + nr, (s->nr - idx - nr) * sizeof(*s->at));
	s->nr -= nr;
}

/* Copies of from[first, first + nr), which may be s itself, at idx. */
static void items_copy(struct mutate_items *s, size_t idx, const struct mutate_items *from, size_t first, size_t nr)
{
	struct mutate_item *copy;

	if (!nr)
		return;
	copy = malloc(nr * sizeof(*copy));
	if (!copy)
		abort();
	memcpy(copy, from->at + first, nr * sizeof(*copy));
	memcpy(items_open(s, idx, nr), copy, nr * sizeof(*copy));
	free(copy);
}

/* Whether something may be put in before idx: not in the middle of a round. */
static bool items_apart(const struct mutate_items *s, size_t idx)
{
	return !idx || idx >= s->nr || !s->at[idx - 1].op.thread || !op_may_thread(s->at[idx - 1].op.kind);
}

static size_t items_place(struct mutator *m, const struct mutate_items *s)
{
	size_t idx = below(m, s->nr + 1);

	while (!items_apart(s, idx))
		idx++;
	return idx;
}

/* A run of whole rounds and single operations. Returns how many items, 0 if there are none. */
static size_t items_run(struct mutator *m, const struct mutate_items *s, size_t *first)
{
	size_t nr;

	if (!s->nr)
		return 0;
	*first = items_place(m, s);
	if (*first == s->nr)
		*first = 0;
	nr = 1 + (below(m, 4) ? below(m, below(m, 2) ? 2 : RUN_MAX) : below(m, s->nr));
	if (nr > s->nr - *first)
		nr = s->nr - *first;
	while (!items_apart(s, *first + nr))
		nr++;
	return nr;
}

/* --- reading --- */

/* Whether cfg can be run; then it is what m is about. */
static bool take_config(struct mutator *m, const struct config *cfg)
{
	struct config resolved = *cfg;
	char err[240];

	if (exec_resolve(&resolved, err, sizeof(err)) || guess_open(&m->guess, &resolved))
		return false;
	m->cfg = *cfg;
	m->resolved = resolved;
	return true;
}

/* The next operation of what is read. As one_input.c has it: half a round is none, nor is one that may not run. */
static void take_op(struct mutator *m, struct mutate_items *items, const struct op *op)
{
	enum guess_how how;

	if (!trace_push_whole(&m->to, op))
		return;
	items->nr = m->to.nr - 1;
	how = guess_op(&m->guess, op);
	if (op->kind == OP_SWITCH && how == GUESS_FORBIDDEN) {
		m->to.nr -= 1 + ops_waiting(m->to.ops, m->to.nr - 1);
		items->nr = m->to.nr;
		return;
	}
	*items_open(items, items->nr, 1) = (struct mutate_item){ .op = *op, .how = (uint8_t)how };
}

bool mutate_read(struct mutator *m, const uint8_t *buf, size_t bytes, struct mutate_items *items)
{
	struct trace_bin b;
	struct op op;

	items->nr = 0;
	trace_bin_open(&b, buf, bytes, m->configs);
	if ((m->only && strcmp(b.cfg.format, m->only)) || !take_config(m, &b.cfg))
		return false;
	m->to.nr = 0;
	while (items->nr < MUTATE_OPS_MAX && trace_bin_next(&b, &m->guess.check.im, &m->guess.check.hw, &op))
		take_op(m, items, &op);
	items->nr -= ops_waiting(m->to.ops, m->to.nr);
	return true;
}

bool mutate_take(struct mutator *m, const struct config *cfg, const struct op *ops, size_t nr, struct mutate_items *items)
{
	size_t i;

	items->nr = 0;
	if (!take_config(m, cfg))
		return false;
	m->to.nr = 0;
	for (i = 0; i < nr && items->nr < MUTATE_OPS_MAX; i++)
		take_op(m, items, &ops[i]);
	items->nr -= ops_waiting(m->to.ops, m->to.nr);
	return true;
}

/* --- configurations --- */

/* One from the list of a format; that format, or any. */
static bool pick_listed(struct mutator *m, const char *format)
{
	const char *const *list;
	struct trace_error err;
	struct config cfg;
	unsigned nr = 0;

	if (!format)
		format = m->only ? m->only : trace_formats[below(m, TRACE_FORMATS_NR)];
	list = m->configs(format);
	while (list && list[nr])
		nr++;
	return nr && !config_parse(list[below(m, nr)], &cfg, &err) && take_config(m, &cfg);
}

static void any_config(struct mutator *m)
{
	unsigned i;

	for (i = 0; i < 64 * CONFIG_TRIES && !pick_listed(m, NULL); i++)
		;
}

/* Another of the format's, one key otherwise, or another format. What cannot be run is not taken. */
static void change_config(struct mutator *m)
{
	const struct config_key *key;
	struct config cfg;
	unsigned i, how = below(m, 4);

	for (i = 0; m->configs && i < CONFIG_TRIES; i++) {
		if (how < 2) {
			if (pick_listed(m, how ? m->cfg.format : NULL))
				return;
			continue;
		}
		cfg = m->cfg;
		key = &config_keys[below(m, CONFIG_KEYS_NR)];
		if (key->kind == CONFIG_BITMAP)
			config_set(&cfg, key, m->guess.check.hw.leaf_sizes & (rng_next(&m->rng) | rng_next(&m->rng)));
		else if (below(m, 4))
			config_set(&cfg, key, key->min + below(m, key->max - key->min + 1u));
		else
			config_set(&cfg, key, CONFIG_UNSET);
		if ((key->kind != CONFIG_BITMAP || config_fits(key, config_get(&cfg, key))) && take_config(m, &cfg))
			return;
	}
}

/* --- changes --- */

static void change_insert(struct mutator *m)
{
	size_t idx = items_place(m, &m->items), nr = 1 + (below(m, 4) ? 0 : below(m, 3));
	struct mutate_item *item = items_open(&m->items, idx, nr);

	while (nr--)
		*item++ = (struct mutate_item){ .edit = FIT_FRESH };
}

static void change_delete(struct mutator *m)
{
	size_t first, nr = items_run(m, &m->items, &first);

	if (nr && nr < m->items.nr)
		items_remove(&m->items, first, nr);
}

static void change_duplicate(struct mutator *m)
{
	size_t first, nr = items_run(m, &m->items, &first);

	if (nr)
		items_copy(&m->items, below(m, 2) ? first + nr : items_place(m, &m->items), &m->items, first, nr);
}

/* A run goes to another place. */
static void change_swap(struct mutator *m)
{
	size_t first, nr = items_run(m, &m->items, &first), place;

	if (!nr || nr == m->items.nr)
		return;
	place = items_place(m, &m->items);
	if (place >= first && place <= first + nr)
		return;
	items_copy(&m->items, place, &m->items, first, nr);
	items_remove(&m->items, place < first ? first + nr : first, nr);
}

/* A run takes the place of another one; from the other input if there is one. */
static void change_splice(struct mutator *m)
{
	const struct mutate_items *from = m->others.nr ? &m->others : &m->items;
	size_t first, nr = items_run(m, from, &first), place, gone = 0;

	if (!nr)
		return;
	place = items_place(m, &m->items);
	items_copy(&m->items, place, from, first, nr);
	place += nr;
	if (below(m, 2) && place < m->items.nr)
		for (gone = 1; gone < nr && place + gone < m->items.nr; gone++)
			;
	while (gone && !items_apart(&m->items, place + gone))
		gone++;
	items_remove(&m->items, place, gone);
}

static void change_one(struct mutator *m)
{
	static const uint8_t edits[16] = { FIT_MOVE,   FIT_MOVE,   FIT_MOVE,   FIT_MOVE,   FIT_TARGET,  FIT_TARGET,  FIT_TARGET,  FIT_TARGET,
					   FIT_EXTRAS, FIT_EXTRAS, FIT_EXTRAS, FIT_EXTRAS, FIT_MEANING, FIT_MEANING, FIT_MEANING, FIT_FRESH };

	if (m->items.nr)
		m->items.at[below(m, m->items.nr)].edit = edits[below(m, 16)];
}

/* What follows a place, or what would follow the end, is made anew: what one state leads to is looked at from several sides. */
static void change_rest(struct mutator *m)
{
	size_t idx = below(m, 2) ? m->items.nr : items_place(m, &m->items), nr = 1 + below(m, REST_MAX);
	struct mutate_item *item;

	items_remove(&m->items, idx, m->items.nr - idx);
	item = items_open(&m->items, idx, nr);
	while (nr--)
		*item++ = (struct mutate_item){ .edit = FIT_FRESH };
}

/* A switch for nr writers, at random. */
static void any_schedule(struct mutator *m, size_t nr, struct op *round)
{
	unsigned i;

	*round = (struct op){ .kind = OP_SWITCH };
	for (i = below(m, ROUND_SWITCHES_MAX + 1); i; i--) {
		struct op_switch *s = &round->switches[round->switches_nr];

		s->writer = (uint8_t)(1 + below(m, nr));
		s->to = (uint8_t)(1 + (s->writer + below(m, nr - 1)) % nr);
		/* Ever further on, so that no two are at one place. */
		s->at = (uint16_t)((round->switches_nr ? s[-1].at + 1u : 0) + below(m, 1u << below(m, ROUND_POINTS_LG2 + 1)));
		round->switches_nr++;
	}
}

/* Two or three operations become a round, or a round single operations. Where they touch the same it is undone when their turn comes. */
static void change_round(struct mutator *m)
{
	size_t idx = below(m, m->items.nr + 1), nr = 0, i;
	struct mutate_item *item;
	struct op round;

	if (!m->rounds)
		return;
	if (idx < m->items.nr && m->items.at[idx].op.kind == OP_SWITCH) {
		items_remove(&m->items, idx, 1);
		while (idx-- && m->items.at[idx].op.thread)
			m->items.at[idx].op.thread = 0;
		return;
	}
	while (nr < 2 + below(m, 2) && nr < MEM_WRITERS_MAX && idx + nr < m->items.nr && op_may_thread(m->items.at[idx + nr].op.kind) &&
	       !m->items.at[idx + nr].op.thread)
		nr++;
	if (nr < 2)
		return;
	for (i = 0; i < nr; i++) {
		m->items.at[idx + i].op.thread = (uint8_t)(i + 1);
		m->items.at[idx + i].op.devices_nr = 0;
	}
	any_schedule(m, nr, &round);
	item = items_open(&m->items, idx + nr, 1);
	*item = (struct mutate_item){ .op = round };
}

/* --- the result --- */

static enum guess_how emit(struct mutator *m, const struct op *op)
{
	if (!trace_push_whole(&m->to, op))
		return GUESS_FORBIDDEN;
	pick_seen(&m->fit.pick, op);
	pick_seen(&m->gen.pick, op);
	return guess_op(&m->guess, op);
}

static void emit_sync(struct mutator *m)
{
	emit(m, &(struct op){ .kind = OP_SYNC });
}

/* A round that may not run: its operations one after the other. */
static void emit_apart(struct mutator *m)
{
	size_t nr = ops_waiting(m->to.ops, m->to.nr), i;
	struct op ops[MEM_WRITERS_MAX];

	memcpy(ops, m->to.ops + m->to.nr - nr, nr * sizeof(*ops));
	m->to.nr -= nr;
	m->guess.round_nr = 0;
	for (i = 0; i < nr; i++) {
		ops[i].thread = 0;
		if (!fit_op(&m->fit, &ops[i]))
			emit_sync(m);
		emit(m, &ops[i]);
	}
}

static void emit_switch(struct mutator *m, const struct op *op)
{
	if (guess_look(&m->guess, op) == GUESS_FORBIDDEN)
		emit_apart(m);
	else
		emit(m, op);
}

/* What is new: an operation, or a round. */
static void emit_fresh(struct mutator *m)
{
	struct op ops[MEM_WRITERS_MAX + 1];
	unsigned nr = m->rounds && !below(m, ROUND_ONE_IN) ? gen_round(&m->gen, ops) : 0, i;

	for (i = 0; i < nr; i++)
		emit(m, &ops[i]);
	if (nr) {
		any_schedule(m, nr, &ops[nr]);
		emit_switch(m, &ops[nr]);
		return;
	}
	gen_next(&m->gen, &ops[0]);
	if (guess_look(&m->guess, &ops[0]) == GUESS_FORBIDDEN)
		emit_sync(m);
	emit(m, &ops[0]);
}

static void emit_item(struct mutator *m, const struct mutate_item *item)
{
	struct op op = item->op;
	bool keep;

	if (item->edit == FIT_FRESH && !op.thread && op.kind != OP_SWITCH) {
		emit_fresh(m);
		return;
	}
	fit_edit(&m->fit, (enum fit_edit)item->edit, &op);
	if (op.kind == OP_SWITCH) {
		emit_switch(m, &op);
		return;
	}
	/* What was refused before was perhaps kept for that. */
	keep = item->edit == FIT_SPOIL || (item->edit == FIT_KEEP && (item->how == GUESS_REFUSED || (item->how == GUESS_ARGUMENT && !below(m, 4))));
	if (keep)
		keep = guess_look(&m->guess, &op) < GUESS_FORBIDDEN;
	/* In the middle of a round no sync may come: then the round will not run either. */
	if (!keep && !fit_op(&m->fit, &op) && !op.thread)
		emit_sync(m);
	emit(m, &op);
}

static void emit_all(struct mutator *m)
{
	size_t i;

	m->to.nr = 0;
	m->to.cfg = m->cfg;
	fit_open(&m->fit, &m->rng, &m->guess);
	gen_init(&m->gen, rng_next(&m->rng), GEN_VARIED, &m->guess.check.im, &m->guess.check.hw);
	m->gen.pick.leaves_max = m->fit.pick.leaves_max;
	for (i = 0; i < m->items.nr && m->to.nr < MUTATE_OPS_MAX; i++)
		emit_item(m, &m->items.at[i]);
	m->to.nr -= ops_waiting(m->to.ops, m->to.nr);
}

void mutate_trace(struct mutator *m)
{
	/* How often each change is made, of 32: with others to be had, splicing comes first. */
	static void (*const changes[32])(struct mutator *) = {
		change_insert,    change_insert,    change_insert, change_insert, change_insert, change_insert, change_delete, change_delete,
		change_delete,    change_duplicate, change_duplicate, change_swap, change_swap,  change_splice, change_splice, change_round,
		change_one,       change_one,       change_one,    change_one,    change_one,    change_one,    change_one,    change_one,
		change_one,       change_one,       change_one,    change_one,    change_one,    change_one,    change_round,  change_config,
	};
	unsigned nr = 1 + below(m, 2) + (below(m, 4) ? 0 : below(m, 6));

	/* All of a trace is run for the little that is changed: in a long one more is. */
	if (!below(m, 4))
		nr += below(m, m->items.nr / 4 + 1);
	if (m->others.nr)
		change_splice(m);
	if (!below(m, 3))
		change_rest(m);
	while (nr--)
		changes[below(m, 32)](m);
	if (!m->items.nr)
		change_insert(m);
	if (!below(m, 32))
		m->items.at[below(m, m->items.nr)].edit = FIT_SPOIL;
	/* Changing the configuration has left a domain with nothing mapped; reading the input has not. */
	if (!guess_open(&m->guess, &m->resolved))
		emit_all(m);
}

size_t mutate_write(struct mutator *m, uint8_t *buf, size_t max)
{
	uint8_t *text;
	size_t bytes;

	while (!trace_bin_write(&m->to, &text, &bytes)) {
		if (bytes <= max) {
			memcpy(buf, text, bytes);
			free(text);
			return bytes;
		}
		free(text);
		if (!m->to.nr)
			return 0;
		/* Operations differ in length; this leaves out rather too few at once. */
		m->to.nr -= 1 + m->to.nr * (bytes - max) / bytes / 2;
		while (m->to.nr && !ops_whole(m->to.ops, m->to.nr))
			m->to.nr--;
	}
	return 0;
}

static size_t mutate_read_and_write(struct mutator *m, const uint8_t *a, size_t a_bytes, uint8_t *out, size_t max)
{
	if (!mutate_read(m, a, a_bytes, &m->items))
		any_config(m);
	mutate_trace(m);
	return mutate_write(m, out, max);
}

size_t mutate(struct mutator *m, uint8_t *buf, size_t bytes, size_t max, uint64_t seed)
{
	rng_init(&m->rng, seed);
	m->others.nr = 0;
	return mutate_read_and_write(m, buf, bytes, buf, max);
}

size_t mutate_cross(struct mutator *m, const uint8_t *a, size_t a_bytes, const uint8_t *b, size_t b_bytes, uint8_t *out, size_t max,
		    uint64_t seed)
{
	const char *only = m->only;

	rng_init(&m->rng, seed);
	/* What it is of does not matter: its operations are made to fit. */
	m->only = NULL;
	mutate_read(m, b, b_bytes, &m->others);
	m->only = only;
	return mutate_read_and_write(m, a, a_bytes, out, max);
}
