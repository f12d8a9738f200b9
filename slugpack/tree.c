/* SPDX-License-Identifier: ISC */
#include "tree.h"

#include <git2.h>
#include <git2/sys/repository.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catfile.h"
#include "err.h"
#include "mem.h"
#include "missing.h"
#include "names.h"
#include "stuck.h"
#include "text.h"

#define MAX_PATH    TREE_MAX_PATH
#define MAX_FOLDER  (128 << 20) /* bytes of one tree object */
#define MAX_SUBJECT 500         /* characters */

/* Parsed objects that libgit2 may keep, and how much of a pack it maps. */
#define CACHE_SIZE    (16 << 20)
#define WINDOW_SIZE   (4 << 20)
#define WINDOWS_LIMIT (32 << 20)

struct tree {
	const struct tree_source *source;
	git_repository *repo;
	git_odb *odb;
	git_commit *commit;      /* NULL where another has it */
	git_oid root;            /* of the commit's tree */
	git_odb_object *blob;    /* what was read last */
	struct catfile *catfile; /* for large blobs; NULL: not needed yet */
	struct reader *reader;
	char hex[GIT_OID_HEXSZ + 1];
	char version[40];
};

/* A folder that the walk is in. */
struct frame {
	git_odb_object *object;
	struct entry_cursor cursor;
	size_t path_len; /* with the slash */
};

struct walk {
	struct tree *tree;
	struct frame *frames;
	size_t depth, alloc;
	char path[MAX_PATH + 2]; /* a slash and a NUL more */
};

const char *tree_version(const struct tree *t)
{
	return t->version;
}

static const char *reason(void)
{
	const git_error *e = git_error_last();

	return e && e->message ? e->message : "no reason given";
}

static int read_object(git_odb_object **out, struct tree *t, const git_oid *id)
{
	int code;

	stuck_count(t->reader);
	code = git_odb_read(out, t->odb, id);
	stuck_count(t->reader);
	return code;
}

/* As err_set(), with the path in front. */
static int path_error(int code, const char *path, const char *what)
{
	char *safe = entry_shown_path(path);

	err_set(code, "%s: %s", safe, what);
	free(safe);
	return code;
}

/*
 * git has checked the objects' hashes when they came, and a slug is no
 * place to look for rot: git fsck is.
 */
static void set_up_library(void)
{
	git_libgit2_init();
	git_libgit2_opts(GIT_OPT_ENABLE_STRICT_HASH_VERIFICATION, 0);
	git_libgit2_opts(GIT_OPT_SET_CACHE_MAX_SIZE, (ssize_t)CACHE_SIZE);
	git_libgit2_opts(GIT_OPT_SET_MWINDOW_SIZE, (size_t)WINDOW_SIZE);
	git_libgit2_opts(GIT_OPT_SET_MWINDOW_MAPPED_LIMIT,
			 (size_t)WINDOWS_LIMIT);
}

/*
 * libgit2 takes a folder that is not there, or that it may not read, for an
 * empty one.
 */
static int check_folder(const char *path)
{
	struct stat st;

	if (stat(path, &st) || access(path, R_OK | X_OK))
		return err_sys("cannot read objects in %s", path);
	if (!S_ISDIR(st.st_mode))
		return err_set(ERR_INVALID, "%s is not a folder of objects",
			       path);
	return 0;
}

static int open_objects(struct tree *t, const struct tree_source *s)
{
	size_t i;
	int rc;

	for (i = 0; i < s->nr_objects; i++) {
		rc = check_folder(s->objects[i]);
		if (rc)
			return rc;
		if (i == 0)
			rc = git_odb_open(&t->odb, s->objects[i]);
		else
			rc = git_odb_add_disk_alternate(t->odb, s->objects[i]);
		if (rc)
			return err_set(ERR_FAILED,
				       "cannot read objects in %s: %s",
				       s->objects[i], reason());
	}
	if (git_repository_wrap_odb(&t->repo, t->odb))
		return err_set(ERR_FAILED, "%s", reason());
	return 0;
}

/*
 * Does the code mean that the repository is another user's? libgit2 1.5 then
 * says that safe.directory is missing.
 */
