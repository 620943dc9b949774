/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * judge_differ.c - the differences, judge by judge.
 *
 * [ARM] DDI 0487L.b, [ARMv7] DDI 0406C.d, [PRIV] RISC-V Privileged 20240411, [APM] AMD 24593 3.42, [SDM] Intel SDM vol. 3, [VTD] D51397 4.1,
 * [AMD] 48882 3.10.
 */
#include "judge_differ.h"

#include <stddef.h>
#include <string.h>

const struct judge_difference judge_differences[] = {
	{ "none", NULL, DIFFER_TRANSLATES, NULL, -1, 0, DIFFER_WALKER, "" },
};

const unsigned judge_differences_nr = sizeof(judge_differences) / sizeof(judge_differences[0]);

static bool begins(const char *text, const char *with)
{
	return !with || (text && !strncmp(text, with, strlen(with)));
}

int judge_differ_find(const struct judge *j, const struct hw *hw, const struct judge_change *change, const struct judge_ask *due,
		      const struct judge_ask *answer)
{
	enum judge_differ_how how = !due->ok ? DIFFER_TRANSLATES : answer->ok ? DIFFER_OTHERWISE : DIFFER_FAULTS;
	unsigned i;

	for (i = 0; i < judge_differences_nr; i++) {
		const struct judge_difference *d = &judge_differences[i];

		if (strcmp(d->judge, j->ops->name) || !begins(hw->cfg.format, d->format) || d->how != how)
			continue;
		if ((d->table >= 0 && d->table != change->table) || (d->bits && !(d->bits >> change->bit & 1)))
			continue;
		if (d->why ? change->after->end == WALK_BAD && begins(change->after->why, d->why) : how != DIFFER_TRANSLATES || d->bits)
			return (int)i;
	}
	return -1;
}

const char *judge_differ_how_name(enum judge_differ_how how)
{
	static const char *const names[] = { "translates", "faults", "otherwise" };

	return names[how];
}

const char *judge_differ_whose_name(enum judge_differ_whose whose)
{
	static const char *const names[] = { "walker", "setup", "judge" };

	return names[whose];
}
