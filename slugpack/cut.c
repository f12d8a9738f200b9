/* SPDX-License-Identifier: ISC */
#include "cut.h"

#include <string.h>

#include "entry.h"

const struct cut_scale *cut_scale_for(uint64_t bytes)
{
	static const struct cut_scale small = { 64 << 10, 192 << 10 };
	static const struct cut_scale large = { 256 << 10, 768 << 10 };

	return bytes < CUT_LARGE_TREE ? &small : &large;
}

/* Is item at the smallest of those within the window behind it? */
static bool is_least_behind(const struct cut_scale *s, const struct cut_item *v,
			    size_t n, size_t at)
{
	uint64_t far = v[at].weight;
	size_t i;

	for (i = at + 1; far < s->window; i++) {
		if (i == n || v[i].weight >= s->large || v[i].hash < v[at].hash)
			return false;
		far += v[i].weight;
	}
	return true;
}

/* The same for those in front of it, of which one as small is enough. */
static bool is_least_before(const struct cut_scale *s, const struct cut_item *v,
			    size_t at)
{
	uint64_t far = 0;
	size_t i = at;

	while (far < s->window) {
		if (i == 0 || v[i - 1].weight >= s->large)
			return false;
		i--;
		far += v[i].weight;
		if (far < s->window && v[i].hash <= v[at].hash)
			return false;
	}
	return true;
}

bool cut_is_twin(const struct cut_scale *s, const struct cut_item *a,
		 const struct cut_item *b)
{
	return a->weight >= s->large && a->weight <= CUT_TWIN &&
	       a->weight == b->weight && !memcmp(a->id, b->id, ENTRY_ID_SIZE);
}

static bool is_cut(const struct cut_scale *s, const struct cut_item *v,
		   size_t n, size_t at)
{
	if (v[at - 1].weight >= s->large || v[at].weight >= s->large)
		return !cut_is_twin(s, &v[at - 1], &v[at]);
	return is_least_behind(s, v, n, at) && is_least_before(s, v, at);
}

size_t cut_end(const struct cut_scale *s, const struct cut_item *v, size_t n,
	       size_t at)
{
	do {
		at++;
	} while (at < n && !is_cut(s, v, n, at));
	return at;
}

uint64_t cut_hash(const char *name)
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * UINT64_C(1099511628211);
	h ^= h >> 33;
	h *= UINT64_C(0xff51afd7ed558ccd);
	h ^= h >> 33;
	h *= UINT64_C(0xc4ceb9fe1a85ec53);
	return h ^ (h >> 33);
}
