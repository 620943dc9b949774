/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * judge_amd.c - QEMU's amd-iommu, host page tables.
 *
 * AMD IOMMU, 48882, revision 3.10: device table entry in 2.2.2.1, commands in 2.4, MMIO registers in 3.4.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "judge_dma.h"

#define AMD_REGISTERS UINT64_C(0xfed80000)
enum { AMD_DEVTAB = 0x00, AMD_CMDBUF = 0x08, AMD_CONTROL = 0x18, AMD_CMD_TAIL = 0x2008 };

#define AMD_DEVICE_TABLE DMA_OWN
#define AMD_COMMANDS (DMA_OWN + 0x10000)
#define AMD_COMMANDS_NR 256
#define AMD_INVALIDATE_ALL (UINT64_C(8) << 60) /* INVALIDATE_IOMMU_ALL */

/* struct amd - @tail: of the ring of commands, all of which empty the IOTLB. */
struct amd {
	struct dma dma;
	unsigned tail;
};

static bool amd_takes(const struct config *cfg, const char **why)
{
	*why = "tiny geometries are no hardware's";
	if (cfg->tiny)
		return false;
	*why = "QEMU's amd-iommu has no encryption bit";
	return !cfg->cbit;
}

/*
 * A read says itself where it went (not in QEMU 11.1). A write is told by what lies there now; one that met no RAM, or was refused,
 * prints the same: it was refused if no entry was found that allows anything, or if there is RAM where it should have gone.
 */
static int amd_answer(struct judge *j, const struct dma_seen *seen, struct judge_ask *ask)
{
	if (ask->kind == JUDGE_READ && !seen->refused_read) {
		if (seen->read_at == UINT64_MAX) {
			ask->ok = true;
			judge_landed(j, ask, seen->verb);
		} else if (seen->read_at != ask->iova) {
			ask->ok = ask->has_oa = true;
			ask->oa = seen->read_at;
		} else {
			ask->answered = ask->oa_due != ask->iova;
		}
		return 0;
	}
	if (ask->kind == JUDGE_WRITE && !seen->refused_write) {
		ask->ok = true;
		ask->has_oa = dma_in_window(j, ask->oa_due);
		ask->oa = dma_landed(j, ask->oa_due) ? ask->oa_due : UINT64_MAX;
	} else {
		ask->answered = !seen->cached || dma_in_window(j, ask->oa_due);
	}
	return 0;
}

static void amd_flush(struct dma *d, FILE *out)
{
	struct amd *a = (struct amd *)d;

	a->tail = (a->tail + 16) % (16 * AMD_COMMANDS_NR);
	fprintf(out, "writeq 0x%" PRIx64 " 0x%x\n", AMD_REGISTERS + AMD_CMD_TAIL, a->tail);
}

/* Its own tables, from scratch: no device, and a ring of commands that are all alike. */
static void amd_own(struct judge *j)
{
	unsigned i;

	memset(qemu_ram_at(&j->ram, DMA_OWN, 0x20000), 0, 0x20000);
	for (i = 0; i < AMD_COMMANDS_NR; i++)
		dma_store(j, AMD_COMMANDS + 16 * i, AMD_INVALIDATE_ALL);
}

static int amd_start(struct judge *j, const struct config *cfg)
{
	/* From 10.2 on it translates for devices only if it is asked to. */
	static const char *const iommus[] = { "amd-iommu,dma-remap=on", "amd-iommu", NULL };
	static const char *const traces[] = { "amdvi_cache_update", NULL };
	struct amd *a = j->state;
	int ret;

	(void)cfg;
	if (a->dma.q.pid)
		return 0;
	a->dma.answer = amd_answer;
	a->dma.flush = amd_flush;
	a->tail = 0;
	ret = dma_start(j, &a->dma, iommus, traces);
	if (ret)
		return ret;
	amd_own(j);
	ret = dma_command(j, &a->dma, NULL, "writeq 0x%" PRIx64 " 0x%" PRIx64, AMD_REGISTERS + AMD_DEVTAB, AMD_DEVICE_TABLE | 1);
	if (!ret)
		ret = dma_command(j, &a->dma, NULL, "writeq 0x%" PRIx64 " 0x%" PRIx64, AMD_REGISTERS + AMD_CMDBUF,
				  AMD_COMMANDS | UINT64_C(8) << 56);
	if (!ret)
		ret = dma_command(j, &a->dma, NULL, "writeq 0x%" PRIx64 " 0x1001", AMD_REGISTERS + AMD_CONTROL);
	return ret;
}

