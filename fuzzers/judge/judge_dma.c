/* SPDX-License-Identifier: GPL-2.0-or-later */
/* judge_dma.c - DMA on command, and what QEMU prints about it. Lines that are not known are an error: they might be answers. */
#include "judge_dma.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { DMA_ASKS_MAX = 512, DMA_FIRMWARE_BYTES = 65536 };

/* The controller's registers, and where we put them. */
#define HDA UINT64_C(0xe0000000)
enum {
	HDA_GCTL = 0x08,
	HDA_CORBLBASE = 0x40,
	HDA_CORBUBASE = 0x44,
	HDA_CORBWP = 0x48,
	HDA_CORBRP = 0x4a,
	HDA_CORBCTL = 0x4c,
	HDA_RIRBLBASE = 0x50,
	HDA_RIRBUBASE = 0x54,
	HDA_RIRBWP = 0x58,
	HDA_RINTCNT = 0x5a,
	HDA_RIRBCTL = 0x5c,
	HDA_RIRBSTS = 0x5d,
};
/* The rings are aligned to 128 bytes; the first response of a ring that was reset goes to its second place, of 8 bytes. */
enum { HDA_ALIGN = 128, HDA_FIRST_RESPONSE = 8 };

uint64_t dma_arena(const struct config *cfg)
{
	switch ((enum config_tables)cfg->tables) {
	case TABLES_HIGH:
		return UINT64_C(0x110000000);
	case TABLES_STRADDLE: /* there is no RAM below 2^32 to straddle from */
		return UINT64_C(0x100000000);
	case TABLES_LIMIT:
		return UINT64_C(0x180000000) - JUDGE_ARENA_BYTES;
	default:
		return UINT64_C(0x04000000);
	}
}

void dma_store(struct judge *j, uint64_t pa, uint64_t value)
{
	memcpy(qemu_ram_at(&j->ram, pa, 8), &value, 8);
}

bool dma_in_window(const struct judge *j, uint64_t pa)
{
	return pa - j->ops->window < JUDGE_WINDOW_BYTES;
}

bool dma_landed(struct judge *j, uint64_t oa)
{
	uint64_t *at = qemu_ram_at(&j->ram, oa, 8);

	return at && !*at;
}

/* One answer: "OK", or "OK 0x...". */
static int dma_ok(struct judge *j, struct dma *d, uint64_t *value)
{
	const char *line;

	do {
		line = qemu_line(&d->q, QEMU_QTEST, false);
		if (!line)
			return judge_wrong(j, &d->q, -EIO);
	} while (!strncmp(line, "IRQ ", 4));
	if (strncmp(line, "OK", 2) || (line[2] && line[2] != ' ')) {
		snprintf(j->why, sizeof(j->why), "qtest answers '%.100s'", line);
		return -EPROTO;
	}
	if (value)
		*value = strtoull(line + 2, NULL, 16);
	return 0;
}

int dma_command(struct judge *j, struct dma *d, uint64_t *value, const char *format, ...)
{
	char text[160];
	va_list args;
	int nr, ret;

	va_start(args, format);
	nr = vsnprintf(text, sizeof(text) - 1, format, args);
	va_end(args);
	text[nr++] = '\n';
	ret = qemu_send(&d->q, QEMU_QTEST, text, (size_t)nr);
	return ret ? judge_wrong(j, &d->q, ret) : dma_ok(j, d, value);
}

static int dma_config(struct judge *j, struct dma *d, unsigned reg, uint32_t value)
{
	int ret = dma_command(j, d, NULL, "outl 0xcf8 0x%x", 0x80000000u | DMA_DEVFN << 8 | reg);

	return ret ? ret : dma_command(j, d, NULL, "outl 0xcfc 0x%x", value);
}

