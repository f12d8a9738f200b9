/* SPDX-License-Identifier: ISC */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "mem.h"
#include "plan-internal.h"
#include "procfile.h"
#include "text.h"

#define MAX_PROCFILE (64 << 10)
#define HEADER       96 /* what tar adds to an entry, about, once packed */
#define LOOK_AHEAD   64 /* entries of the cache's folder */
#define OUTGROWN     1  /* the tree is too large for the scale */

static int plan_folder(struct planner *p, const char *path, size_t depth,
		       const struct cache_at *old, struct part *part);

static void sums_add(struct sums *to, const struct sums *s)
{
	to->weight += s->weight;
	to->bytes += s->bytes;
	to->left_size += s->left_size;
	to->entries += s->entries;
	to->left_files += s->left_files;
	to->left_folders += s->left_folders;
	to->ignored_by |= s->ignored_by;
}

static int over_blob(const struct planner *p, const char *path, uint64_t size)
{
	char *safe = entry_shown_path(path), *is = text_size(size);
	char *max = text_size(p->spec->slug->max_blob);

	err_set(ERR_TOOBIG, "blob %s has %s, over max_blob (%s)", safe, is,
		max);
	free(max);
	free(is);
	free(safe);
	return ERR_TOOBIG;
}

static int over_tree(const struct planner *p, const char *path)
{
	char *safe = entry_shown_path(path);
	char *max = text_size(p->spec->slug->max_tree);

	err_set(ERR_TOOBIG, "the files have more than max_tree (%s), as of %s",
		max, safe);
	free(max);
	free(safe);
	return ERR_TOOBIG;
}

/* What was found counts: is it too much? */
static int count(struct planner *p, const char *path, uint64_t entries,
		 uint64_t bytes)
{
	const struct slug_spec *spec = p->spec->slug;

	p->slug->entries += entries;
	p->slug->tree_size += bytes;
	if (p->slug->tree_size >= p->most)
		return OUTGROWN;
	if (spec->max_entries && p->slug->entries > spec->max_entries)
		return err_set(ERR_TOOBIG,
			       "the tree has more than max_entries (%llu) "
			       "files and folders",
			       (unsigned long long)spec->max_entries);
	if (spec->max_tree && p->slug->tree_size > spec->max_tree)
		return over_tree(p, path);
	p->spec->progress(p->spec->ctx);
	return 0;
}

/* A link must have a target that a file system takes. */
static int check_link(const char *path, uint64_t size)
{
	char *safe;

	if (size > 0 && size < PATH_MAX)
		return 0;
	safe = entry_shown_path(path);
	err_set(ERR_INVALID, "symlink %s has a target of %llu bytes", safe,
		(unsigned long long)size);
	free(safe);
	return ERR_INVALID;
}

static int look_at_blob(struct planner *p, const struct tree_entry *e,
			struct part *part)
{
	const struct slug_spec *spec = p->spec->slug;
	struct sums *sums = &part->known.sums;
	uint64_t size = 0;
	int rc = tree_blob_size(p->spec->tree, e, &size);

	if (!rc && spec->max_blob && size > spec->max_blob)
		rc = over_blob(p, e->path, size);
	if (!rc && e->kind == ENTRY_SYMLINK)
		rc = check_link(e->path, size);
	if (rc)
		return rc;
	sums->bytes = size;
	sums->entries = 1;
	sums->weight = HEADER + size;
	return count(p, e->path, 1, size);
}

/* The Procfile's process types, before anything is packed. */
static int read_procfile(struct planner *p, const struct tree_entry *e)
{
	struct tree *t = p->spec->tree;
	json_t *types = NULL;
	const char *text;
	uint64_t size;
	size_t len;
	int rc;

	if (e->kind != ENTRY_FILE && e->kind != ENTRY_EXECUTABLE)
		return err_set(ERR_INVALID, "Procfile is no plain file");
	rc = tree_blob_size(t, e, &size);
	if (!rc && size > MAX_PROCFILE)
		rc = err_set(ERR_TOOBIG, "Procfile has more than %d bytes",
			     MAX_PROCFILE);
	if (!rc)
		rc = tree_blob_read(t, e, &text, &len);
	if (!rc)
		rc = procfile_parse(&types, text, len);
	if (rc)
		return rc;
	json_decref(p->slug->types);
	p->slug->types = types;
	return 0;
}

