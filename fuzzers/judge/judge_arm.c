/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * judge_arm.c - QEMU's Arm MMU: a stub at EL2 asks it by AT instructions for EL1&0, stage 1 or stage 1 and 2 (stage 1 then being off).
 *
 * Arm ARM DDI 0487L.b: AT in C5.5; SCTLR_EL1, TCR_EL1, VTCR_EL2, HCR_EL2, PAR_EL1, DACR32_EL2 in D24.2; for short descriptors G8.2 (TTBCR,
 * SCTLR), reached by HCR_EL2.RW = 0.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "judge_stub.h"

enum { ARM_SCTLR, ARM_TCR, ARM_TTBR0, ARM_TTBR1, ARM_MAIR, ARM_HCR, ARM_VTCR, ARM_VTTBR, ARM_DACR };
enum { ARM_MMFR0, ARM_MMFR1, ARM_MMFR2 };
enum { ARM_AT_STAGE2 = 4, ARM_STORE8 = 8, ARM_STORE4 = 9 };

#define ARM_RAM UINT64_C(0x40000000)
#define ARM_RAM_BYTES (UINT64_C(4) << 30)
#define ARM_STUB UINT64_C(0x42000000)
#define ARM_BOX UINT64_C(0x42010000)

static const uint8_t arm_stub[] = {
#include "stub_arm.inc"
};

/*
 * @version: the number before the first dot
 * @hafdbs: access flag and dirty state are updated; @no_marks: but not by an AT, which may leave that ([ARM] D8.5), as in QEMU 11.1
 */
struct arm {
	struct qemu q;
	struct stub_box *box;
	struct config cfg;
	bool hafdbs, no_marks;
	unsigned long version;
};

static bool arm_is_v7(const struct config *cfg)
{
	return !strcmp(cfg->format, "armv7s");
}

static unsigned arm_granule(const struct config *cfg)
{
	return !strcmp(cfg->format, "armv8_4k") ? 12 : !strcmp(cfg->format, "armv8_16k") ? 14 : 16;
}

static bool arm_takes(const struct config *cfg, const char **why)
{
	*why = "tiny geometries are no hardware's";
	return !cfg->tiny;
}

static uint64_t arm_arena(const struct config *cfg)
{
	return stub_arena(cfg, ARM_RAM, ARM_RAM_BYTES);
}

static int arm_start(struct judge *j, const struct config *cfg)
{
	static const struct qemu_region ram = { ARM_RAM, ARM_RAM_BYTES, 0 };
	/* clang-format off */
	static const char *const argv[] = {
		"qemu-system-aarch64", "-M", "virt,virtualization=on,memory-backend=ram", "-cpu", "max", "-m", "4096", "-display", "none",
		"-nodefaults", "-no-user-config", "-serial", "none", "-device", "loader,addr=0x42000000,cpu-num=0", NULL,
	};
	/* clang-format on */
	struct arm *a = j->state;
	int ret = judge_ram(j, &ram, 1);

	(void)cfg;
	if (ret || a->q.pid)
		return ret;
	ret = stub_place(j, ARM_STUB, arm_stub, sizeof(arm_stub), ARM_BOX, &a->box);
	if (!ret) {
		ret = qemu_start(&a->q, j->path, argv, 1u << QEMU_QMP, &j->ram, -1);
		if (ret)
			return judge_wrong(j, &a->q, ret);
		snprintf(j->version, sizeof(j->version), "%s", a->q.version);
		ret = stub_run(j, &a->q, a->box, 0);
	}
	a->version = strtoul(j->version, NULL, 10);
	a->no_marks = a->version > 7;
	/* ID_AA64MMFR1_EL1.HAFDBS: 2, access flag and dirty state. */
	a->hafdbs = !ret && (a->box->told[ARM_MMFR1] & 0xf) >= 2;
	return ret;
}

/* IPS and PS, [ARM] D24.2: 32, 36, 40, 42, 44, 48, 52. */
static uint64_t arm_ips(unsigned oas)
{
	return oas == 32 ? 0 : oas == 36 ? 1 : oas == 40 ? 2 : oas == 42 ? 3 : oas == 44 ? 4 : oas == 48 ? 5 : 6;
}