static bool is_foreign(int code)
{
	const git_error *e = git_error_last();

	return code == GIT_EOWNER ||
	       (code == GIT_ENOTFOUND && e && e->klass == GIT_ERROR_CONFIG);
}

/*
 * open_ext, since open_bare looks at neither owner nor extensions. Once more
 * where it is not found: a disk may fail once.
 */
static int open_repository(struct tree *t, const char *path)
{
	const unsigned flags = GIT_REPOSITORY_OPEN_NO_SEARCH;
	int code = git_repository_open_ext(&t->repo, path, flags, NULL);

	if (code == GIT_ENOTFOUND)
		code = git_repository_open_ext(&t->repo, path, flags, NULL);
	if (is_foreign(code))
		return err_set(ERR_FAILED,
			       "%s belongs to another user; see safe.directory "
			       "in git-config(1)",
			       path);
	if (code == GIT_ENOTFOUND)
		return missing_repository(path);
	if (code || git_repository_odb(&t->odb, t->repo))
		return err_set(ERR_FAILED, "cannot read repository %s: %s",
			       path, reason());
	return 0;
}

/* Was the reason the system's, such as a disk that fails? */
static bool is_system_error(void)
{
	const git_error *e = git_error_last();

	return e && e->klass == GIT_ERROR_OS;
}

static int find_object(git_object **out, struct tree *t,
		       const struct tree_source *s)
{
	bool full = !name_check_oid(s->commit);
	git_oid id;
	int code;

	if (s->nr_objects && !full)
		return name_check_oid(s->commit);
	if (full) {
		git_oid_fromstr(&id, s->commit);
		code = git_object_lookup(out, t->repo, &id, GIT_OBJECT_ANY);
		if (code == GIT_ENOTFOUND) /* a disk may fail once */
			code = git_object_lookup(out, t->repo, &id,
						 GIT_OBJECT_ANY);
	} else {
		code = git_revparse_single(out, t->repo, s->commit);
	}
	if (code == GIT_ENOTFOUND && full && missing_check(s, s->commit))
		return ERR_SYSTEM;
	if (code == GIT_ENOTFOUND)
		return err_set(ERR_NOTFOUND, "no commit '%s' in %s", s->commit,
			       s->repo);
	if (code && is_system_error())
		return err_set(ERR_FAILED, "cannot read '%s' of %s: %s",
			       s->commit, s->repo, reason());
	if (code)
		return err_set(ERR_INVALID, "'%s' is no commit of %s: %s",
			       s->commit, s->repo, reason());
	return 0;
}

static int find_commit(struct tree *t, const struct tree_source *s)
{
	git_object *found = NULL, *commit = NULL;
	int rc = find_object(&found, t, s);

	if (rc)
		goto done;
	if (git_object_peel(&commit, found, GIT_OBJECT_COMMIT)) {
		rc = err_set(ERR_INVALID,
			     "'%s' is a %s, and leads to no commit", s->commit,
			     git_object_type2string(git_object_type(found)));
		goto done;
	}
	t->commit = (git_commit *)commit;
	git_oid_cpy(&t->root, git_commit_tree_id(t->commit));
	git_oid_tostr(t->hex, sizeof(t->hex), git_commit_id(t->commit));
done:
	git_object_free(found);
	return rc;
}

static int open_source(struct tree *t, const struct tree_source *source)
{
	int major, minor, revision;

	t->source = source;
	set_up_library();
	git_libgit2_version(&major, &minor, &revision);
	snprintf(t->version, sizeof(t->version), "libgit2 %d.%d.%d", major,
		 minor, revision);
	t->reader = stuck_reader();
	return source->nr_objects ? open_objects(t, source)
				  : open_repository(t, source->repo);
}

int tree_open(struct tree **out, const struct tree_source *source)
{
	struct tree *t = xcalloc(1, sizeof(*t));
	int rc;

	rc = open_source(t, source);
	if (!rc) {
		stuck_count(t->reader);
		rc = find_commit(t, source);
		stuck_count(t->reader);
	}
	if (rc) {
		tree_free(t);
		return rc;
	}
	*out = t;
	return 0;
}

int tree_again(struct tree **out, const struct tree *t)
{
	struct tree *again = xcalloc(1, sizeof(*again));
	int rc = open_source(again, t->source);

	git_oid_cpy(&again->root, &t->root);
	if (rc)
		tree_free(again);
	else
		*out = again;
	return rc;
}

