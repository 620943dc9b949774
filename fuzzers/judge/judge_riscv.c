/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * judge_riscv.c - QEMU's RISC-V MMU, Sv39 to Sv57: a stub in M-mode makes accesses as S and U; a second QEMU, whose processor stands still,
 * says by gva2gpa where addresses outside its RAM lead.
 *
 * RISC-V Privileged Architecture 20240411: satp in 10.1.11, mstatus in 3.1.6, menvcfg in 3.1.18, exception codes in 3.1.15.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "judge_stub.h"

enum { RISCV_SATP, RISCV_AS_S, RISCV_AS_U, RISCV_MENVCFG };

#define RISCV_RAM UINT64_C(0x80000000)
#define RISCV_RAM_BYTES (UINT64_C(4) << 30)
#define RISCV_BOX UINT64_C(0x82010000)

#define RISCV_MPRV (UINT64_C(1) << 17)
#define RISCV_SUM (UINT64_C(1) << 18)
#define RISCV_MXR (UINT64_C(1) << 19)
#define RISCV_MPP_S (UINT64_C(1) << 11)
#define RISCV_PBMTE (UINT64_C(1) << 62)
#define RISCV_ADUE (UINT64_C(1) << 61)

/* A plain store, where there is no RAM: an AMO loads first, and would find that out before it is told that it may not write. */
enum { RISCV_STORE = 4 };

enum { RISCV_LOAD_ACCESS = 5, RISCV_STORE_ACCESS = 7, RISCV_LOAD_PAGE = 13, RISCV_STORE_PAGE = 15 };

static const uint8_t riscv_stub[] = {
#include "stub_riscv.inc"
};

/*
 * struct riscv - the two.
 *
 * @still: stands still, and has these registers
 */
struct riscv {
	struct qemu q, still;
	struct stub_box *box;
	unsigned satp, mstatus, priv;
};

static bool riscv_takes(const struct config *cfg, const char **why)
{
	*why = "tiny geometries are no hardware's";
	return !cfg->tiny;
}

static uint64_t riscv_arena(const struct config *cfg)
{
	return stub_arena(cfg, RISCV_RAM, RISCV_RAM_BYTES);
}

#define RISCV_ARGV                                                                                                               \
	"qemu-system-riscv64", "-M", "virt,memory-backend=ram", "-cpu", "rv64,pmp=false,svnapot=true,svpbmt=true", "-m", "4096", \
		"-display", "none", "-nodefaults", "-no-user-config", "-serial", "none", "-bios", "none"

static int riscv_start_still(struct judge *j, struct riscv *r)
{
	static const char *const argv[] = { RISCV_ARGV, "-S", NULL };
	unsigned priv;
	int ret = qemu_start(&r->still, j->path, argv, 1u << QEMU_QMP | 1u << QEMU_GDB, &j->ram, -1);

	if (!ret)
		ret = qemu_gdb_register(&r->still, "satp", &r->satp);
	if (!ret)
		ret = qemu_gdb_register(&r->still, "mstatus", &r->mstatus);
	if (!ret)
		ret = qemu_gdb_register(&r->still, "priv", &priv);
	/* S, with SUM and MXR: any leaf has an address. */
	if (!ret)
		ret = qemu_gdb_set(&r->still, priv, 1);
	if (!ret)
		ret = qemu_gdb_set(&r->still, r->mstatus, RISCV_SUM | RISCV_MXR);
	return ret ? judge_wrong(j, &r->still, ret) : 0;
}

static int riscv_start(struct judge *j, const struct config *cfg)
{
	static const struct qemu_region ram = { RISCV_RAM, RISCV_RAM_BYTES, 0 };
	static const char *const argv[] = { RISCV_ARGV, NULL };
	struct riscv *r = j->state;
	int ret = judge_ram(j, &ram, 1);

	(void)cfg;
	if (ret || r->q.pid)
		return ret;
	ret = stub_place(j, RISCV_RAM, riscv_stub, sizeof(riscv_stub), RISCV_BOX, &r->box);
	if (!ret) {
		ret = qemu_start(&r->q, j->path, argv, 1u << QEMU_QMP, &j->ram, -1);
		if (ret)
			return judge_wrong(j, &r->q, ret);
		snprintf(j->version, sizeof(j->version), "%s", r->q.version);
		ret = stub_run(j, &r->q, r->box, 0);
	}
	return ret ? ret : riscv_start_still(j, r);
}