static void arm_load_stage1(struct arm *a, const struct judge_domain *d, uint64_t *w)
{
	const struct config *cfg = &a->cfg;
	unsigned granule = arm_granule(cfg), tsz = 64u - cfg->ias;
	uint64_t tg0 = granule == 12 ? 0 : granule == 14 ? 2 : 1, tg1 = granule == 12 ? 2 : granule == 14 ? 1 : 3;
	uint64_t tcr = arm_ips(cfg->oas) << 32 | tg0 << 14 | tg1 << 30;

	/* The other half's walks are disabled: EPD0, EPD1. Inner shareable, write-back. */
	tcr |= cfg->half ? (uint64_t)tsz << 16 | 1u << 7 | 16 : tsz | 1u << 23 | 16u << 16;
	tcr |= UINT64_C(0x3500) | UINT64_C(0x35) << 24;
	tcr |= cfg->ad ? UINT64_C(3) << 39 : 0;
	tcr |= cfg->lpa && granule != 16 ? UINT64_C(1) << 59 : 0;
	w[ARM_SCTLR] = UINT64_C(0x30d00801);
	w[ARM_TCR] = tcr;
	w[cfg->half ? ARM_TTBR1 : ARM_TTBR0] = d->root;
	w[ARM_MAIR] = CONFIG_ARM_MAIR;
	w[ARM_HCR] = UINT64_C(1) << 31;
}

/* VTCR_EL2.SL0 and SL2: the level that the walk starts at. */
static uint64_t arm_start_level(unsigned granule, int level)
{
	if (granule == 12)
		return level == 3 ? 3u << 6 : level == -1 ? UINT64_C(1) << 33 : (uint64_t)(2 - level) << 6;
	return (uint64_t)(3 - level) << 6;
}

static void arm_load_stage2(struct arm *a, const struct judge_domain *d, uint64_t *w)
{
	const struct config *cfg = &a->cfg;
	unsigned granule = arm_granule(cfg);
	uint64_t vtcr = UINT64_C(1) << 31 | arm_ips(cfg->oas) << 16 | (64u - cfg->ias) | 0x3500;

	vtcr |= (uint64_t)(granule == 12 ? 0 : granule == 14 ? 2 : 1) << 14;
	vtcr |= arm_start_level(granule, 3 - (int)d->level);
	vtcr |= cfg->ad ? UINT64_C(3) << 21 : 0;
	vtcr |= cfg->lpa && granule != 16 ? UINT64_C(1) << 32 : 0;
	w[ARM_SCTLR] = UINT64_C(0x30d00800);
	w[ARM_HCR] = UINT64_C(1) << 31 | UINT64_C(1) << 12 | 1; /* RW, DC, VM */
	w[ARM_VTCR] = vtcr;
	w[ARM_VTTBR] = d->root;
}

static int arm_load(struct judge *j, const struct judge_domain *d)
{
	struct arm *a = j->state;
	uint64_t *w = a->box->words;

	a->cfg = d->hw->cfg;
	if (a->cfg.ad && !a->hafdbs) {
		snprintf(j->why, sizeof(j->why), "this QEMU's Arm MMU has no hardware update of access flag and dirty state");
		return -EOPNOTSUPP;
	}
	/* FEAT_LPA2 has this start ([ARM] D8.2.9). */
	if (a->version < 8 && !strcmp(a->cfg.format, "armv8_16k") && a->cfg.stage == 2 && d->level == 3) {
		snprintf(j->why, sizeof(j->why), "QEMU before 8.0 starts no stage 2 walk of the 16K granule at level 0");
		return -EOPNOTSUPP;
	}
	memset(w, 0, sizeof(a->box->words));
	if (arm_is_v7(&a->cfg)) {
		/*
		 * RW = 0: EL1 is AArch32; TTBCR.EAE = 0. SCTLR: AFE, bit 23, M; TRE = 0. Every domain is client, since a Domain fault of an AT
		 * at EL2 ends QEMU 7.2 (arm_fi_to_lfsc has no code for it).
		 */
		w[ARM_SCTLR] = UINT64_C(0x30d00801);
		w[ARM_TTBR0] = d->root;
		w[ARM_DACR] = 0x55555555;
	} else if (a->cfg.stage == 1) {
		arm_load_stage1(a, d, w);
	} else {
		arm_load_stage2(a, d, w);
	}
	return 0;
}

