/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * judge_vtd.c - QEMU's intel-iommu, second stage, in legacy and in scalable mode.
 *
 * Intel VT-d, D51397, revision 4.1: root and context entries in 9.1 and 9.3, scalable-mode ones in 9.2, 9.4 to 9.6, registers in 11.4.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "judge_dma.h"

#define VTD_REGISTERS UINT64_C(0xfed90000)
enum { VTD_CAP = 0x08, VTD_ECAP = 0x10, VTD_GCMD = 0x18, VTD_GSTS = 0x1c, VTD_RTADDR = 0x20, VTD_CCMD = 0x28 };

#define VTD_ROOT DMA_OWN
#define VTD_CONTEXT (DMA_OWN + 0x1000)
#define VTD_PASID_DIRECTORY (DMA_OWN + 0x2000)
#define VTD_PASID_TABLE (DMA_OWN + 0x3000)

/* struct vtd - @aw, @snp: what it was started with; @scalable: which of the two judges this is; @iotlb: its IOTLB register. */
struct vtd {
	struct dma dma;
	unsigned aw;
	bool snp, scalable;
	uint64_t iotlb;
};

/* Width of an iova, and of an address: QEMU has one number for the two. */
static unsigned vtd_aw(const struct config *cfg)
{
	return cfg->levels == 3 && cfg->oas <= 39 ? 39 : 48;
}

static bool vtd_takes(const struct config *cfg, const char **why)
{
	*why = "tiny geometries are no hardware's";
	if (cfg->tiny)
		return false;
	*why = "QEMU's intel-iommu has 3 and 4 levels";
	if (cfg->levels > 4)
		return false;
	*why = "QEMU's intel-iommu reserves address bits from 48 on";
	if (cfg->oas > 48)
		return false;
	*why = "QEMU's intel-iommu takes iovas of 39 and 48 bits";
	return cfg->ias == 39 || cfg->ias == 48;
}

/*
 * Exactly one of fault and translation must have been told. Reads say themselves where they went; writes by the trace, and by what is there
 * now.
 */
static int vtd_answer(struct judge *j, const struct dma_seen *seen, struct judge_ask *ask)
{
	bool write = ask->kind == JUDGE_WRITE;
	unsigned faults = write ? seen->fault_write : seen->fault_read;

	ask->ok = !faults;
	if (!faults == !seen->translated) {
		snprintf(j->why, sizeof(j->why), "iova 0x%" PRIx64 ": QEMU tells of %u faults and %u translations", ask->iova, faults,
			 seen->translated);
		return -EPROTO;
	}
	if (faults)
		return 0;
	ask->has_oa = true;
	ask->oa = seen->gpa | (ask->iova & seen->mask);
	if (write)
		ask->oa = dma_in_window(j, ask->oa) && !dma_landed(j, ask->oa) ? UINT64_MAX : ask->oa;
	else if (seen->read_at != UINT64_MAX)
		ask->oa = seen->read_at;
	else if (!seen->refused_read)
		judge_landed(j, ask, seen->verb);
	return 0;
}

/* IOTLB_REG: IVT, global. */
static void vtd_flush(struct dma *d, FILE *out)
{
	fprintf(out, "writeq 0x%" PRIx64 " 0x9000000000000000\n", ((struct vtd *)d)->iotlb);
}

/* Its own tables, from scratch. */
static void vtd_own(struct judge *j, const struct vtd *v)
{
	memset(qemu_ram_at(&j->ram, DMA_OWN, 0x4000), 0, 0x4000);
	/* Root and context entry: present. A scalable context entry is of 32 bytes, a PASID table entry of 64. */
	dma_store(j, VTD_ROOT, VTD_CONTEXT | 1);
	if (v->scalable) {
		dma_store(j, VTD_CONTEXT + 32 * DMA_DEVFN, VTD_PASID_DIRECTORY | 1);
		dma_store(j, VTD_PASID_DIRECTORY, VTD_PASID_TABLE | 1);
	}
}

static int vtd_setup(struct judge *j, struct vtd *v)
{
	uint64_t ecap = 0, status = 0;
	int ret = dma_command(j, &v->dma, &ecap, "readq 0x%" PRIx64, VTD_REGISTERS + VTD_ECAP);

	/* ECAP.IRO: where the IOTLB registers are; bit 43: scalable mode, bit 46: second stage in it. */
	v->iotlb = VTD_REGISTERS + (ecap >> 8 & 0x3ff) * 16 + 8;
	if (!ret && v->scalable && (~ecap & (UINT64_C(1) << 43 | UINT64_C(1) << 46))) {
		snprintf(j->why, sizeof(j->why), "this intel-iommu has no second stage in scalable mode");
		ret = -EOPNOTSUPP;
	}
	if (!ret)
		ret = dma_command(j, &v->dma, NULL, "writeq 0x%" PRIx64 " 0x%" PRIx64, VTD_REGISTERS + VTD_RTADDR,
				  VTD_ROOT | (v->scalable ? 0x400 : 0));
	if (!ret)
		ret = dma_command(j, &v->dma, NULL, "writel 0x%" PRIx64 " 0x40000000", VTD_REGISTERS + VTD_GCMD);
	if (!ret)
		ret = dma_command(j, &v->dma, NULL, "writel 0x%" PRIx64 " 0x80000000", VTD_REGISTERS + VTD_GCMD);
	if (!ret)
		ret = dma_command(j, &v->dma, &status, "readl 0x%" PRIx64, VTD_REGISTERS + VTD_GSTS);
	if (!ret && !(status & 0x80000000)) {
		snprintf(j->why, sizeof(j->why), "the intel-iommu does not translate: status 0x%" PRIx64, status);
		ret = -ENODEV;
	}
	return ret;
}