static int riscv_load(struct judge *j, const struct judge_domain *d)
{
	const struct config *cfg = &d->hw->cfg;
	struct riscv *r = j->state;
	uint64_t satp = (uint64_t)(cfg->levels + 5u) << 60 | d->root >> 12;
	int ret = qemu_gdb_set(&r->still, r->satp, satp);

	r->box->words[RISCV_SATP] = satp;
	r->box->words[RISCV_AS_S] = RISCV_SUM | RISCV_MPP_S;
	r->box->words[RISCV_AS_U] = 0;
	r->box->words[RISCV_MENVCFG] = (cfg->pbmt ? RISCV_PBMTE : 0) | (cfg->ad ? RISCV_ADUE : 0);
	return ret ? judge_wrong(j, &r->still, ret) : 0;
}

/* An access fault came after the translation, which had allowed it: there is no memory. */
static int riscv_answer(struct judge *j, const struct stub_ask *s, struct judge_ask *ask)
{
	ask->answered = true;
	ask->type = JUDGE_TYPE_UNSEEN;
	ask->has_oa = false;
	switch (s->answer) {
	case 0:
		ask->ok = true;
		judge_landed(j, ask, (uint32_t)s->value);
		return 0;
	case RISCV_LOAD_ACCESS:
		/* Of an AMO: it was the load, and the rest is not known. */
		ask->answered = !(s->kind & 1);
		ask->ok = true;
		return 0;
	case RISCV_STORE_ACCESS:
		ask->ok = true;
		return 0;
	case RISCV_LOAD_PAGE:
	case RISCV_STORE_PAGE:
		ask->ok = false;
		return 0;
	}
	snprintf(j->why, sizeof(j->why), "the stub took a trap that it should not: mcause 0x%llx", (unsigned long long)s->answer);
	return -EPROTO;
}

/* Devices of the machine are not to be touched. */
static bool riscv_touchable(const struct judge_ask *ask)
{
	return ask->kind != JUDGE_ADDRESS && (ask->oa_due == UINT64_MAX || ask->oa_due >= RISCV_RAM);
}

static uint64_t riscv_kind(const struct judge *j, const struct judge_ask *ask)
{
	bool nowhere = ask->oa_due != UINT64_MAX && !qemu_ram_at(&j->ram, ask->oa_due, 4);

	return ask->kind | (ask->kind & 1 && nowhere ? RISCV_STORE : 0);
}

static int riscv_ask_some(struct judge *j, struct judge_ask *asks, size_t nr)
{
	struct riscv *r = j->state;
	size_t at = 0, i, first, batch;
	int ret = 0;

	while (at < nr && !ret) {
		first = at;
		for (batch = 0; at < nr && batch < STUB_ASKS_MAX; at++)
			if (riscv_touchable(&asks[at]))
				r->box->asks[batch++] = (struct stub_ask){ .kind = riscv_kind(j, &asks[at]),
									   .address = asks[at].iova,
									   .answer = UINT64_MAX };
		ret = stub_run(j, &r->q, r->box, batch);
		batch = 0;
		for (i = first; i < at && !ret; i++)
			if (riscv_touchable(&asks[i]))
				ret = riscv_answer(j, &r->box->asks[batch++], &asks[i]);
	}
	return ret ? ret : judge_addresses(j, &r->still, asks, nr);
}

static int riscv_ask(struct judge *j, struct judge_ask *asks, size_t nr)
{
	return judge_segments(j, asks, nr, 3, riscv_ask_some);
}

static bool riscv_marks(struct judge *j)
{
	(void)j;
	return true;
}

static void riscv_stop(struct judge *j)
{
	struct riscv *r = j->state;

	if (r->q.pid)
		qemu_stop(&r->q);
	if (r->still.pid)
		qemu_stop(&r->still);
}

/*
 * The page that the stub runs in. QEMU 7.2 keeps what was fetched in M-mode, where MPRV has no say, in the same TLB as what was loaded
 * under MPRV, so that a load from there would not be translated.
 */
static bool riscv_room(struct judge *j, uint64_t *iova, uint64_t *last)
{
	(void)j;
	*iova = RISCV_RAM;
	*last = RISCV_RAM + 0xfff;
	return true;
}

static const char *const riscv_formats[] = { "riscv64", NULL };

const struct judge_ops judge_riscv = {
	.name = "qemu-riscv",
	.binary = "qemu-system-riscv64",
	.formats = riscv_formats,
	.kinds = (1u << JUDGE_KINDS_NR) - 1,
	.iovas = 200,
	.marks = riscv_marks,
	.bytes = sizeof(struct riscv),
	.takes = riscv_takes,
	.arena = riscv_arena,
	.window = UINT64_C(0x88000000),
	.start = riscv_start,
	.load = riscv_load,
	.ask = riscv_ask,
	.stop = riscv_stop,
	.room = riscv_room,
};
