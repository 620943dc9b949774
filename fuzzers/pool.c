/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pool.c - traces that brought something new; see pool.h. */
#include "pool.h"

#include <string.h>

void pool_begin(struct pool *p)
{
	memset(p->counters, 0, sizeof(p->counters));
}

/* Whether a counter is higher than ever; *most then is what it is. */
static bool pool_news(struct pool *p)
{
	bool news = false;
	uint64_t eight;
	unsigned i, k;

	for (i = 0; i < FEEDBACK_NR; i += sizeof(eight)) {
		memcpy(&eight, &p->counters[i], sizeof(eight));
		for (k = i; eight && k < i + sizeof(eight); k++) {
			uint8_t lg2 = (uint8_t)(p->counters[k] ? 32 - __builtin_clz(p->counters[k]) : 0);

			if (lg2 > p->most[k]) {
				p->most[k] = lg2;
				news = true;
			}
		}
	}
	return news;
}

void pool_end(struct pool *p, const struct config *cfg, unsigned format, const struct op *ops, size_t nr)
{
	struct pool_trace *t = &p->traces[p->kept_nr % POOL_TRACES_MAX];

	if (!nr || nr > POOL_OPS_MAX || !pool_news(p))
		return;
	t->cfg = *cfg;
	t->format = format;
	t->nr = nr;
	memcpy(t->ops, ops, nr * sizeof(*ops));
	p->kept_nr++;
}

const struct pool_trace *pool_pick(const struct pool *p, struct rng *rng)
{
	if (!p->kept_nr)
		return NULL;
	return &p->traces[rng_below(rng, p->kept_nr < POOL_TRACES_MAX ? (uint32_t)p->kept_nr : POOL_TRACES_MAX)];
}
