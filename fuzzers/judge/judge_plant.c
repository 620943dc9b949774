/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * judge_plant.c - encoding errors, planted into the judge's copy of the tables: what a misreading that engine and walker share would look
 * like to it. Each must be caught.
 */
#include <errno.h>
#include <string.h>

#include "judge_run.h"

/* Tables after which an error that nobody noticed counts as missed. */
enum { PLANT_TABLES_MAX = 60, PLANT_ASKS_MAX = 4096 };

/*
 * struct plant - an error.
 *
 * @format: how the format's name begins
 * @wrong:  the item as the misreading would have it; @raw itself where it makes no difference
 */
struct plant {
	const char *format, *name;
	uint64_t (*wrong)(const struct hw *hw, unsigned level, uint64_t raw, const struct hw_entry *e);
};

static uint64_t arm_no_af(const struct hw *hw, unsigned level, uint64_t raw, const struct hw_entry *e)
{
	(void)level;
	return e->kind == HW_LEAF && !hw->cfg.ad ? raw & ~(UINT64_C(1) << 10) : raw;
}

/* Bit 1 set in a block, clear in a page: its meaning taken the wrong way round. */
static uint64_t arm_page_bit(const struct hw *hw, unsigned level, uint64_t raw, const struct hw_entry *e)
{
	(void)hw;
	(void)level;
	return e->kind == HW_LEAF ? raw ^ 2 : raw;
}

static uint64_t arm_read_only(const struct hw *hw, unsigned level, uint64_t raw, const struct hw_entry *e)
{
	(void)hw;
	(void)level;
	return e->kind == HW_LEAF ? raw ^ 1 << 7 : raw;
}

/* Every item of a group holds the group's first address, as NAPOT and the short descriptors have it. */
static uint64_t arm_group_oa(const struct hw *hw, unsigned level, uint64_t raw, const struct hw_entry *e)
{
	(void)hw;
	(void)level;
	if (e->kind != HW_LEAF || e->size_lg2 == e->span_lg2)
		return raw;
	return raw & ~((UINT64_C(1) << e->size_lg2) - (UINT64_C(1) << e->span_lg2));
}

static uint64_t armv7s_no_af(const struct hw *hw, unsigned level, uint64_t raw, const struct hw_entry *e)
{
	(void)hw;
	return e->kind == HW_LEAF ? raw & ~(UINT64_C(1) << (level ? 10 : 4)) : raw;
}

/* A supersection without bit 18, a large page as a small one. */
static uint64_t armv7s_group(const struct hw *hw, unsigned level, uint64_t raw, const struct hw_entry *e)
{
	if (e->kind != HW_LEAF || e->size_lg2 == hw->item_lg2[level])
		return raw;
	return level ? raw & ~(UINT64_C(1) << 18) : raw ^ 3;
}

static uint64_t armv7s_read_only(const struct hw *hw, unsigned level, uint64_t raw, const struct hw_entry *e)
{
	(void)hw;
	return e->kind == HW_LEAF ? raw ^ UINT64_C(1) << (level ? 15 : 9) : raw;
}

/* Accessed and dirty are reserved in a pointer. (Missing in a leaf they are set by QEMU.) */
static uint64_t riscv_pointer_ad(const struct hw *hw, unsigned level, uint64_t raw, const struct hw_entry *e)
{
	(void)hw;
	(void)level;
	return e->kind == HW_TABLE ? raw | 1 << 6 | 1 << 7 : raw;
}

/* The address in place, as x86 has it. */
static uint64_t riscv_ppn(const struct hw *hw, unsigned level, uint64_t raw, const struct hw_entry *e)
{
	(void)hw;
	(void)level;
	return e->kind == HW_LEAF && !(raw >> 63) ? (raw & 0x3ff) | (raw & UINT64_C(0x003ffffffffffc00)) << 1 : raw;
}

/* The NAPOT code one bit too high, as if it were a size rather than half of it. */
static uint64_t riscv_napot(const struct hw *hw, unsigned level, uint64_t raw, const struct hw_entry *e)
{
	(void)hw;
	(void)level;
	return raw >> 63 && e->kind == HW_LEAF ? (raw & ~(UINT64_C(0xf) << 10)) | UINT64_C(4) << 10 : raw;
}