/* BAR 0, bus master and memory on; out of reset; both rings on, and every response to be told of, which is what lets it be forgotten. */
static int dma_device(struct judge *j, struct dma *d)
{
	uint64_t id = 0;
	int ret = dma_command(j, d, NULL, "outl 0xcf8 0x%x", 0x80000000u | DMA_DEVFN << 8);

	if (!ret)
		ret = dma_command(j, d, &id, "inl 0xcfc");
	if (!ret && (id & 0xffff) != 0x8086) {
		snprintf(j->why, sizeof(j->why), "there is no audio controller: 0x%" PRIx64, id);
		ret = -ENODEV;
	}
	if (!ret)
		ret = dma_config(j, d, 0x10, HDA);
	if (!ret)
		ret = dma_config(j, d, 0x14, 0);
	if (!ret)
		ret = dma_config(j, d, 0x04, 6);
	if (!ret)
		ret = dma_command(j, d, NULL, "writel 0x%" PRIx64 " 1", HDA + HDA_GCTL);
	if (!ret)
		ret = dma_command(j, d, NULL, "writew 0x%" PRIx64 " 0xff", HDA + HDA_RINTCNT);
	if (!ret)
		ret = dma_command(j, d, NULL, "writeb 0x%" PRIx64 " 2", HDA + HDA_CORBCTL);
	return ret;
}

/* Start it with one IOMMU and one way to ask for the messages that are wanted. */
static int dma_try(struct judge *j, struct dma *d, const char *iommu, const char *log, const char *const *traces, int firmware)
{
	/* clang-format off */
	const char *argv[48] = {
		"qemu-system-x86_64", "-M", "q35,memory-backend=ram", "-accel", "tcg", "-S", "-m", "4096", "-display", "none", "-nodefaults",
		"-no-user-config", "-qtest-log", "none", "-audiodev", "none,id=none", "-d", log, "-device", iommu,
		"-device", "intel-hda,addr=3,debug=2", "-device", "hda-output,audiodev=none", "-bios",
	};
	/* clang-format on */
	unsigned nr = 25;
	char path[40];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", firmware);
	argv[nr++] = path;
	while (*traces) {
		argv[nr++] = "-trace";
		argv[nr++] = *traces++;
	}
	return qemu_start(&d->q, j->path, argv, 1u << QEMU_QMP | 1u << QEMU_QTEST, &j->ram, firmware);
}

int dma_start(struct judge *j, struct dma *d, const char *const *iommus, const char *const *traces)
{
	static const struct qemu_region ram[] = { { 0, DMA_LOW_BYTES, 0 }, { UINT64_C(1) << 32, DMA_LOW_BYTES, DMA_LOW_BYTES } };
	/* Later QEMUs have a category of its own for accesses that meet nothing. */
	static const char *const logs[] = { "guest_errors,invalid_mem", "guest_errors" };
	int ret = judge_ram(j, ram, 2), firmware;
	unsigned i;

	if (ret)
		return ret;
	firmware = memfd_create("firmware", MFD_CLOEXEC);
	if (firmware < 0 || ftruncate(firmware, DMA_FIRMWARE_BYTES)) {
		snprintf(j->why, sizeof(j->why), "no memory for the firmware: %s", strerror(errno));
		return -EIO;
	}
	for (ret = -ENOENT; *iommus && ret; iommus++)
		for (i = 0; i < 2 && ret; i++)
			ret = dma_try(j, d, *iommus, logs[i], traces, firmware);
	close(firmware);
	if (ret)
		return judge_wrong(j, &d->q, ret);
	snprintf(j->version, sizeof(j->version), "%s", d->q.version);
	return dma_device(j, d);
}

void dma_stop(struct dma *d)
{
	if (d->q.pid)
		qemu_stop(&d->q);
}

