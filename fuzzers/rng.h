/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rng.h - the random numbers of a run: xoshiro256**, seeded by splitmix64 (Blackman and Vigna, "Scrambled linear pseudorandom number
 * generators", 2021). The same seed gives the same numbers on every machine.
 */
#ifndef HITLESS_RNG_H
#define HITLESS_RNG_H

#include <stdint.h>

struct rng {
	uint64_t s[4];
};

static inline uint64_t rng_mix(uint64_t *state)
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static inline void rng_init(struct rng *r, uint64_t seed)
{
	unsigned i;

	for (i = 0; i < 4; i++)
		r->s[i] = rng_mix(&seed);
}

static inline uint64_t rng_next(struct rng *r)
{
	uint64_t x = r->s[1] * 5, t = r->s[1] << 17, result = (x << 7 | x >> 57) * 9;

	r->s[2] ^= r->s[0];
	r->s[3] ^= r->s[1];
	r->s[1] ^= r->s[2];
	r->s[0] ^= r->s[3];
	r->s[2] ^= t;
	r->s[3] = r->s[3] << 45 | r->s[3] >> 19;
	return result;
}

/* From 0 to bound-1; bound at least 1. The bias is below bound / 2^32. */
static inline uint32_t rng_below(struct rng *r, uint32_t bound)
{
	return (uint32_t)((rng_next(r) >> 32) * bound >> 32);
}

#endif
