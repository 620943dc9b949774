/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hw.c - the list of hardware formats, as the build generates it. */
#include "hw.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FORMAT(name) extern const struct hw_format hw_format_##name;
#include "walkers.inc"
#undef FORMAT

const struct hw_format *const hw_formats[] = {
#define FORMAT(name) &hw_format_##name,
#include "walkers.inc"
#undef FORMAT
	NULL,
};

const struct hw_format *hw_find(const char *name)
{
	unsigned i;

	for (i = 0; hw_formats[i]; i++)
		if (!strcmp(hw_formats[i]->name, name))
			return hw_formats[i];
	return NULL;
}

int hw_init(struct hw *hw, const struct config *cfg, const char **why)
{
	memset(hw, 0, sizeof(*hw));
	hw->cfg = *cfg;
	hw->format = hw_find(cfg->format);
	*why = "no walker for this format";
	return hw->format ? hw->format->init(hw, why) : -ENOENT;
}

const char *hw_prot_words(unsigned prot, char *buf, unsigned buf_bytes)
{
	snprintf(buf, buf_bytes, "%c%c%c%s%s%s", prot & PROT_R ? 'r' : '-', prot & PROT_W ? 'w' : '-', prot & PROT_X ? 'x' : '-',
		 prot & PROT_MMIO ? " mmio" : "", prot & PROT_CACHE ? " cache" : "", prot & PROT_PRIV ? " priv" : "");
	return buf;
}