/* What .slugignore leaves out is counted, and not looked at. */
static int look_at_ignored(struct planner *p, const struct tree_entry *e,
			   struct part *part)
{
	struct sums *sums = &part->known.sums;
	uint64_t size = 0;

	if (e->kind == ENTRY_FOLDER || e->kind == ENTRY_SUBMODULE) {
		sums->left_folders = 1;
		return 0;
	}
	sums->left_files = 1;
	if (!tree_blob_size(p->spec->tree, e, &size))
		sums->left_size = size;
	if (!strcmp(e->path, "Procfile")) {
		part->known.usable = false;
		p->spec->notice(p->spec->ctx, e->path,
				"is left out by .slugignore: no process types");
	}
	return 0;
}

/* An entry that the cache does not know. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static int look_at(struct folder *f, const struct tree_entry *e,
		   const struct cache_at *old, struct part *part)
{
	struct planner *p = f->p;
	size_t max_depth = p->spec->slug->max_depth;

	part->known.usable = true;
	if (ignore_matches(p->spec->ignore, e, &part->known.sums.ignored_by))
		return look_at_ignored(p, e, part);
	if (e->kind == ENTRY_SUBMODULE) {
		part->known.usable = false;
		p->spec->notice(p->spec->ctx, e->path,
				"is a submodule: left out of the slug");
	}
	if (max_depth && f->depth > max_depth) {
		char *safe = entry_shown_path(e->path);

		err_set(ERR_INVALID,
			"%s: is in more folders than max_depth allows", safe);
		free(safe);
		return ERR_INVALID;
	}
	if (e->kind == ENTRY_SUBMODULE)
		return 0;
	if (e->kind == ENTRY_FOLDER)
		return plan_folder(p, e->path, f->depth + 1, old, part);
	return look_at_blob(p, e, part);
}

/*
 * The entry of that name in the cache's folder, or NULL; *node is its place
 * then, where it has one.
 */
static const struct known *find_old(struct folder *f, const struct known *k,
				    struct cache_at **node)
{
	size_t nodes = f->nodes_before, rest = f->nr_old - f->at, i;
	size_t end = f->at + LOOK_AHEAD;

	*node = NULL;
	if (rest > LOOK_AHEAD && f->spare >= rest)
		end = f->nr_old;
	for (i = f->at; i < f->nr_old && i < end; i++) {
		const struct known *old = &f->old[i];

		if (!memcmp(old->name, k->name, sizeof(k->name))) {
			if (old->is_node)
				*node = &f->below[nodes];
			if (i >= f->at + LOOK_AHEAD)
				f->spare -= i - f->at;
			f->at = i + 1;
			f->nodes_before = nodes + old->is_node;
			return old;
		}
		nodes += old->is_node;
	}
	if (end == f->nr_old && rest > LOOK_AHEAD)
		f->spare -= rest;
	return NULL;
}

/*
 * Take a node with all that is below it from the cache; false where the store
 * has lost a segment of it.
 */
static bool take_node(struct planner *p, struct cache_at at, struct part *part)
{
	const struct node *n = cache_node(&p->old, at);
	const struct segment *s = p->old.segments + at.segment;
	size_t i;

	for (i = 0; i < n->nr_segments; i++)
		if (!p->spec->is_there(p->spec->ctx, &s[i]))
			return false;
	part->list.room = n->nr_segments;
	part->list.v = xcalloc(n->nr_segments, sizeof(*part->list.v));
	for (i = 0; i < n->nr_segments; i++) {
		struct planned *planned = list_add(&part->list);

		planned->segment = s[i];
		planned->known = true;
	}
	cache_copy(&p->plan->cache, &p->old, at);
	part->node = p->plan->cache.nr_nodes - 1;
	return true;
}

/* A large folder that was no node: is it a twin still? */
static bool was_twin(const struct planner *p, const struct known *k)
{
	return k->kind == ENTRY_FOLDER && !k->is_node &&
	       k->sums.weight >= p->scale->large;
}

/* A name in the cache: nobody makes two that are taken for each other. */
static void name_digest(unsigned char out[KNOWN_NAME], const char *name)
{
	unsigned char whole[DIGEST_SIZE];

	digest_of(whole, name, strlen(name));
	memcpy(out, whole, KNOWN_NAME);
}