static int vtd_start(struct judge *j, const struct config *cfg)
{
	static const char *const traces[] = { "vtd_dmar_translate", "vtd_dmar_fault", NULL };
	struct vtd *v = j->state;
	char iommu[120], renamed[120];
	const char *const iommus[] = { iommu, renamed, NULL };
	int ret;

	if (v->dma.q.pid && v->aw == vtd_aw(cfg) && v->snp == cfg->snp)
		return 0;
	dma_stop(&v->dma);
	v->aw = vtd_aw(cfg);
	v->snp = cfg->snp;
	v->scalable = strstr(j->ops->name, "scalable");
	v->dma.answer = vtd_answer;
	v->dma.flush = vtd_flush;
	snprintf(iommu, sizeof(iommu), "intel-iommu,intremap=off,aw-bits=%u%s%s", v->aw, v->scalable ? ",x-scalable-mode=on" : "",
		 v->snp ? ",snoop-control=on" : "");
	/* Its name is without the x from 11.0 on. */
	snprintf(renamed, sizeof(renamed), "intel-iommu,intremap=off,aw-bits=%u%s%s", v->aw, v->scalable ? ",scalable-mode=on" : "",
		 v->snp ? ",snoop-control=on" : "");
	ret = dma_start(j, &v->dma, iommus, traces);
	return ret ? ret : vtd_setup(j, v);
}

static int vtd_load(struct judge *j, const struct judge_domain *d)
{
	struct vtd *v = j->state;
	unsigned aw = d->hw->cfg.levels - 2u;
	int ret;

	vtd_own(j, v);
	if (v->scalable) {
		/* P, AW, PGTT = 010: second stage; domain 1. */
		dma_store(j, VTD_PASID_TABLE, d->root | 2u << 6 | aw << 2 | 1);
		dma_store(j, VTD_PASID_TABLE + 8, 1);
	} else {
		/* P, TT = 00; AW, domain 1. */
		dma_store(j, VTD_CONTEXT + 16 * DMA_DEVFN, d->root | 1);
		dma_store(j, VTD_CONTEXT + 16 * DMA_DEVFN + 8, aw | 1u << 8);
	}
	/* Beyond what the domain can translate. */
	v->dma.has_hole = true;
	v->dma.iova_last = UINT64_MAX;
	v->dma.hole = UINT64_C(1) << 50;
	ret = dma_command(j, &v->dma, NULL, "writeq 0x%" PRIx64 " 0x%" PRIx64, VTD_REGISTERS + VTD_CCMD,
			  UINT64_C(1) << 63 | UINT64_C(1) << 61);
	return ret;
}

static void vtd_stop(struct judge *j)
{
	struct vtd *v = j->state;

	dma_stop(&v->dma);
}

static const char *const vtd_formats[] = { "vtdss", NULL };
static const char *const vtd_configs[] = {
	"vtdss levels=4 oas=48",
	"vtdss levels=4 oas=48 ad=1 tables=high",
	"vtdss levels=4 oas=48 coherent=0 tables=straddle",
	"vtdss levels=4 oas=46 tables=limit",
	"vtdss levels=3 ias=39 oas=39",
	"vtdss levels=3 ias=39 oas=48 tables=high",
	"vtdss levels=4 oas=48 snp=1",
	"vtdss levels=4 oas=48 pgsizes=0x201000",
	"vtdss levels=4 oas=48 pgsizes=0x40001000 ad=1",
	NULL,
};

#define VTD_JUDGE(variable, its_name)                                             \
	const struct judge_ops variable = {                                       \
		.name = its_name,                                                 \
		.binary = "qemu-system-x86_64",                                   \
		.formats = vtd_formats,                                           \
		.configs = vtd_configs,                                           \
		.kinds = 1u << JUDGE_READ | 1u << JUDGE_WRITE | 1u << JUDGE_POKE, \
		.iovas = 100,                                                     \
		.zeroes = true,                                                   \
		.bytes = sizeof(struct vtd),                                      \
		.takes = vtd_takes,                                               \
		.arena = dma_arena,                                               \
		.window = UINT64_C(0x08000000),                                   \
		.start = vtd_start,                                               \
		.load = vtd_load,                                                 \
		.ask = dma_ask,                                                   \
		.stop = vtd_stop,                                                 \
	}

VTD_JUDGE(judge_vtd, "qemu-vtd");
VTD_JUDGE(judge_vtd_scalable, "qemu-vtd-scalable");
