/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * judge_x86.c - QEMU's x86 MMU in long mode, 4 and 5 levels: a stub makes accesses through the table; a second QEMU, whose processor stands
 * still, says by gva2gpa where addresses outside its RAM lead, and lists all that there is by info tlb.
 *
 * The stub must be mapped by the table that it tries, so one empty item of the root, in the judge's copy, is the stub's. Whether a page
 * is a user's is told by SMAP: an access with privilege and AC clear is refused.
 *
 * AMD64 APM volume 2, 24593: CR0, CR4, EFER in 3.1, IDT in 4.8; Intel SDM volume 3, 4.6 (SMAP), 4.5 (LA57).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "judge_stub.h"

enum { X86_CR4, X86_HOME, X86_ROOT, X86_BASE, X86_IDTR, X86_GDTR = X86_IDTR + 2 };
/* What a stub is asked: a write, with AC clear. */
enum { X86_WRITE = 1, X86_SMAP = 2 };

#define X86_STUB UINT64_C(0x02000000)
#define X86_BOX UINT64_C(0x02010000)
#define X86_HANDLER (X86_STUB + 0x200)
#define X86_GDT (X86_STUB + 0x800)
#define X86_IDT (X86_STUB + 0x1000)
/* The stub's own tables, for 4 and for 5 levels: its root, then those below. */
#define X86_HOME_ROOT (X86_STUB + 0x2000)
#define X86_HOME_PML4 (X86_STUB + 0x3000)
#define X86_HOME_PDPT (X86_STUB + 0x4000)
#define X86_HOME_PD (X86_STUB + 0x5000)
#define X86_POINTER UINT64_C(0x23)
#define X86_LOW_BYTES (UINT64_C(3) << 30)

#define X86_CR4_PAE (1u << 5)
#define X86_CR4_LA57 (1u << 12)
#define X86_CR4_SMAP (1u << 21)
#define X86_CR0 UINT64_C(0x80010011)
#define X86_EFER UINT64_C(0xd00)
#define X86_FAULT (UINT64_C(1) << 63)
#define X86_FIRMWARE_BYTES 65536

static const uint8_t x86_stub[] = {
#include "stub_x86.inc"
};

static const uint8_t x86_reset[] = {
#include "stub_reset.inc"
};

/*
 * struct x86 - the two.
 *
 * @levels: that they run with; @slot: the stub's item of the root
 */
struct x86 {
	struct qemu q, still;
	struct stub_box *box;
	unsigned levels, cr3, slot;
	bool has_slot;
};

static bool x86_takes(const struct config *cfg, const char **why)
{
	*why = "tiny geometries are no hardware's";
	return !cfg->tiny;
}

static uint64_t x86_arena(const struct config *cfg)
{
	switch ((enum config_tables)cfg->tables) {
	case TABLES_HIGH:
		return UINT64_C(0x110000000);
	case TABLES_STRADDLE: /* there is no RAM below 2^32 to straddle from */
		return UINT64_C(0x100000000);
	case TABLES_LIMIT:
		return UINT64_C(0x140000000) - JUDGE_ARENA_BYTES;
	default:
		return UINT64_C(0x04000000);
	}
}