/* NOLINTNEXTLINE(misc-no-recursion) */
static int plan_entry(struct folder *f, const struct tree_entry *e,
		      struct part *part)
{
	struct known *k = &part->known;
	const struct known *old;
	struct cache_at *node;
	int rc = 0;

	memcpy(k->id, e->id, ENTRY_ID_SIZE);
	k->kind = (uint8_t)e->kind;
	name_digest(k->name, e->name);
	part->name = xstrdup(e->name);
	part->hash = cut_hash(e->name);
	old = find_old(f, k, &node);
	if (f->depth == 1 && !strcmp(e->name, "Procfile") &&
	    !ignore_matches(f->p->spec->ignore, e, NULL))
		rc = read_procfile(f->p, e);
	if (rc)
		return rc;
	if (!old || !old->usable || old->kind != k->kind ||
	    memcmp(old->id, k->id, ENTRY_ID_SIZE) != 0 || was_twin(f->p, old) ||
	    (old->is_node && !take_node(f->p, *node, part)))
		return look_at(f, e, node, part);
	*k = *old;
	return count(f->p, e->path, k->sums.entries, k->sums.bytes);
}

/* What the cache is told of a node. */
static void keep_node(struct folder *f, struct part *part, size_t first_node,
		      size_t first_known)
{
	struct cache *c = &f->p->plan->cache;
	size_t i;

	for (i = 0; i < f->nr; i++)
		cache_add_known(c, &f->parts[i].known);
	cache_add_node(
		c, &(struct node){
			   .nr_nodes = (uint32_t)(c->nr_nodes + 1 - first_node),
			   .nr_known = (uint32_t)(c->nr_known - first_known),
			   .nr_segments = (uint32_t)part->list.n,
			   .own = (uint32_t)f->nr,
		   });
	part->node = c->nr_nodes - 1;
	part->known.is_node = true;
}

static struct part *add_part(struct folder *f)
{
	if (f->nr == f->room) {
		f->room = f->room ? 2 * f->room : 16;
		f->parts = xrealloc(f->parts, f->room, sizeof(*f->parts));
	}
	f->parts[f->nr] = (struct part){ 0 };
	return &f->parts[f->nr++];
}

/*
 * The last part is no node after all: what the cache got of it last is taken
 * back.
 */
static void demote(struct folder *f, struct part *part)
{
	struct cache *c = &f->p->plan->cache;
	const struct node *n;

	if (!part->known.is_node)
		return;
	n = &c->nodes[part->node];
	c->nr_known -= n->nr_known;
	c->nr_nodes -= n->nr_nodes;
	list_release(&part->list);
	part->known.is_node = false;
}

/* Are the last two parts twins, and folders? */
static void pair(struct folder *f)
{
	struct part *last = &f->parts[f->nr - 1];

	if (f->nr < 2 || last->known.kind != ENTRY_FOLDER ||
	    !segments_are_twins(f->p, last - 1, last))
		return;
	demote(f, last);
	demote(f, last - 1);
}

/* NOLINTNEXTLINE(misc-no-recursion) */
static int read_folder(struct folder *f, const unsigned char *id,
		       struct sums *sums, uint8_t *usable)
{
	struct tree_folder *folder = NULL;
	struct tree_entry e;
	int rc = tree_folder_open(&folder, f->p->spec->tree, f->path, id);

	if (rc)
		return rc;
	while ((rc = tree_folder_next(folder, &e)) > 0) {
		struct part *part = add_part(f);

		rc = plan_entry(f, &e, part);
		if (rc)
			break;
		pair(f);
		sums_add(sums, &part->known.sums);
		*usable &= part->known.usable;
	}
	tree_folder_free(folder);
	return rc;
}

static void open_old(struct folder *f, const struct cache_at *at)
{
	const struct cache *c = &f->p->old;

	if (!at)
		return;
	f->old = cache_known(c, *at);
	f->nr_old = cache_node(c, *at)->own;
	f->spare = 16 * f->nr_old;
	f->below = cache_below(c, *at);
}

/*
 * The folder at path, of which part->known has the id. It calls itself, by
 * way of the three above: a path has 2,047 folders at most.
 */
