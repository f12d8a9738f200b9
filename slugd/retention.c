/* SPDX-License-Identifier: ISC */
#include "retention.h"

size_t retention_choose(struct kept_slug *v, size_t n,
			const struct retention *rule)
{
	uint64_t taken = 0;
	bool over = false;
	size_t i, go = 0;

	for (i = 0; i < n && rule->keep_bytes; i++)
		if (v[i].needed)
			taken += rule->bytes(rule->ctx, v[i].uuid);
	for (i = 0; i < n; i++) {
		v[i].goes = false;
		if (v[i].needed)
			continue;
		over = over || (rule->keep && i >= (size_t)rule->keep);
		if (!over && rule->keep_bytes) {
			taken += rule->bytes(rule->ctx, v[i].uuid);
			over = taken > rule->keep_bytes;
		}
		v[i].goes = over;
		go += over;
	}
	return go;
}
