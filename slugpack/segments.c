/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "compress.h"
#include "mem.h"
#include "pack.h"
#include "plan-internal.h"

/* The form of the segments; another one has other names. */
#define FORM "slugd segment 1"

void planned_release(struct planned *s)
{
	size_t i;

	for (i = 0; i < s->nr_items; i++)
		free(s->items[i].name);
	free(s->items);
	free(s->folder);
}

void list_release(struct list *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		planned_release(&l->v[i]);
	free(l->v);
	*l = (struct list){ 0 };
}

struct planned *list_add(struct list *l)
{
	if (l->n == l->room) {
		l->room = l->room ? 2 * l->room : 8;
		l->v = xrealloc(l->v, l->room, sizeof(*l->v));
	}
	l->v[l->n] = (struct planned){ 0 };
	return &l->v[l->n++];
}

/* All of from goes to the end of to. */
static void list_move(struct list *to, struct list *from)
{
	if (!to->n) {
		free(to->v);
		*to = *from;
		*from = (struct list){ 0 };
		return;
	}
	if (to->n + from->n > to->room) {
		to->room = 2 * (to->n + from->n);
		to->v = xrealloc(to->v, to->room, sizeof(*to->v));
	}
	if (from->n)
		memcpy(to->v + to->n, from->v, from->n * sizeof(*to->v));
	to->n += from->n;
	free(from->v);
	*from = (struct list){ 0 };
}

/* An item as a part of a segment's name. */
static void name_item(struct digest *d, const struct planner *p,
		      const struct item *item, const struct sums *sums)
{
	unsigned char kind[2] = { (unsigned char)item->kind, item->below };

	digest_add(d, kind, sizeof(kind));
	digest_add(d, item->id, sizeof(item->id));
	digest_add(d, item->name, strlen(item->name) + 1);
	if (sums->left_files || sums->left_folders)
		digest_add(d, p->spec->rules, DIGEST_SIZE);
}

static void name_segment(struct planner *p, struct planned *s, struct digest *d)
{
	digest_end(d, s->segment.name);
	s->known = p->spec->has && p->spec->has(p->spec->ctx, &s->segment);
}

static struct cut_item cut_item_of(const struct part *part)
{
	const struct known *k = &part->known;

	return (struct cut_item){ k->sums.weight, part->hash, k->id };
}

bool segments_are_twins(const struct planner *p, const struct part *a,
			const struct part *b)
{
	struct cut_item items[] = { cut_item_of(a), cut_item_of(b) };

	return cut_is_twin(p->scale, &items[0], &items[1]);
}

/* One segment of these parts; the names become its. */
static void add_segment(struct folder *f, struct list *l, struct part **v,
			size_t n)
{
	struct planned *s = list_add(l);
	struct digest *d = digest_new();
	unsigned char far;
	size_t i;

	s->folder = xstrdup(f->path);
	s->items = xcalloc(n, sizeof(*s->items));
	digest_add(d, f->p->form, DIGEST_SIZE);
	digest_add(d, f->path, strlen(f->path) + 1);
	for (i = 0; i < n; i++) {
		struct item *item = &s->items[s->nr_items++];

		item->name = v[i]->name;
		v[i]->name = NULL;
		item->kind = v[i]->known.kind;
		item->below = *item->name && item->kind == ENTRY_FOLDER;
		memcpy(item->id, v[i]->known.id, ENTRY_ID_SIZE);
		item->size = v[i]->known.sums.bytes;
		name_item(d, f->p, item, &v[i]->known.sums);
		s->has_twins |= i && segments_are_twins(f->p, v[i - 1], v[i]);
	}
	/* It is packed otherwise then. */
	far = s->has_twins;
	digest_add(d, &far, 1);
	name_segment(f->p, s, d);
	digest_free(d);
}

/* A run of parts, cut into segments. */
static void cut_run(struct folder *f, struct list *l, struct part **v, size_t n)
{
	struct cut_item *items = n ? xcalloc(n, sizeof(*items)) : NULL;
	size_t i, end;

	for (i = 0; i < n; i++)
		items[i] = cut_item_of(v[i]);
	for (i = 0; i < n; i = end) {
		end = cut_end(f->p->scale, items, n, i);
		add_segment(f, l, v + i, end - i);
	}
	free(items);
}

void segments_cut(struct folder *f, struct part *self, struct list *out)
{
	struct part **run = xcalloc(f->nr + 1, sizeof(struct part *));
	size_t n = 0, i;

	if (*f->path)
		run[n++] = self;
	for (i = 0; i < f->nr; i++) {
		struct part *part = &f->parts[i];

		if (part->known.is_node) {
			cut_run(f, out, run, n);
			n = 0;
			f->p->plan->cache.nodes[part->node].before =
				(uint32_t)out->n;
			list_move(out, &part->list);
		} else if (part->known.sums.entries) {
			run[n++] = part;
		}
	}
	cut_run(f, out, run, n);
	free(run);
}

void segments_end(struct planner *p, struct list *l)
{
	struct planned *s = list_add(l);
	struct digest *d = digest_new();

	s->is_end = true;
	digest_add(d, p->form, DIGEST_SIZE);
	digest_add(d, "end", 3);
	name_segment(p, s, d);
	digest_free(d);
}

void segments_form(struct planner *p)
{
	const struct slug_spec *spec = p->spec->slug;
	char *text = xasprintf(FORM " %s %d %s %s",
			       spec->gzip ? "gzip" : "zstd", spec->level,
			       compress_version(spec->gzip), pack_version());

	digest_of(p->form, text, strlen(text));
	free(text);
}
