/* SPDX-License-Identifier: GPL-2.0-or-later */
/* judge_stub.c - our end of a stub's mailbox. */
#include "judge_stub.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

uint64_t stub_arena(const struct config *cfg, uint64_t ram, uint64_t bytes)
{
	switch ((enum config_tables)cfg->tables) {
	case TABLES_HIGH:
		return UINT64_C(0xc0000000);
	case TABLES_STRADDLE:
		return (UINT64_C(1) << 32) - (1u << 20);
	case TABLES_LIMIT:
		return (cfg->oas > 32 ? ram + bytes : UINT64_C(1) << 32) - JUDGE_ARENA_BYTES;
	default:
		return ram + (64u << 20);
	}
}

int stub_place(struct judge *j, uint64_t pa, const uint8_t *bytes, size_t nr, uint64_t box_pa, struct stub_box **box)
{
	void *at = qemu_ram_at(&j->ram, pa, nr);

	*box = qemu_ram_at(&j->ram, box_pa, sizeof(**box));
	if (!at || !*box) {
		snprintf(j->why, sizeof(j->why), "no room for the stub");
		return -EFAULT;
	}
	memcpy(at, bytes, nr);
	memset(*box, 0, offsetof(struct stub_box, asks));
	return 0;
}

int stub_run(struct judge *j, struct qemu *q, struct stub_box *box, size_t nr)
{
	double deadline = 0;
	uint64_t go = box->go + 1;
	unsigned spins = 0;
	int ret;

	box->nr = nr;
	__atomic_store_n(&box->go, go, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&box->done, __ATOMIC_ACQUIRE) != go) {
		struct timespec nap = { .tv_nsec = 20000 };

		if (++spins < 64)
			continue;
		nanosleep(&nap, NULL);
		if (spins & 255)
			continue;
		ret = qemu_alive(q);
		if (ret)
			return judge_wrong(j, q, ret);
		qemu_drain(q, QEMU_TRACE);
		if (!deadline)
			deadline = qemu_now() + q->wait_seconds;
		if (qemu_now() > deadline) {
			snprintf(j->why, sizeof(j->why), "%s: the stub gave no answer for %g seconds", j->ops->binary, q->wait_seconds);
			return -ETIMEDOUT;
		}
	}
	return 0;
}