void tree_free(struct tree *t)
{
	if (!t)
		return;
	catfile_free(t->catfile);
	git_odb_object_free(t->blob);
	git_commit_free(t->commit);
	git_odb_free(t->odb);
	git_repository_free(t->repo);
	git_libgit2_shutdown();
	free(t);
}

const char *tree_commit(const struct tree *t)
{
	return t->hex;
}

char *tree_subject(const struct tree *t)
{
	const char *message = git_commit_message(t->commit);
	char *line, *safe;

	message += strspn(message, "\r\n");
	line = xstrndup(message, strcspn(message, "\r\n"));
	safe = text_cell(line, MAX_SUBJECT);
	free(line);
	return safe;
}

/* The object's header: it must be of that type. */
static int check_header(struct tree *t, const char *path, const git_oid *id,
			git_object_t type, size_t *size)
{
	char hex[GIT_OID_HEXSZ + 1];
	git_object_t found;
	int code;

	stuck_count(t->reader);
	code = git_odb_read_header(size, &found, t->odb, id);
	stuck_count(t->reader);
	git_oid_tostr(hex, sizeof(hex), id);
	if (code == GIT_ENOTFOUND && missing_check(t->source, hex))
		return ERR_SYSTEM;
	if (code == GIT_ENOTFOUND)
		return path_error(ERR_FAILED, path,
				  "its object is not in the repository");
	if (code)
		return path_error(ERR_FAILED, path, reason());
	if (found != type)
		return path_error(ERR_FAILED, path,
				  "its object is of another type");
	return 0;
}

/* Go into the folder with that tree object; w->path is its path. */
static int push_folder(struct walk *w, const git_oid *id)
{
	size_t len = strlen(w->path), size;
	struct frame *f;
	int rc = check_header(w->tree, *w->path ? w->path : "the tree", id,
			      GIT_OBJECT_TREE, &size);

	if (rc)
		return rc;
	if (size > MAX_FOLDER)
		return path_error(ERR_TOOBIG, w->path,
				  "has too many entries for one folder");
	if (w->depth == w->alloc) {
		w->alloc = w->alloc ? w->alloc * 2 : 16;
		w->frames = xrealloc(w->frames, w->alloc, sizeof(*w->frames));
	}
	f = &w->frames[w->depth];
	if (read_object(&f->object, w->tree, id))
		return path_error(ERR_FAILED, w->path, reason());
	if (len) {
		w->path[len++] = '/';
		w->path[len] = '\0';
	}
	f->path_len = len;
	entry_begin(&f->cursor, git_odb_object_data(f->object),
		    git_odb_object_size(f->object));
	w->depth++;
	return 0;
}

static void pop_folder(struct walk *w)
{
	struct frame *f = &w->frames[--w->depth];

	entry_release(&f->cursor);
	git_odb_object_free(f->object);
}

/* Make w->path that of the entry; as much of it as is good for a message. */
static int join_path(struct walk *w, const struct entry *e)
{
	size_t at = w->frames[w->depth - 1].path_len;
	bool fits = at + e->len <= MAX_PATH;
	size_t room = at < MAX_PATH ? MAX_PATH - at : 0;
	size_t len = fits ? e->len : room;

	if (e->len)
		memcpy(w->path + at, e->name, len);
	w->path[at + len] = '\0';
	if (fits)
		return 0;
	return path_error(ERR_INVALID, w->path,
			  "the path goes on for more than 4095 bytes");
}

/* The next entry of the folder that the walk is in: as entry_next(). */
static int next_entry(struct walk *w, struct entry *e)
{
	int more = entry_next(&w->frames[w->depth - 1].cursor, e);
	int rc;

	if (more == 0)
		return 0;
	rc = join_path(w, e);
	if (more < 0)
		return path_error(more, *w->path ? w->path : "the tree",
				  err_msg());
	return rc ? rc : 1;
}

static const char *name_of(const struct walk *w)
{
	return w->path + w->frames[w->depth - 1].path_len;
}

