/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * judge_stub.h - a small program in a judge's guest that answers questions from a mailbox in its RAM.
 *
 * What the mailbox's first words and its questions mean is the same for all; the rest, and the kinds of question, are each stub's own.
 */
#ifndef HITLESS_JUDGE_STUB_H
#define HITLESS_JUDGE_STUB_H

#include "judge.h"

/* One question as a stub reads it. */
struct stub_ask {
	uint64_t kind, address, value, answer;
};

#define STUB_ASKS_MAX 16384

/*
 * struct stub_box - the mailbox.
 *
 * @go, @done: a batch is handed over by raising go; the stub answers it and makes done the same
 * @nr:        of questions
 * @words:     settings, by the stub's own order; @told: what the stub says about its machine
 */
struct stub_box {
	uint64_t go, done, nr, pad[5];
	uint64_t words[24];
	uint64_t told[224];
	uint64_t more[256];
	struct stub_ask asks[STUB_ASKS_MAX];
};

_Static_assert(offsetof(struct stub_box, words) == 0x40 && offsetof(struct stub_box, told) == 0x100, "the stubs know these places");
_Static_assert(offsetof(struct stub_box, asks) == 0x1000, "the stubs know this place");

/* stub_place - copy a stub to pa and clear its mailbox. 0 or -errno with j->why. */
int stub_place(struct judge *j, uint64_t pa, const uint8_t *bytes, size_t nr, uint64_t box_pa, struct stub_box **box);

/*
 * stub_arena - where tables lie for a configuration, in a guest's RAM of bytes from ram on, which is below 3G and reaches beyond 4G: the stub and its
 * mailbox are in the first 64M.
 */
uint64_t stub_arena(const struct config *cfg, uint64_t ram, uint64_t bytes);

/* stub_run - hand over the first nr questions and wait for their answers. 0 or -errno with j->why. */
int stub_run(struct judge *j, struct qemu *q, struct stub_box *box, size_t nr);

#endif