/* PAR_EL1.ATTR of a success as our type, for the attributes that a driver programs; what else there may be has no name. */
static uint8_t arm_type(uint64_t par)
{
	switch (par >> 56) {
	case 0xff:
		return PROT_CACHE;
	case 0x44:
		return 0;
	case 0x04:
		return PROT_MMIO;
	}
	return PROT_TYPE;
}

static void arm_answer(const struct arm *a, const struct stub_ask *s, struct judge_ask *ask)
{
	uint64_t par = s->answer;

	ask->answered = true;
	ask->ok = !(par & 1);
	ask->has_oa = ask->ok;
	ask->type = JUDGE_TYPE_UNSEEN;
	if (!ask->ok) {
		/* Then a clean page looks read-only: PAR.FST 0b0011xx. */
		ask->answered = !(a->no_marks && ask->clean && (par >> 1 & 0x3c) == 0x0c);
		return;
	}
	ask->oa = (par & UINT64_C(0x000ffffffffff000)) | (ask->iova & 0xfff);
	if (!arm_is_v7(&a->cfg))
		ask->type = arm_type(par);
}

static int arm_ask(struct judge *j, struct judge_ask *asks, size_t nr)
{
	struct arm *a = j->state;
	unsigned stage2 = a->cfg.stage == 2 ? ARM_AT_STAGE2 : 0;
	size_t at, i, some;
	int ret;

	for (at = 0; at < nr; at += some) {
		some = nr - at < STUB_ASKS_MAX ? nr - at : STUB_ASKS_MAX;
		for (i = 0; i < some; i++) {
			const struct judge_ask *ask = &asks[at + i];
			struct stub_ask *s = &a->box->asks[i];

			s->kind = ask->kind == JUDGE_POKE ? (arm_is_v7(&a->cfg) ? ARM_STORE4 : ARM_STORE8) : ask->kind + stage2;
			s->address = ask->iova;
			s->value = ask->value;
			s->answer = 0x7f;
		}
		ret = stub_run(j, &a->q, a->box, some);
		if (ret)
			return ret;
		for (i = 0; i < some; i++)
			if (asks[at + i].kind != JUDGE_POKE)
				arm_answer(a, &a->box->asks[i], &asks[at + i]);
	}
	return 0;
}

/* QEMU 7.2 takes a Block at level -1, which there is none, and aborts on its permission faults (arm_fi_to_lfsc). */
static bool arm_spares(const struct config *cfg, unsigned level, unsigned bit, const struct walk *after)
{
	(void)after;
	return !arm_is_v7(cfg) && level == 4 && bit == 1;
}

static bool arm_marks(struct judge *j)
{
	return !((struct arm *)j->state)->no_marks;
}

static void arm_stop(struct judge *j)
{
	struct arm *a = j->state;

	if (a->q.pid)
		qemu_stop(&a->q);
}

static const char *const arm_formats[] = { "armv8_4k", "armv8_16k", "armv8_64k", "armv7s", NULL };
static const char *const arm_configs[] = {
	"armv8_16k stage=2 lpa=1 ias=50 oas=52 bbm=2",    "armv8_4k stage=2 ias=36 oas=40 bbm=2 ad=1 tables=limit",
	"armv8_4k stage=2 ias=43 oas=48 tables=straddle", "armv8_16k stage=2 ias=40 oas=48 bbm=2",
	"armv8_64k stage=2 ias=46 oas=48 bbm=2 ad=1",     NULL,
};

const struct judge_ops judge_arm = {
	.name = "qemu-arm",
	.binary = "qemu-system-aarch64",
	.formats = arm_formats,
	.configs = arm_configs,
	.kinds = 1u << JUDGE_READ | 1u << JUDGE_WRITE | 1u << JUDGE_READ_USER | 1u << JUDGE_WRITE_USER | 1u << JUDGE_POKE,
	.iovas = 400,
	.marks = arm_marks,
	.bytes = sizeof(struct arm),
	.takes = arm_takes,
	.arena = arm_arena,
	.window = UINT64_C(0x48000000),
	.start = arm_start,
	.load = arm_load,
	.ask = arm_ask,
	.spares = arm_spares,
	.stop = arm_stop,
};