/* Fetch one command from iova. Returns the commands that this is. */
static unsigned dma_fetch(FILE *out, uint64_t iova)
{
	uint64_t base = iova & ~(uint64_t)(HDA_ALIGN - 1);
	unsigned place = (unsigned)(iova - base) / 4;

	fprintf(out, "writel 0x%" PRIx64 " 0x%x\nwritel 0x%" PRIx64 " 0x%x\n", HDA + HDA_CORBLBASE, (uint32_t)base, HDA + HDA_CORBUBASE,
		(uint32_t)(base >> 32));
	fprintf(out, "writew 0x%" PRIx64 " 0x%x\nwritew 0x%" PRIx64 " 0x%x\n", HDA + HDA_CORBRP, (place - 1) & 0xff, HDA + HDA_CORBWP,
		place);
	return 4;
}

static unsigned dma_read(FILE *out, struct dma *d, uint64_t iova)
{
	d->flush(d, out);
	return 1 + dma_fetch(out, iova);
}

static unsigned dma_write(FILE *out, struct dma *d, uint64_t iova)
{
	uint64_t base = iova - HDA_FIRST_RESPONSE;

	d->flush(d, out);
	fprintf(out, "writeb 0x%" PRIx64 " 5\n", HDA + HDA_RIRBSTS);
	fprintf(out, "writel 0x%" PRIx64 " 0x%x\nwritel 0x%" PRIx64 " 0x%x\nwritew 0x%" PRIx64 " 0x8000\n", HDA + HDA_RIRBLBASE,
		(uint32_t)base, HDA + HDA_RIRBUBASE, (uint32_t)(base >> 32), HDA + HDA_RIRBWP);
	return 5 + dma_fetch(out, d->hole);
}

/* The iova that is written to for a question about iova: in the same page, where a response can go. */
static uint64_t dma_write_iova(uint64_t iova)
{
	return (iova & ~(uint64_t)(HDA_ALIGN - 1)) + HDA_FIRST_RESPONSE;
}

/* What QEMU prints and is no answer. */
static bool dma_is_noise(const char *line)
{
	static const char *const noise[] = {
		"qemu-system-x86_64: ",
		"intel-hda: intel_hda_update_irq: level ",
		"intel-hda: intel_hda_corb_run: corb ring empty",
		"intel-hda: intel_hda_send_command: addressed non-existing codec",
		"intel-hda: intel_hda_send_command: indirect node addressing",
		"intel-hda: intel_hda_response: corb ring empty (",
		"intel-hda: intel_hda_response: rirb dma disabled, drop codec response",
		"intel-hda: write GCTL ",
		"intel-hda: write RINTCNT ",
		"intel-hda: write CORBCTL ",
		"intel-hda: write CORBLBASE ",
		"intel-hda: write CORBUBASE ",
		"intel-hda: write CORBRP ",
		"intel-hda: write RIRBCTL ",
		"intel-hda: write RIRBSTS ",
		"intel-hda: write RIRBLBASE ",
		"intel-hda: write RIRBUBASE ",
		"intel-hda: write RIRBWP ",
		"[I ", /* what qtest says of itself */
	};
	size_t i;

	for (i = 0; i < sizeof(noise) / sizeof(noise[0]); i++)
		if (!strncmp(line, noise[i], strlen(noise[i])))
			return true;
	return false;
}

