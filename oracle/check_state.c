/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_state.c - the oracle's state of one domain: made, released, and how something wrong in it is reported. */
#include "check_state.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

const char *const check_names[CHECK_NR] = {
	[CHECK_TRANSLATION] = "translation", [CHECK_INFLIGHT] = "inflight", [CHECK_LAYOUT] = "layout",   [CHECK_IOTLB] = "iotlb",
	[CHECK_WRITEBACK] = "writeback",     [CHECK_DIRTY] = "dirty",       [CHECK_FAILURE] = "failure", [CHECK_ACCOUNTING] = "accounting",
	[CHECK_PROGRESS] = "progress",
};

int check_init(struct check *c, const struct config *cfg, const struct mem_view *view, check_report_fn *report, void *arg, const char **why)
{
	unsigned level;
	int ret;

	memset(c, 0, sizeof(*c));
	ret = hw_init(&c->hw, cfg, why);
	if (ret)
		return ret;
	if (cfg->pgsizes & ~c->hw.leaf_sizes) {
		*why = "the hardware has no leaf of one of the enabled sizes";
		return -EINVAL;
	}
	c->blind = !c->hw.format->decode;
	for (level = 0; !c->blind && level <= c->hw.top_level_max; level++) {
		if (c->hw.format->decode(&c->hw, level, 0).kind != HW_EMPTY) {
			*why = "the walker does not take a zeroed table for empty";
			return -EINVAL;
		}
	}
	c->view = view;
	c->on = (1u << CHECK_NR) - 1;
	c->granule_lg2 = c->hw.item_lg2[0];
	c->small_lg2 = (uint8_t)__builtin_ctzll(cfg->pgsizes);
	c->defer = cfg->defer;
	c->root = MEM_NONE;
	c->report = report;
	c->report_arg = arg;
	c->pages_nr = view->bytes_nr >> MEM_FRAME_LG2;
	/*
	 * A page record for each frame of a large arena, of which a short domain uses few: zeroes that cost nothing until they are
	 * touched.
	 */
	c->pages = mmap(NULL, c->pages_nr * sizeof(*c->pages), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (c->pages == MAP_FAILED)
		return -ENOMEM;
	imap_init(&c->im);
	imap_init(&c->dirty);
	imap_init(&c->written);
	imap_init(&c->held);
	return 0;
}

void check_state_release(struct check *c)
{
	unsigned i;

	/* What one of them owes may be in use. */
	for (i = 0; i <= MEM_WRITERS_MAX; i++) {
		if (i == c->owing_now)
			continue;
		free(c->owing[i].owed);
		free(c->owing[i].cmds);
	}
	imap_release(&c->im);
	imap_release(&c->dirty);
	imap_release(&c->written);
	imap_release(&c->held);
	munmap(c->pages, c->pages_nr * sizeof(*c->pages));
	free(c->owed);
	free(c->cmds);
	free(c->chain);
}

void check_report(struct check *c, enum verdict_class class, unsigned guarantee, unsigned level, enum verdict_kind want,
		  enum verdict_kind seen, const uint64_t *iova, const char *format, ...)
{
	struct verdict v = { .class = class, .guarantee = (uint8_t)guarantee, .level = (uint8_t)level, .want = want, .seen = seen };
	va_list args;

	if (iova) {
		v.has_iova = true;
		v.iova = *iova;
	}
	va_start(args, format);
	vsnprintf(v.text, sizeof(v.text), format, args);
	va_end(args);
	check_report_verdict(c, &v);
}

void check_report_verdict(struct check *c, const struct verdict *v)
{
	c->report(c->report_arg, v);
	abort();
}