/* An iova below an empty item of the root. */
static bool amd_hole(struct judge *j, const struct judge_domain *d, uint64_t *iova)
{
	unsigned i, items = 1u << d->hw->index_lg2[d->level];
	uint64_t item;

	/* A root of 64 bits has fewer items that count. */
	if (d->hw->item_lg2[d->level] + d->hw->index_lg2[d->level] > 64)
		items = 1u << (64 - d->hw->item_lg2[d->level]);
	for (i = 0; i < items; i++) {
		memcpy(&item, qemu_ram_at(&j->ram, d->root + 8 * i, 8), 8);
		*iova = (uint64_t)i << d->hw->item_lg2[d->level];
		if (!item && *iova >> 20 != 0xfee)
			return true;
	}
	return false;
}

static int amd_load(struct judge *j, const struct judge_domain *d)
{
	struct amd *a = j->state;
	unsigned span_lg2, at = a->tail;
	int ret;

	amd_own(j);
	/* V, TV, Mode, IR, IW; domain 1. */
	dma_store(j, AMD_DEVICE_TABLE + 32 * DMA_DEVFN, d->root | 3 | (d->level + UINT64_C(1)) << 9 | UINT64_C(3) << 61);
	dma_store(j, AMD_DEVICE_TABLE + 32 * DMA_DEVFN + 8, 1);
	/* QEMU does not look at what is above the root's span. */
	span_lg2 = d->hw->item_lg2[d->level] + d->hw->index_lg2[d->level];
	a->dma.iova_last = span_lg2 >= 64 ? UINT64_MAX : (UINT64_C(1) << span_lg2) - 1;
	a->dma.has_hole = amd_hole(j, d, &a->dma.hole);
	/* INVALIDATE_DEVTAB_ENTRY, once. */
	a->tail = (at + 16) % (16 * AMD_COMMANDS_NR);
	dma_store(j, AMD_COMMANDS + at, UINT64_C(2) << 60 | DMA_DEVFN);
	ret = dma_command(j, &a->dma, NULL, "writeq 0x%" PRIx64 " 0x%x", AMD_REGISTERS + AMD_CMD_TAIL, a->tail);
	dma_store(j, AMD_COMMANDS + at, AMD_INVALIDATE_ALL);
	return ret;
}

/* QEMU does not ask for the next level to be lower, and may go round in a circle for ever. */
static bool amd_spares(const struct config *cfg, unsigned level, unsigned bit, const struct walk *after)
{
	(void)cfg;
	(void)level;
	(void)bit;
	return after->end == WALK_BAD && !strncmp(after->why, "Next Level is not below", strlen("Next Level is not below"));
}

static void amd_stop(struct judge *j)
{
	struct amd *a = j->state;

	dma_stop(&a->dma);
}

static const char *const amd_formats[] = { "amdv1", NULL };

const struct judge_ops judge_amd = {
	.name = "qemu-amd",
	.binary = "qemu-system-x86_64",
	.formats = amd_formats,
	.kinds = 1u << JUDGE_READ | 1u << JUDGE_WRITE | 1u << JUDGE_POKE,
	.iovas = 100,
	.zeroes = true,
	.bytes = sizeof(struct amd),
	.takes = amd_takes,
	.arena = dma_arena,
	.window = UINT64_C(0x08000000),
	.start = amd_start,
	.load = amd_load,
	.ask = dma_ask,
	.spares = amd_spares,
	.stop = amd_stop,
};