/* The firmware, as a file without a name. */
static int x86_firmware(struct judge *j)
{
	int fd = memfd_create("firmware", MFD_CLOEXEC);

	if (fd >= 0 && !ftruncate(fd, X86_FIRMWARE_BYTES) &&
	    pwrite(fd, x86_reset, sizeof(x86_reset), X86_FIRMWARE_BYTES - sizeof(x86_reset)) == (ssize_t)sizeof(x86_reset))
		return fd;
	snprintf(j->why, sizeof(j->why), "no memory for the firmware: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
	return -EIO;
}

static void x86_store(struct judge *j, uint64_t pa, uint64_t value)
{
	memcpy(qemu_ram_at(&j->ram, pa, 8), &value, 8);
}

/* The item of a root through which the stub sees itself. */
static uint64_t x86_home_item(const struct x86 *x)
{
	return (x->levels == 5 ? X86_HOME_PML4 : X86_HOME_PDPT) | X86_POINTER;
}

static void x86_home(struct judge *j, struct x86 *x)
{
	memset(qemu_ram_at(&j->ram, X86_HOME_ROOT, 0x4000), 0, 0x4000);
	x86_store(j, X86_HOME_ROOT, x86_home_item(x));
	x86_store(j, X86_HOME_PML4, X86_HOME_PDPT | X86_POINTER);
	x86_store(j, X86_HOME_PDPT, X86_HOME_PD | X86_POINTER);
	x86_store(j, X86_HOME_PD + 8 * (X86_STUB >> 21), X86_STUB | 0xe3);
	/* The GDT of the one that stands still is where a reset leaves GDTR: at 0. */
	x86_store(j, X86_HOME_PD, 0xe3);
	memcpy(qemu_ram_at(&j->ram, 0, 0x20), x86_stub + (X86_GDT - X86_STUB), 0x20);
}

static uint64_t x86_cr4(const struct x86 *x)
{
	return X86_CR4_PAE | X86_CR4_SMAP | (x->levels == 5 ? X86_CR4_LA57 : 0);
}

/* Long mode first; then a code segment of 64 bits, or else the gdb stub takes registers for 32 bits wide. */
static int x86_start_still(struct judge *j, struct x86 *x, const char *const argv[], int firmware)
{
	static const struct {
		const char *name;
		uint64_t value;
	} set[] = { { "cr4", 0 }, { "cr3", X86_HOME_ROOT }, { "efer", X86_EFER }, { "cr0", X86_CR0 }, { "cs", 0x18 } };
	unsigned number, i;
	int ret = qemu_start(&x->still, j->path, argv, 1u << QEMU_QMP | 1u << QEMU_GDB, &j->ram, firmware);

	if (!ret)
		ret = qemu_gdb_register(&x->still, "cr3", &x->cr3);
	for (i = 0; i < sizeof(set) / sizeof(set[0]) && !ret; i++) {
		ret = qemu_gdb_register(&x->still, set[i].name, &number);
		if (!ret)
			ret = qemu_gdb_set(&x->still, number, i ? set[i].value : x86_cr4(x));
	}
	return ret ? judge_wrong(j, &x->still, ret) : 0;
}

#define X86_ARGV                                                                                                                          \
	"qemu-system-x86_64", "-M", "pc,memory-backend=ram", "-cpu", "max,phys-bits=52", "-m", "4096", "-display", "none", "-nodefaults", \
		"-no-user-config", "-no-reboot", "-net", "none"

static int x86_start(struct judge *j, const struct config *cfg)
{
	static const struct qemu_region ram[] = { { 0, X86_LOW_BYTES, 0 }, { UINT64_C(1) << 32, UINT64_C(1) << 30, X86_LOW_BYTES } };
	struct x86 *x = j->state;
	int ret = judge_ram(j, ram, 2), firmware;
	char path[40];
	const char *const argv[] = { X86_ARGV, "-bios", path, NULL };
	const char *const still[] = { X86_ARGV, "-S", "-bios", path, NULL };

	if (ret || x->levels == cfg->levels)
		return ret;
	j->ops->stop(j);
	x->levels = cfg->levels;
	firmware = x86_firmware(j);
	if (firmware < 0)
		return firmware;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", firmware);
	ret = stub_place(j, X86_STUB, x86_stub, sizeof(x86_stub), X86_BOX, &x->box);
	if (!ret) {
		x86_home(j, x);
		x->box->words[X86_CR4] = x86_cr4(x);
		x->box->words[X86_HOME] = x->box->words[X86_ROOT] = X86_HOME_ROOT;
		ret = qemu_start(&x->q, j->path, argv, 1u << QEMU_QMP, &j->ram, firmware);
		if (ret)
			judge_wrong(j, &x->q, ret);
		snprintf(j->version, sizeof(j->version), "%s", x->q.version);
	}
	if (!ret)
		ret = x86_start_still(j, x, still, firmware);
	close(firmware);
	return ret;
}

/* The IDT: #GP and #PF go to the stub's handler, seen from base. */
static void x86_gates(struct judge *j, uint64_t base)
{
	uint64_t to = base + X86_HANDLER, low = (to & 0xffff) | 0x18 << 16 | UINT64_C(0x8e00) << 32 | (to >> 16 & 0xffff) << 48;
	static const unsigned vectors[] = { 13, 14 };
	unsigned i;

	for (i = 0; i < 2; i++) {
		x86_store(j, X86_IDT + 16 * vectors[i], low);
		x86_store(j, X86_IDT + 16 * vectors[i] + 8, to >> 32);
	}
}

/* A pseudo-descriptor for LGDT and LIDT: limit, then base. */
static void x86_table_register(uint64_t *words, uint64_t base, uint16_t limit)
{
	memcpy(words, &limit, 2);
	memcpy((uint8_t *)words + 2, &base, 8);
}

static int x86_load(struct judge *j, const struct judge_domain *d)
{
	struct x86 *x = j->state;
	unsigned shift = d->hw->item_lg2[d->level];
	uint64_t base = 0, item;
	int ret;

	x->has_slot = false;
	for (x->slot = 511; x->slot < 512; x->slot--) {
		memcpy(&item, qemu_ram_at(&j->ram, d->root + 8 * x->slot, 8), 8);
		if (!item)
			break;
	}
	ret = qemu_gdb_set(&x->still, x->cr3, d->root);
	if (ret)
		return judge_wrong(j, &x->still, ret);
	if (x->slot >= 512)
		return 0; /* no room: addresses alone are judged */
	x->has_slot = true;
	base = (uint64_t)((int64_t)((uint64_t)x->slot << shift << (55 - shift)) >> (55 - shift));
	x86_store(j, d->root + 8 * x->slot, x86_home_item(x));
	x86_store(j, X86_HOME_ROOT + 8 * x->slot, x86_home_item(x));
	x86_gates(j, base);
	x->box->words[X86_ROOT] = d->root;
	x->box->words[X86_BASE] = base;
	x86_table_register(&x->box->words[X86_IDTR], base + X86_IDT, 0xfff);
	x86_table_register(&x->box->words[X86_GDTR], base + X86_GDT, 0x1f);
	return 0;
}

static bool x86_room(struct judge *j, uint64_t *iova, uint64_t *last)
{
	struct x86 *x = j->state;
	unsigned shift = x->levels == 5 ? 48 : 39;

	if (!x->has_slot)
		return false;
	*iova = x->box->words[X86_BASE];
	*last = *iova + (UINT64_C(1) << shift) - 1;
	return true;
}

/* Devices of the machine are not to be touched; they lie below 4G. */
static bool x86_touchable(const struct x86 *x, const struct judge_ask *ask)
{
	bool hole = ask->oa_due >= X86_LOW_BYTES && ask->oa_due < UINT64_C(1) << 32;

	return x->has_slot && ask->kind != JUDGE_ADDRESS && !hole && !(ask->oa_due >= 0xa0000 && ask->oa_due < 0x100000);
}

static bool x86_user(const struct judge_ask *ask)
{
	return ask->kind == JUDGE_READ_USER || ask->kind == JUDGE_WRITE_USER;
}

/* What a user may do is allowed with AC set and refused with AC clear. */
static void x86_answer(struct judge *j, const struct stub_ask *s, struct judge_ask *ask)
{
	ask->answered = true;
	ask->type = JUDGE_TYPE_UNSEEN;
	ask->has_oa = false;
	ask->ok = !(s[0].answer & X86_FAULT) && (!x86_user(ask) || s[1].answer & X86_FAULT);
	if (ask->ok && !(s[0].kind & X86_WRITE))
		judge_landed(j, ask, (uint32_t)s[0].value);
}

static int x86_ask_some(struct judge *j, struct judge_ask *asks, size_t nr)
{
	struct x86 *x = j->state;
	size_t at = 0, i, first, batch;
	int ret = 0;

	while (at < nr && !ret && x->has_slot) {
		first = at;
		for (batch = 0; at < nr && batch + 2 <= STUB_ASKS_MAX; at++) {
			uint64_t kind = asks[at].kind == JUDGE_WRITE || asks[at].kind == JUDGE_WRITE_USER ? X86_WRITE : 0;

			if (!x86_touchable(x, &asks[at]))
				continue;
			x->box->asks[batch++] = (struct stub_ask){ .kind = kind, .address = asks[at].iova };
			if (x86_user(&asks[at]))
				x->box->asks[batch++] = (struct stub_ask){ .kind = X86_SMAP, .address = asks[at].iova };
		}
		ret = stub_run(j, &x->q, x->box, batch);
		batch = 0;
		for (i = first; i < at && !ret; i++) {
			if (!x86_touchable(x, &asks[i]))
				continue;
			x86_answer(j, &x->box->asks[batch], &asks[i]);
			batch += 1 + x86_user(&asks[i]);
		}
	}
	return ret ? ret : judge_addresses(j, &x->still, asks, nr);
}

static int x86_ask(struct judge *j, struct judge_ask *asks, size_t nr)
{
	return judge_segments(j, asks, nr, 3, x86_ask_some);
}

/* One line of info tlb: "iova: oa XGPDACTUW", a dash for each bit that is clear. */
static bool x86_leaf(const char *line, struct judge_leaf *leaf)
{
	static const char letters[] = "XGPDACTUW";
	unsigned long long iova, oa;
	char flags[10];
	unsigned i;
	int end = 0;

	if (sscanf(line, "%16llx: %16llx %9[-XGPDACTUW]%n", &iova, &oa, flags, &end) != 3 || strlen(flags) != 9 || line[end])
		return false;
	for (i = 0; i < 9; i++)
		if (flags[i] != '-' && flags[i] != letters[i])
			return false;
	/* X stands for the bit that forbids execution. */
	*leaf = (struct judge_leaf){ .iova = iova, .oa = oa, .prot = PROT_R };
	leaf->prot |= (flags[0] == '-' ? PROT_X : 0) | (flags[7] == '-' ? PROT_PRIV : 0) | (flags[8] == '-' ? 0 : PROT_W);
	return true;
}

static int x86_leaves(struct judge *j, struct judge_leaf **list, size_t *nr)
{
	struct x86 *x = j->state;
	uint64_t iova = 1, last = 0;
	char *text, *line, *rest;
	int ret = qemu_hmp(&x->still, "info tlb", &text);

	if (ret)
		return judge_wrong(j, &x->still, ret);
	x86_room(j, &iova, &last);
	*nr = 0;
	*list = malloc((strlen(text) / 32 + 1) * sizeof(**list));
	if (!*list)
		abort();
	for (line = strtok_r(text, "\r\n", &rest); line && !ret; line = strtok_r(NULL, "\r\n", &rest)) {
		struct judge_leaf leaf;

		if (!x86_leaf(line, &leaf)) {
			snprintf(j->why, sizeof(j->why), "info tlb answers '%.80s'", line);
			ret = -EPROTO;
		} else if (leaf.iova < iova || leaf.iova > last) {
			(*list)[(*nr)++] = leaf;
		}
	}
	free(text);
	return ret;
}

static bool x86_marks(struct judge *j)
{
	(void)j;
	return true;
}

static void x86_stop(struct judge *j)
{
	struct x86 *x = j->state;

	if (x->q.pid)
		qemu_stop(&x->q);
	if (x->still.pid)
		qemu_stop(&x->still);
	x->levels = 0;
}

static const char *const x86_formats[] = { "x86_64", NULL };

const struct judge_ops judge_x86 = {
	.name = "qemu-x86",
	.binary = "qemu-system-x86_64",
	.formats = x86_formats,
	.kinds = (1u << JUDGE_KINDS_NR) - 1,
	.iovas = 200,
	.marks = x86_marks,
	.bytes = sizeof(struct x86),
	.takes = x86_takes,
	.arena = x86_arena,
	.window = UINT64_C(0x08000000),
	.start = x86_start,
	.load = x86_load,
	.ask = x86_ask,
	.stop = x86_stop,
	.leaves_oa_lg2 = 50, /* info tlb masks the rest off */
	.leaves = x86_leaves,
	.room = x86_room,
};