bool dma_see(struct dma_seen *seen, const char *line)
{
	unsigned long long a, b, c;
	unsigned x, y, z;

	if (sscanf(line, "Invalid read at addr 0x%llX, size 4, region '(null)', reason: rejected", &a) == 1) {
		seen->read_at = a;
	} else if (sscanf(line, "Invalid access to non-RAM device at addr 0x%llX, size 4, region '(null)'", &a) == 1 ||
		   sscanf(line, "Invalid write at addr 0x%llX, size 4, region '(null)', reason: rejected", &a) == 1) {
		/* The response comes after the command. */
		seen->refused_read += !seen->verbs;
		seen->refused_write += seen->verbs;
	} else if (sscanf(line, "intel-hda: intel_hda_corb_run: [rp 0x%x] verb 0x%x", &x, &y) == 2) {
		seen->verb = y;
		seen->verbs++;
	} else if (sscanf(line, "intel-hda: intel_hda_response: [wp 0x%x] response 0x%x, extra 0x%x", &x, &y, &z) == 3) {
		seen->responses++;
	} else if (sscanf(line, "vtd_dmar_fault sid 0x%x fault %u addr 0x%llx write %u", &x, &y, &a, &z) == 4 && z <= 1) {
		seen->fault_read += !z;
		seen->fault_write += z;
	} else if (sscanf(line, "vtd_dmar_translate dev %x:%x.%x iova 0x%llx -> gpa 0x%llx mask 0x%llx", &x, &y, &z, &a, &b, &c) == 6) {
		seen->translated++;
		seen->gpa = b;
		seen->mask = c;
	} else if (!strncmp(line, "amdvi_cache_update ", strlen("amdvi_cache_update "))) {
		seen->cached++;
	} else {
		return dma_is_noise(line);
	}
	return true;
}

/* Everything that the batch made QEMU print. */
static int dma_parse(struct judge *j, struct dma *d, struct dma_seen *seen, size_t nr)
{
	static const char start[] = "intel-hda: write CORBWP ";
	size_t at = 0;
	char *line;
	int ret = qemu_drain(&d->q, QEMU_TRACE);

	if (ret)
		return judge_wrong(j, &d->q, qemu_alive(&d->q) ? -EPIPE : qemu_wrong(&d->q, ret, "its trace ended"));
	while ((line = qemu_line(&d->q, QEMU_TRACE, true))) {
		bool known;

		if (!strncmp(line, start, sizeof(start) - 1)) {
			if (at == nr)
				break;
			seen[at++] = (struct dma_seen){ .read_at = UINT64_MAX };
			continue;
		}
		known = at ? dma_see(&seen[at - 1], line) : dma_is_noise(line);
		if (!known) {
			snprintf(j->why, sizeof(j->why), "QEMU printed what is not known here: '%.200s'", line);
			return -EPROTO;
		}
	}
	if (at != nr || line) {
		snprintf(j->why, sizeof(j->why), "QEMU printed about %zu of %zu questions", at, nr);
		return -EPROTO;
	}
	for (at = 0; at < nr; at++)
		if (seen[at].verbs != 1) {
			snprintf(j->why, sizeof(j->why), "the controller fetched %u commands for one question", seen[at].verbs);
			return -EPROTO;
		}
	return 0;
}

/* Whether zeros may be left at oa: in the window, or where there is no RAM. */
static bool dma_spendable(const struct judge *j, uint64_t oa)
{
	return dma_in_window(j, oa) || !qemu_ram_at(&j->ram, oa, 1);
}

/* The window's words around oa, if it lies there, where a write may have gone. */
static void dma_mend(struct judge *j, uint64_t oa)
{
	if (dma_in_window(j, oa))
		judge_fill_window(j, oa & ~(uint64_t)(HDA_ALIGN - 1), HDA_ALIGN);
}

/*
 * Addresses that are no memory to a device, and what lies in the machine's hole below 4G, are not asked about; nor are writes, which
 * leave zeros, to what else there is in RAM but the window.
 */
static bool dma_touchable(const struct judge *j, const struct judge_ask *ask)
{
	const struct dma *d = j->state;
	bool hole = ask->oa_due >= DMA_LOW_BYTES && ask->oa_due < UINT64_C(1) << 32,
	     legacy = ask->oa_due >= 0xa0000 && ask->oa_due < 0x100000;

	if (hole || legacy || ask->iova > d->iova_last || ask->iova >> 20 == 0xfee)
		return false;
	return ask->kind == JUDGE_READ || (d->has_hole && dma_spendable(j, ask->oa_due) && dma_spendable(j, ask->oa_near));
}

/* Whether a question is asked in the pass for its kind. */
static bool dma_in_pass(const struct judge *j, const struct judge_ask *ask, unsigned kind)
{
	return ask->kind == kind && dma_touchable(j, ask);
}