/* N without a code. */
static uint64_t riscv_napot_plain(const struct hw *hw, unsigned level, uint64_t raw, const struct hw_entry *e)
{
	(void)hw;
	(void)level;
	return raw >> 63 && e->kind == HW_LEAF ? raw & ~(UINT64_C(0xf) << 10) : raw;
}

static uint64_t riscv_user(const struct hw *hw, unsigned level, uint64_t raw, const struct hw_entry *e)
{
	(void)hw;
	(void)level;
	return e->kind == HW_LEAF ? raw ^ 1 << 4 : raw;
}

/* A page size bit missing in a large page, or set in a pointer to leaves. */
static uint64_t x86_no_ps(const struct hw *hw, unsigned level, uint64_t raw, const struct hw_entry *e)
{
	(void)hw;
	return level && e->kind == HW_LEAF ? raw & ~(UINT64_C(1) << 7) : raw;
}

static uint64_t x86_pointer_ps(const struct hw *hw, unsigned level, uint64_t raw, const struct hw_entry *e)
{
	(void)hw;
	(void)level;
	return e->kind == HW_TABLE ? raw | 1 << 7 : raw;
}

static uint64_t x86_pointer_ro(const struct hw *hw, unsigned level, uint64_t raw, const struct hw_entry *e)
{
	(void)hw;
	(void)level;
	return e->kind == HW_TABLE ? raw & ~UINT64_C(2) : raw;
}

static uint64_t x86_user_bit(const struct hw *hw, unsigned level, uint64_t raw, const struct hw_entry *e)
{
	(void)hw;
	(void)level;
	return e->kind == HW_LEAF ? raw ^ 1 << 2 : raw;
}

static uint64_t vtd_wide_pointer(const struct hw *hw, unsigned level, uint64_t raw, const struct hw_entry *e)
{
	(void)hw;
	(void)level;
	return e->kind == HW_TABLE ? raw | UINT64_C(1) << 51 : raw;
}

static uint64_t bit1_inverted(const struct hw *hw, unsigned level, uint64_t raw, const struct hw_entry *e)
{
	(void)hw;
	(void)level;
	return e->kind == HW_LEAF ? raw ^ 2 : raw;
}

/* The size code of half, and of twice the size: one zero bit too low, too high. */
static uint64_t amd_size_low(const struct hw *hw, unsigned level, uint64_t raw, const struct hw_entry *e)
{
	(void)hw;
	(void)level;
	if (e->kind != HW_LEAF || (raw >> 9 & 7) != 7 || e->size_lg2 < 14)
		return raw;
	return raw & ~(UINT64_C(1) << (e->size_lg2 - 2));
}

static uint64_t amd_size_high(const struct hw *hw, unsigned level, uint64_t raw, const struct hw_entry *e)
{
	(void)hw;
	(void)level;
	if (e->kind != HW_LEAF || (raw >> 9 & 7) != 7)
		return raw;
	return raw | UINT64_C(1) << (e->size_lg2 - 1);
}

/* A page of another size than the level's, said to be of the level's. */
static uint64_t amd_default(const struct hw *hw, unsigned level, uint64_t raw, const struct hw_entry *e)
{
	(void)hw;
	(void)level;
	return e->kind == HW_LEAF ? raw & ~(UINT64_C(7) << 9) : raw;
}

static uint64_t amd_pointer_read_only(const struct hw *hw, unsigned level, uint64_t raw, const struct hw_entry *e)
{
	(void)hw;
	(void)level;
	return e->kind == HW_TABLE ? raw & ~(UINT64_C(1) << 62) : raw;
}

static uint64_t amd_write(const struct hw *hw, unsigned level, uint64_t raw, const struct hw_entry *e)
{
	(void)hw;
	(void)level;
	return e->kind == HW_LEAF ? raw ^ UINT64_C(1) << 62 : raw;
}