/* NOLINTNEXTLINE(misc-no-recursion) */
static int plan_folder(struct planner *p, const char *path, size_t depth,
		       const struct cache_at *old, struct part *part)
{
	size_t first_node = p->plan->cache.nr_nodes;
	size_t first_known = p->plan->cache.nr_known, i;
	struct folder f = { .p = p, .depth = depth };
	struct sums *sums = &part->known.sums;
	char *here = xstrdup(path);
	int rc = 0;

	f.path = here;
	if (depth > 1) {
		sums->entries = 1;
		sums->weight = HEADER;
		rc = count(p, path, 1, 0);
	}
	open_old(&f, old);
	part->known.usable = true;
	if (!rc)
		rc = read_folder(&f, part->known.id, sums, &part->known.usable);
	if (!rc && (depth == 1 || sums->weight >= p->scale->large)) {
		struct part self = { .name = xstrdup("") };

		self.known = part->known;
		self.known.sums = (struct sums){ .weight = HEADER };
		memset(self.known.id, 0, ENTRY_ID_SIZE);
		segments_cut(&f, &self, &part->list);
		keep_node(&f, part, first_node, first_known);
		free(self.name);
	}
	for (i = 0; i < f.nr; i++) {
		list_release(&f.parts[i].list);
		free(f.parts[i].name);
	}
	free(f.parts);
	free(f.below);
	free(here);
	return rc;
}

/* What a plan depends on but for the tree. */
static void make_key(struct planner *p)
{
	const struct slug_spec *spec = p->spec->slug;
	const uint64_t numbers[] = { spec->max_blob,
				     spec->max_depth,
				     HEADER,
				     sizeof(struct known),
				     sizeof(struct node),
				     sizeof(struct segment) };
	struct digest *d = digest_new();

	digest_add(d, p->form, DIGEST_SIZE);
	digest_add(d, PACKAGE_VERSION, strlen(PACKAGE_VERSION));
	digest_add(d, p->spec->rules, DIGEST_SIZE);
	digest_add(d, numbers, sizeof(numbers));
	digest_end(d, p->plan->key);
	digest_free(d);
}

/* Plan with that scale. OUTGROWN, or *fits is false: it is not the tree's. */
static int plan_at(struct planner *p, const struct cut_scale *scale,
		   struct part *root, bool *fits)
{
	struct slug *slug = p->slug;
	struct cache_at at;
	bool has_old = false;
	int rc;

	plan_release(p->plan);
	make_key(p);
	*root = (struct part){ 0 };
	memcpy(root->known.id, tree_root(p->spec->tree), ENTRY_ID_SIZE);
	json_array_clear(slug->notices);
	slug->entries = slug->tree_size = 0;
	p->scale = scale;
	p->most = scale == cut_scale_for(0) ? CUT_LARGE_TREE : UINT64_MAX;
	if (p->old.large == (scale != cut_scale_for(0)))
		has_old = cache_root(&p->old, &at);
	rc = plan_folder(p, "", 1, has_old ? &at : NULL, root);
	*fits = scale == cut_scale_for(slug->tree_size);
	p->plan->cache.large = scale != cut_scale_for(0);
	return rc;
}

/*
 * How large the tree is shows when it was walked: it is taken for what it was
 * last time, or for small, and walked once more where that was wrong.
 */
static int plan_root(struct planner *p, struct part *root)
{
	bool fits = false;
	int rc = plan_at(p, cut_scale_for(p->old.large ? UINT64_MAX : 0), root,
			 &fits);

	if (rc < 0 || (!rc && fits))
		return rc;
	list_release(&root->list);
	return plan_at(p, cut_scale_for(rc == OUTGROWN ? UINT64_MAX : 0), root,
		       &fits);
}

int plan_make(struct plan *out, const struct plan_spec *spec, struct slug *slug)
{
	struct planner p = { .spec = spec, .slug = slug, .plan = out };
	struct part root;
	int rc;

	*out = (struct plan){ 0 };
	segments_form(&p);
	make_key(&p);
	cache_open(&p.old, spec->slug->verify ? NULL : spec->slug->cache,
		   out->key);
	rc = plan_root(&p, &root);
	if (!rc)
		segments_end(&p, &root.list);
	out->v = root.list.v;
	out->n = root.list.n;
	slug->left_files = root.known.sums.left_files;
	slug->left_size = root.known.sums.left_size;
	slug->left_folders = root.known.sums.left_folders;
	slug->ignored_by = root.known.sums.ignored_by;
	cache_release(&p.old);
	return rc;
}

void plan_release(struct plan *p)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		planned_release(&p->v[i]);
	free(p->v);
	cache_release(&p->cache);
	*p = (struct plan){ 0 };
}
