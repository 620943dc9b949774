/* SPDX-License-Identifier: GPL-2.0-or-later */
/* judge.c - what the judges have in common. */
#include "judge.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct judge_ops *const judges[] = { &judge_arm, &judge_riscv, &judge_x86, &judge_vtd, &judge_vtd_scalable, &judge_amd, NULL };

bool judge_init(struct judge *j, const struct judge_ops *ops)
{
	memset(j, 0, sizeof(*j));
	j->ops = ops;
	if (!qemu_find(ops->binary, j->path, sizeof(j->path)))
		return false;
	j->state = calloc(1, ops->bytes);
	if (!j->state)
		abort();
	return true;
}

void judge_release(struct judge *j)
{
	if (j->state)
		j->ops->stop(j);
	free(j->state);
	qemu_ram_release(&j->ram);
	memset(j, 0, sizeof(*j));
}

void judge_fill_window(struct judge *j, uint64_t pa, uint64_t bytes)
{
	uint32_t *words = qemu_ram_at(&j->ram, pa, bytes);
	uint64_t i;

	for (i = 0; i < bytes / 4; i++)
		words[i] = judge_word(pa + 4 * i);
}

int judge_ram(struct judge *j, const struct qemu_region *regions, unsigned nr)
{
	int ret;

	if (j->ram.bytes)
		return 0;
	ret = qemu_ram_init(&j->ram, regions, nr);
	if (ret) {
		snprintf(j->why, sizeof(j->why), "no memory for a guest: %s", strerror(-ret));
		return ret;
	}
	if (j->ops->window)
		judge_fill_window(j, j->ops->window, JUDGE_WINDOW_BYTES);
	return 0;
}

int judge_wrong(struct judge *j, const struct qemu *q, int ret)
{
	snprintf(j->why, sizeof(j->why), "%s: %s", j->ops->binary, q->why);
	return ret;
}

void judge_hint(struct judge_ask *ask, const struct walk *w, bool ok)
{
	ask->oa_due = w->end == WALK_LEAF ? w->oa : UINT64_MAX;
	ask->oa_near = ask->oa_due;
	ask->clean = ok && (ask->kind == JUDGE_WRITE || ask->kind == JUDGE_WRITE_USER) && !w->steps[w->nr - 1].entry.dirty;
}

int judge_poke(struct judge *j, uint64_t pa, uint64_t value, unsigned bytes_lg2)
{
	void *p = qemu_ram_at(&j->ram, pa, UINT64_C(1) << bytes_lg2);

	if (!p) {
		snprintf(j->why, sizeof(j->why), "0x%llx is not in the guest's RAM", (unsigned long long)pa);
		return -EFAULT;
	}
	if (bytes_lg2 == 2)
		__atomic_store_n((uint32_t *)p, (uint32_t)value, __ATOMIC_SEQ_CST);
	else
		__atomic_store_n((uint64_t *)p, value, __ATOMIC_SEQ_CST);
	return 0;
}

bool judge_window_oa(const struct judge *j, uint32_t word, uint64_t *oa)
{
	*oa = j->ops->window + ((uint64_t)(word & 0x0fffffff) << 2) % JUDGE_WINDOW_BYTES;
	return judge_word(*oa) == word;
}

int judge_segments(struct judge *j, struct judge_ask *asks, size_t nr, unsigned item_bytes_lg2,
		   int (*ask_some)(struct judge *j, struct judge_ask *asks, size_t nr))
{
	size_t at, some;
	int ret = 0;

	for (at = 0; at < nr && !ret; at += some) {
		if (asks[at].kind == JUDGE_POKE) {
			ret = judge_poke(j, asks[at].iova, asks[at].value, item_bytes_lg2);
			some = 1;
			continue;
		}
		for (some = 1; at + some < nr && asks[at + some].kind != JUDGE_POKE; some++)
			;
		ret = ask_some(j, asks + at, some);
	}
	return ret;
}

static bool in_window(const struct judge *j, uint64_t oa)
{
	return oa - j->ops->window < JUDGE_WINDOW_BYTES;
}

void judge_landed(const struct judge *j, struct judge_ask *ask, uint32_t word)
{
	uint64_t oa;

	ask->has_oa = judge_window_oa(j, word, &oa);
	if (ask->has_oa) {
		ask->oa = oa;
	} else if (ask->oa_due != UINT64_MAX && in_window(j, ask->oa_due)) {
		/* What should have been read there was not. */
		ask->has_oa = true;
		ask->oa = UINT64_MAX;
	}
}

/* Commands that are sent before the first answer is taken. */
enum { ADDRESSES_AT_ONCE = 128 };

int judge_address(struct judge *j, struct judge_ask *ask, const char *text)
{
	unsigned long long gpa;
	int end = 0;

	ask->answered = true;
	ask->type = JUDGE_TYPE_UNSEEN;
	if (!strcmp(text, "Unmapped\r\n") || !strcmp(text, "Unmapped\n")) {
		ask->ok = ask->has_oa = false;
		return 0;
	}
	if (sscanf(text, "gpa: 0x%llx%n", &gpa, &end) != 1 || strspn(text + end, "\r\n") != strlen(text + end)) {
		/* "%#x" of 0 has no prefix. */
		if (strcmp(text, "gpa: 0\r\n") && strcmp(text, "gpa: 0\n")) {
			snprintf(j->why, sizeof(j->why), "gva2gpa answers '%.60s'", text);
			return -EPROTO;
		}
		gpa = 0;
	}
	ask->ok = ask->has_oa = true;
	ask->oa = gpa;
	return 0;
}

static int addresses_some(struct judge *j, struct qemu *q, struct judge_ask **asks, size_t nr)
{
	char commands[ADDRESSES_AT_ONCE][40], *answers[ADDRESSES_AT_ONCE];
	const char *list[ADDRESSES_AT_ONCE];
	size_t i;
	int ret;

	for (i = 0; i < nr; i++) {
		snprintf(commands[i], sizeof(commands[i]), "gva2gpa 0x%" PRIx64, asks[i]->iova);
		list[i] = commands[i];
	}
	ret = qemu_hmp_all(q, list, nr, answers);
	if (ret)
		return judge_wrong(j, q, ret);
	for (i = 0; i < nr; i++) {
		if (!ret)
			ret = judge_address(j, asks[i], answers[i]);
		free(answers[i]);
	}
	return ret;
}

int judge_addresses(struct judge *j, struct qemu *q, struct judge_ask *asks, size_t nr)
{
	struct judge_ask *some[ADDRESSES_AT_ONCE];
	size_t i, some_nr = 0;
	int ret = 0;

	for (i = 0; i < nr && !ret; i++) {
		if (asks[i].kind == JUDGE_ADDRESS)
			some[some_nr++] = &asks[i];
		if (some_nr == ADDRESSES_AT_ONCE || (i + 1 == nr && some_nr)) {
			ret = addresses_some(j, q, some, some_nr);
			some_nr = 0;
		}
	}
	return ret;
}