static int dma_send_all(struct judge *j, struct dma *d, struct judge_ask *asks, size_t nr, unsigned kind)
{
	struct timespec nap = { 0 };
	unsigned commands = 1;
	size_t bytes = 0, i;
	char *text = NULL;
	FILE *out = open_memstream(&text, &bytes);
	int ret;

	if (!out)
		abort();
	/* Responses go nowhere, or to memory. */
	fprintf(out, "writeb 0x%" PRIx64 " %u\n", HDA + HDA_RIRBCTL, kind == JUDGE_READ ? 0 : 3);
	for (i = 0; i < nr; i++)
		if (dma_in_pass(j, &asks[i], kind))
			commands += kind == JUDGE_READ ? dma_read(out, d, asks[i].iova) : dma_write(out, d, dma_write_iova(asks[i].iova));
	fclose(out);
	ret = qemu_send(&d->q, QEMU_QTEST, text, bytes);
	free(text);
	if (ret)
		return judge_wrong(j, &d->q, ret);
	/* To be woken by each of its answers would cost more than they do. */
	nap.tv_nsec = (long)(commands < 10000 ? commands : 10000) * 4000;
	nanosleep(&nap, NULL);
	while (commands-- && !ret)
		ret = dma_ok(j, d, NULL);
	return ret;
}

/* The answer to a question, from what was seen of the access that was made for it, which may lie elsewhere in the page. */
static int dma_answer(struct judge *j, struct dma *d, const struct dma_seen *seen, struct judge_ask *ask)
{
	struct judge_ask made = *ask;
	int ret;

	if (ask->kind == JUDGE_WRITE) {
		made.iova = dma_write_iova(ask->iova);
		made.oa_due += ask->oa_due == UINT64_MAX ? 0 : made.iova - ask->iova;
	}
	made.answered = true;
	made.ok = made.has_oa = false;
	made.oa = 0;
	made.type = JUDGE_TYPE_UNSEEN;
	ret = d->answer(j, seen, &made);
	ask->answered = made.answered;
	ask->ok = made.ok;
	ask->has_oa = made.has_oa;
	ask->oa = made.oa == UINT64_MAX ? made.oa : made.oa - (made.iova - ask->iova);
	return ret;
}

/* The questions of one kind. */
static int dma_pass(struct judge *j, struct judge_ask *asks, size_t nr, unsigned kind)
{
	static struct dma_seen seen[DMA_ASKS_MAX];
	struct dma *d = j->state;
	size_t i, asked = 0;
	int ret = dma_send_all(j, d, asks, nr, kind);

	for (i = 0; i < nr; i++)
		asked += dma_in_pass(j, &asks[i], kind);
	if (!ret)
		ret = dma_parse(j, d, seen, asked);
	for (asked = 0, i = 0; i < nr && !ret; i++)
		if (dma_in_pass(j, &asks[i], kind))
			ret = dma_answer(j, d, &seen[asked++], &asks[i]);
	for (i = 0; i < nr && kind == JUDGE_WRITE; i++)
		if (asks[i].kind == kind) {
			dma_mend(j, asks[i].oa_due);
			dma_mend(j, asks[i].oa_near);
		}
	return ret;
}

/* Reads first: what is written is no longer the window's. */
static int dma_ask_some(struct judge *j, struct judge_ask *asks, size_t nr)
{
	size_t at, some;
	int ret = 0;

	for (at = 0; at < nr && !ret; at += some) {
		some = nr - at < DMA_ASKS_MAX ? nr - at : DMA_ASKS_MAX;
		ret = dma_pass(j, asks + at, some, JUDGE_READ);
		if (!ret)
			ret = dma_pass(j, asks + at, some, JUDGE_WRITE);
	}
	return ret;
}

int dma_ask(struct judge *j, struct judge_ask *asks, size_t nr)
{
	return judge_segments(j, asks, nr, 3, dma_ask_some);
}
