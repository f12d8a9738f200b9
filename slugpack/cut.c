/* SPDX-License-Identifier: ISC */
#include "cut.h"

#include <stdbool.h>

/* Is item at the smallest of those within the window behind it? */
static bool is_least_behind(const struct cut_item *v, size_t n, size_t at)
{
	uint64_t far = v[at].weight;
	size_t i;

	for (i = at + 1; far < CUT_WINDOW; i++) {
		if (i == n || v[i].weight >= CUT_LARGE ||
		    v[i].hash < v[at].hash)
			return false;
		far += v[i].weight;
	}
	return true;
}

/* The same for those in front of it, of which one as small is enough. */
static bool is_least_before(const struct cut_item *v, size_t at)
{
	uint64_t far = 0;
	size_t i = at;

	while (far < CUT_WINDOW) {
		if (i == 0 || v[i - 1].weight >= CUT_LARGE)
			return false;
		i--;
		far += v[i].weight;
		if (far < CUT_WINDOW && v[i].hash <= v[at].hash)
			return false;
	}
	return true;
}

static bool is_cut(const struct cut_item *v, size_t n, size_t at)
{
	if (v[at - 1].weight >= CUT_LARGE || v[at].weight >= CUT_LARGE)
		return true;
	return is_least_behind(v, n, at) && is_least_before(v, at);
}

size_t cut_end(const struct cut_item *v, size_t n, size_t at)
{
	do {
		at++;
	} while (at < n && !is_cut(v, n, at));
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
