/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * afl_mutator.c - mutate.c as a library for afl-fuzz (AFL_CUSTOM_MUTATOR_LIBRARY), which does not call libFuzzer's hooks; and its trimming, by whole
 * operations and rounds. The interface is that of AFL++ 4.04c, docs/custom_mutators.md; built without instrumentation.
 *
 * HITLESS_FORMAT in the environment: only inputs of this format are made.
 */
#include <stdlib.h>
#include <string.h>

#include "mutate.h"
#include "one_input.h"
#include "options.h"

#define CROSS_EVERY 4

/*
 * struct afl_mutator - for one afl-fuzz.
 *
 * @seed:  of the next mutation
 * @trim:  the input that is being trimmed; @try: what it would be without ops[at, at + nr)
 * @trim_bytes, @try_bytes: how long they are; the input first as it came, which may be shorter than what it means written literally
 * @chunk: how many operations go at once; from half of all down to one
 * @step, @steps: how many tries there have been, and at most
 */
struct afl_mutator {
	struct mutator m;
	uint64_t seed;
	uint8_t *out;
	size_t out_room;
	struct trace trim, try;
	size_t at, nr, chunk, trim_bytes, try_bytes;
	int32_t step, steps;
};

void *afl_custom_init(void *afl, unsigned int seed);
size_t afl_custom_fuzz(void *data, uint8_t *buf, size_t bytes, uint8_t **out, uint8_t *add, size_t add_bytes, size_t max);
int32_t afl_custom_init_trim(void *data, uint8_t *buf, size_t bytes);
size_t afl_custom_trim(void *data, uint8_t **out);
int32_t afl_custom_post_trim(void *data, uint8_t success);
void afl_custom_deinit(void *data);

void *afl_custom_init(void *afl, unsigned int seed)
{
	struct afl_mutator *a = calloc(1, sizeof(*a));
	const char *only = getenv("HITLESS_FORMAT");

	(void)afl;
	if (!a)
		return NULL;
	if (only && *only && !one_input_configs(only)) {
		complain(EXIT_USAGE, "HITLESS_FORMAT: there is no format '%s'", only);
		free(a);
		return NULL;
	}
	mutator_init(&a->m, one_input_configs, only && *only ? only : NULL);
	trace_init(&a->trim);
	trace_init(&a->try);
	a->seed = (uint64_t)seed << 32;
	return a;
}

static uint8_t *afl_out(struct afl_mutator *a, size_t room)
{
	if (room > a->out_room) {
		a->out = realloc(a->out, room);
		if (!a->out)
			abort();
		a->out_room = room;
	}
	return a->out;
}

size_t afl_custom_fuzz(void *data, uint8_t *buf, size_t bytes, uint8_t **out, uint8_t *add, size_t add_bytes, size_t max)
{
	struct afl_mutator *a = data;

	*out = afl_out(a, max > bytes ? max : bytes);
	a->seed++;
	if (add && add_bytes && a->seed % CROSS_EVERY == 0)
		return mutate_cross(&a->m, buf, bytes, add, add_bytes, *out, max, a->seed);
	memcpy(*out, buf, bytes);
	return mutate(&a->m, *out, bytes, max, a->seed);
}

/* The next run of operations to leave out, from the end, that leaves the rounds whole. */
static bool afl_trim_next(struct afl_mutator *a)
{
	while (a->chunk) {
		while (a->at) {
			a->nr = a->at < a->chunk ? a->at : a->chunk;
			a->at -= a->nr;
			a->try.cfg = a->trim.cfg;
			a->try.nr = 0;
			for (size_t i = 0; i < a->trim.nr; i++)
				if (i < a->at || i >= a->at + a->nr)
					trace_push(&a->try, &a->trim.ops[i]);
			if (a->try.nr && ops_whole(a->try.ops, a->try.nr))
				return true;
		}
		a->chunk /= 2;
		a->at = a->trim.nr;
	}
	return false;
}

int32_t afl_custom_init_trim(void *data, uint8_t *buf, size_t bytes)
{
	struct afl_mutator *a = data;
	size_t i;

	if (!mutate_read(&a->m, buf, bytes, &a->m.items))
		return 0;
	a->trim.cfg = a->m.cfg;
	a->trim.nr = 0;
	for (i = 0; i < a->m.items.nr; i++)
		trace_push(&a->trim, &a->m.items.at[i].op);
	a->trim_bytes = bytes;
	a->chunk = a->trim.nr / 2;
	a->at = a->trim.nr;
	a->step = 0;
	a->steps = (int32_t)(2 * a->trim.nr + 16);
	return afl_trim_next(a) ? a->steps : 0;
}

size_t afl_custom_trim(void *data, uint8_t **out)
{
	struct afl_mutator *a = data;
	uint8_t *text;

	/* afl-fuzz copies it over the input; what is not shorter counts as tried in vain. It takes no NULL. */
	*out = afl_out(a, 1);
	if (trace_bin_write(&a->try, &text, &a->try_bytes))
		return 0;
	if (a->try_bytes >= a->trim_bytes)
		a->try_bytes = 0;
	*out = afl_out(a, a->try_bytes + 1);
	memcpy(*out, text, a->try_bytes);
	free(text);
	return a->try_bytes;
}

int32_t afl_custom_post_trim(void *data, uint8_t success)
{
	struct afl_mutator *a = data;
	size_t i;

	if (success) {
		a->trim_bytes = a->try_bytes;
		a->trim.nr = 0;
		for (i = 0; i < a->try.nr; i++)
			trace_push(&a->trim, &a->try.ops[i]);
	}
	a->step++;
	if (a->step >= a->steps || !afl_trim_next(a))
		return a->steps;
	return a->step;
}

void afl_custom_deinit(void *data)
{
	struct afl_mutator *a = data;

	mutator_release(&a->m);
	trace_release(&a->trim);
	trace_release(&a->try);
	free(a->out);
	free(a);
}
