/* SPDX-License-Identifier: GPL-2.0-or-later */
/* judge.c - what the judges have in common. */
#include "judge.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct judge_ops *const judges[] = { &judge_arm, NULL };

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