/* One entry of the walk: 1 if there may be more, 0 at the end. */
static int walk_step(struct walk *w, tree_visit visit, void *ctx)
{
	struct entry e;
	git_oid id;
	int rc = next_entry(w, &e);

	if (rc < 0)
		return rc;
	if (rc == 0) {
		pop_folder(w);
		return w->depth > 0;
	}
	rc = visit(ctx, &(struct tree_entry){ w->path, name_of(w), w->depth,
					      e.kind, e.id });
	if (rc)
		return rc == TREE_SKIP ? 1 : rc;
	if (e.kind == ENTRY_FOLDER) {
		git_oid_fromraw(&id, e.id);
		rc = push_folder(w, &id);
	}
	return rc ? rc : 1;
}

/* Begin in the folder at path. */
static int walk_open(struct walk **out, struct tree *t, const char *path,
		     const unsigned char *id)
{
	struct walk *w = xcalloc(1, sizeof(*w));
	git_oid oid;
	int rc;

	w->tree = t;
	snprintf(w->path, sizeof(w->path), "%s", path);
	git_oid_fromraw(&oid, id);
	*out = w;
	rc = push_folder(w, &oid);
	return rc;
}

static void walk_free(struct walk *w)
{
	while (w->depth)
		pop_folder(w);
	free(w->frames);
	free(w);
}

int tree_walk(struct tree *t, const char *path, const unsigned char *id,
	      tree_visit visit, void *ctx)
{
	struct walk *w;
	int rc = walk_open(&w, t, path, id);

	if (!rc)
		do {
			rc = walk_step(w, visit, ctx);
		} while (rc > 0);
	walk_free(w);
	return rc;
}

const unsigned char *tree_root(const struct tree *t)
{
	return t->root.id;
}

struct tree_folder {
	struct walk *walk;
};

int tree_folder_open(struct tree_folder **out, struct tree *t, const char *path,
		     const unsigned char *id)
{
	struct tree_folder *f = xcalloc(1, sizeof(*f));
	int rc = walk_open(&f->walk, t, path, id);

	if (rc)
		tree_folder_free(f);
	else
		*out = f;
	return rc;
}

int tree_folder_next(struct tree_folder *f, struct tree_entry *out)
{
	struct entry e;
	int more = next_entry(f->walk, &e);

	if (more > 0)
		*out = (struct tree_entry){ f->walk->path, name_of(f->walk), 1,
					    e.kind, e.id };
	return more;
}

void tree_folder_free(struct tree_folder *f)
{
	if (!f)
		return;
	walk_free(f->walk);
	free(f);
}

int tree_blob_size(struct tree *t, const struct tree_entry *e, uint64_t *size)
{
	git_oid id;
	size_t len;
	int rc;

	git_oid_fromraw(&id, e->id);
	rc = check_header(t, e->path, &id, GIT_OBJECT_BLOB, &len);
	*size = len;
	return rc;
}

int tree_blob_read(struct tree *t, const struct tree_entry *e,
		   const char **data, size_t *len)
{
	git_oid id;

	git_oid_fromraw(&id, e->id);
	if (!t->blob || !git_oid_equal(&id, git_odb_object_id(t->blob))) {
		git_odb_object_free(t->blob);
		t->blob = NULL;
		if (read_object(&t->blob, t, &id))
			return path_error(ERR_FAILED, e->path, reason());
		if (git_odb_object_type(t->blob) != GIT_OBJECT_BLOB)
			return path_error(ERR_FAILED, e->path,
					  "its object is of another type");
	}
	*data = git_odb_object_data(t->blob);
	*len = git_odb_object_size(t->blob);
	return 0;
}

void tree_blob_forget(struct tree *t)
{
	git_odb_object_free(t->blob);
	t->blob = NULL;
}

int tree_blob_stream(struct tree *t, const struct tree_entry *e, uint64_t size,
		     const struct sink *to)
{
	const struct tree_source *s = t->source;
	char hex[GIT_OID_HEXSZ + 1];
	git_oid id;
	int rc = 0;

	git_oid_fromraw(&id, e->id);
	git_oid_tostr(hex, sizeof(hex), &id);
	if (!t->catfile)
		rc = catfile_open(&t->catfile,
				  s->nr_objects ? s->repo
						: git_repository_path(t->repo),
				  s->objects, s->nr_objects);
	return rc ? rc : catfile_read(t->catfile, hex, size, to);
}