static const struct plant plants[] = {
	{ "armv8", "access flag missing", arm_no_af },
	{ "armv8", "block and page bit exchanged", arm_page_bit },
	{ "armv8", "write permission inverted", arm_read_only },
	{ "armv8", "items of a contiguous group all hold its first address", arm_group_oa },
	{ "riscv64", "accessed and dirty set in a pointer", riscv_pointer_ad },
	{ "riscv64", "page number one bit too high", riscv_ppn },
	{ "riscv64", "NAPOT code of another size", riscv_napot },
	{ "riscv64", "NAPOT bit without a code", riscv_napot_plain },
	{ "riscv64", "user bit inverted", riscv_user },
	{ "x86_64", "page size bit missing in a large page", x86_no_ps },
	{ "x86_64", "page size bit in a pointer", x86_pointer_ps },
	{ "x86_64", "pointers not writable", x86_pointer_ro },
	{ "x86_64", "user bit inverted", x86_user_bit },
	{ "vtdss", "page size bit missing in a large page", x86_no_ps },
	{ "vtdss", "page size bit in a pointer", x86_pointer_ps },
	{ "vtdss", "write permission inverted", bit1_inverted },
	{ "vtdss", "an address bit beyond the host's in a pointer", vtd_wide_pointer },
	{ "amdv1", "size code of half the size", amd_size_low },
	{ "amdv1", "size code of twice the size", amd_size_high },
	{ "amdv1", "size code of the level's default size", amd_default },
	{ "amdv1", "pointers not writable", amd_pointer_read_only },
	{ "amdv1", "write permission inverted", amd_write },
	{ "armv7s", "access flag missing", armv7s_no_af },
	{ "armv7s", "group code missing", armv7s_group },
	{ "armv7s", "write permission inverted", armv7s_read_only },
};

/* Spoil the judge's copy. Returns how many items were changed. */
static uint64_t plant_spoil(struct judge_table *t, const struct plant *p, unsigned level, uint64_t table)
{
	const struct hw *hw = t->domain.hw;
	uint64_t changed = 0, i;

	for (i = 0; i < UINT64_C(1) << hw->index_lg2[level]; i++) {
		uint64_t pa = table + (i << hw->item_bytes_lg2), raw = mem_view_load(&t->x.mem.view, pa, hw->item_bytes_lg2), wrong;
		struct hw_entry e = hw->format->decode(hw, level, raw);

		if (e.kind == HW_TABLE)
			changed += plant_spoil(t, p, e.level, e.pa);
		if (e.kind != HW_TABLE && e.kind != HW_LEAF)
			continue;
		wrong = p->wrong(hw, level, raw, &e);
		if (wrong != raw) {
			judge_poke(t->j, pa, wrong, hw->item_bytes_lg2);
			changed++;
		}
	}
	return changed;
}

/* One table with the error. *wrong: answers that differ from what is due. */
static int plant_try(struct judge_table *t, const struct plant *p, const struct config *cfg, uint64_t seed, uint64_t *wrong)
{
	static struct judge_ask asks[PLANT_ASKS_MAX];
	struct judge_ask due;
	struct walk w;
	size_t nr, i;
	int ret = t->j->ops->start(t->j, cfg);

	if (!ret)
		ret = judge_table_make(t, cfg, seed, 48);
	if (ret)
		return ret;
	if (plant_spoil(t, p, t->domain.level, t->domain.root)) {
		/* The judge may have items of its own in the root. */
		ret = t->j->ops->load(t->j, &t->domain);
		nr = judge_questions(t, asks, PLANT_ASKS_MAX, 200);
		if (!ret)
			ret = t->j->ops->ask(t->j, asks, nr);
		for (i = 0; i < nr && !ret; i++) {
			if (!asks[i].answered)
				continue;
			judge_expect(t, &t->x.mem.view, &asks[i], &due, &w);
			*wrong += !judge_agrees(&due, &asks[i]);
		}
	}
	judge_table_end(t);
	return ret;
}

int judge_plants(struct judge_table *t, const struct judge_plan *plan, struct judge_result *res)
{
	struct rng rng;
	unsigned i, k;
	int ret;

	rng_init(&rng, ~plan->seed);
	for (i = 0; i < sizeof(plants) / sizeof(plants[0]); i++) {
		const struct plant *p = &plants[i];
		unsigned at;

		if (strncmp(plan->format, p->format, strlen(p->format)))
			continue;
		at = res->planted_nr++;
		res->planted[at].name = p->name;
		for (k = 0; k < PLANT_TABLES_MAX && !res->planted[at].wrong; k++) {
			ret = plant_try(t, p, &plan->configs[rng_below(&rng, plan->configs_nr)], rng_next(&rng), &res->planted[at].wrong);
			if (ret < 0 && ret != -EOPNOTSUPP)
				return ret;
			res->planted[at].tables++;
		}
	}
	return 0;
}
