/* SPDX-License-Identifier: ISC */
#include "name-set.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

/* Where the name is, or would be. There is a free place. */
static size_t place(const struct name_set *s, const unsigned char *name)
{
	size_t i;

	/* A digest is as good as random. */
	memcpy(&i, name, sizeof(i));
	i &= s->size - 1;
	while (s->used[i] && memcmp(s->v[i], name, DIGEST_SIZE) != 0)
		i = (i + 1) & (s->size - 1);
	return i;
}

static void put(struct name_set *s, size_t i, const unsigned char *name)
{
	memcpy(s->v[i], name, DIGEST_SIZE);
	s->used[i] = true;
	s->n++;
}

static void grow(struct name_set *s)
{
	struct name_set old = *s;
	size_t i;

	s->n = 0;
	s->size = old.size ? old.size * 2 : 1024;
	s->v = xcalloc(s->size, sizeof(*s->v));
	s->used = xcalloc(s->size, sizeof(*s->used));
	for (i = 0; i < old.size; i++)
		if (old.used[i])
			put(s, place(s, old.v[i]), old.v[i]);
	name_set_clear(&old);
}

bool name_set_add(struct name_set *s, const unsigned char name[DIGEST_SIZE])
{
	size_t i;

	if (2 * s->n >= s->size)
		grow(s);
	i = place(s, name);
	if (s->used[i])
		return false;
	put(s, i, name);
	return true;
}

bool name_set_has(const struct name_set *s,
		  const unsigned char name[DIGEST_SIZE])
{
	return s->size && s->used[place(s, name)];
}

void name_set_clear(struct name_set *s)
{
	free(s->v);
	free(s->used);
	*s = (struct name_set){ 0 };
}
