/* SPDX-License-Identifier: ISC */
/*
 * Source of the rules: git's builtin/receive-pack.c, update() and
 * reject_updates_to_hidden(), and refs.c, ref_is_hidden().
 */
#include "refusals.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "err.h"
#include "head.h"
#include "mem.h"
#include "names.h"
#include "proc.h"
#include "repo.h"

#define HEADS     "refs/heads/"
#define NO_COMMIT "trying to write non-commit object" /* git's words */
#define MAX_LOCKS 1000 /* a push of more refs is not looked at whole */

/* The settings that may refuse a ref, as the last value of each says. */
struct settings {
	bool deny_non_fast_forwards, deny_deletes;
	bool deny_current, deny_delete_current;
	char **hidden; /* patterns, in order */
	size_t nr_hidden;
};

/* One ref of the push. */
struct move {
	const char *ref, *old, *new;
};

static int refuse(const char *ref, const char *why)
{
	return err_set(ERR_CONFLICT, "git would refuse %s: %s", ref, why);
}

/* A setting's truth; a name without a value is true. */
static bool is_true(const char *value)
{
	static const char *const yes[] = { "true", "yes", "on" };
	size_t i;

	for (i = 0; value && i < sizeof(yes) / sizeof(yes[0]); i++)
		if (!strcasecmp(value, yes[i]))
			return true;
	return !value || strtol(value, NULL, 0) != 0;
}

/* Of receive.denyCurrentBranch and its like: does that value refuse? */
static bool refuses(const char *value)
{
	return value && !strcasecmp(value, "refuse") ? true : is_true(value);
}

static void add_hidden(struct settings *s, const char *value)
{
	char *pattern = xstrdup(value ? value : "");
	size_t len = strlen(pattern);

	while (len && pattern[len - 1] == '/')
		pattern[--len] = '\0';
	s->hidden = xrealloc(s->hidden, s->nr_hidden + 1, sizeof(*s->hidden));
	s->hidden[s->nr_hidden++] = pattern;
}

static void note_setting(struct settings *s, const char *key, const char *value)
{
	if (!strcmp(key, "receive.denynonfastforwards"))
		s->deny_non_fast_forwards = is_true(value);
	else if (!strcmp(key, "receive.denydeletes"))
		s->deny_deletes = is_true(value);
	else if (!strcmp(key, "receive.denycurrentbranch"))
		s->deny_current = refuses(value);
	else if (!strcmp(key, "receive.denydeletecurrent"))
		s->deny_delete_current = refuses(value);
	else if (!strcmp(key, "receive.hiderefs") ||
		 !strcmp(key, "transfer.hiderefs"))
		add_hidden(s, value);
}

/* Copies "NAME=VALUE" of our environment; NULL where it is not set. */
static char *own_variable(const char *name)
{
	const char *value = getenv(name);

	return value ? xasprintf("%s=%s", name, value) : NULL;
}

/* The home of the account, where git looks for its settings. Caller frees. */
static char *home_variable(void)
{
	char *own = own_variable("HOME"), buf[4096];
	struct passwd *pw = NULL, entry;

	if (own)
		return own;
	if (getpwuid_r(geteuid(), &entry, buf, sizeof(buf), &pw))
		pw = NULL;
	return xasprintf("HOME=%s", pw ? pw->pw_dir : "/");
}

/*
 * The settings that git-receive-pack has: those of the machine, of our
 * account and of the repository. As "KEY LF VALUE NUL", or "KEY NUL". To list
 * them runs no program.
 */
static int list_settings(const char *repo, char **out, size_t *len)
{
	static const char *const args[] = { "config", "--list", "--includes",
					    "-z", NULL };
	char *v[] = { home_variable(), own_variable("GIT_CONFIG_NOSYSTEM"),
		      own_variable("GIT_CONFIG_GLOBAL"),
		      own_variable("XDG_CONFIG_HOME") };
	const char *env[8] = { "PATH=/usr/bin:/bin", "LC_ALL=C" };
	const struct repo_git g = {
		.path = repo, .args = args, .env = env, .env_is_all = true
	};
	size_t i, n = 2;
	int rc;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		if (v[i])
			env[n++] = v[i];
	rc = repo_git_run(&g, out, len);
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		free(v[i]);
	return rc;
}

static int read_settings(const char *repo, struct settings *s)
{
	char *out = NULL, *p, *value;
	size_t len = 0;
	int rc = list_settings(repo, &out, &len);

	s->deny_current = s->deny_delete_current = true;
	for (p = out; !rc && p < out + len; p += strlen(p) + 1) {
		value = strchr(p, '\n');
		if (value)
			*value++ = '\0';
		note_setting(s, p, value);
		if (value)
			p = value;
	}
	free(out);
	return rc;
}

static void settings_clear(struct settings *s)
{
	while (s->nr_hidden)
		free(s->hidden[--s->nr_hidden]);
	free(s->hidden);
}

/* The last pattern that matches decides. */
static bool is_hidden(const struct settings *s, const char *ref)
{
	size_t i, len;

	for (i = s->nr_hidden; i-- > 0;) {
		const char *p = s->hidden[i];
		bool shown = *p == '!';

		p += shown;
		p += *p == '^';
		len = strlen(p);
		if (!strncmp(ref, p, len) && (!ref[len] || ref[len] == '/'))
			return !shown;
	}
	return false;
}

static bool is_none(const char *oid)
{
	return !strcmp(oid, NAME_ZERO_OID);
}

/* By which git sees the objects of the push. Caller frees. */
static char *objects_env(const char *quarantine)
{
	char *env = NULL;
	size_t len = 0;
	FILE *f;

	if (!quarantine)
		return NULL;
	f = open_memstream(&env, &len);
	if (!f)
		abort();
	/* Quoted, since it may have a colon. */
	fputs("GIT_ALTERNATE_OBJECT_DIRECTORIES=\"", f);
	for (; *quarantine; quarantine++) {
		if (*quarantine == '"' || *quarantine == '\\')
			putc('\\', f);
		putc(*quarantine, f);
	}
	putc('"', f);
	fclose(f);
	return env;
}

/* Is old a commit from which new goes on? */
static int check_forward(const struct refusals_push *p, const struct move *m)
{
	char *env = objects_env(p->quarantine), *out = NULL;
	char *not_new = xasprintf("^%s", m->new);
	const char *const args[] = { "rev-list", "-n",    "1",
				     m->old,     not_new, NULL };
	const struct repo_git g = { .path = p->repo,
				    .args = args,
				    .env = (const char *const[]){ env, NULL } };
	int rc = repo_git_run(&g, &out, NULL);

	if (!rc && *out)
		rc = refuse(m->ref, "it would not be a fast-forward, and the "
				    "repository has "
				    "receive.denyNonFastForwards");
	free(out);
	free(not_new);
	free(env);
	return rc;
}

/* Is the branch checked out in a work tree? */
static int check_work_trees(const struct refusals_push *p, const struct move *m)
{
	static const char *const args[] = { "worktree", "list", "--porcelain",
					    NULL };
	char *trees = xasprintf("%s/worktrees", p->repo), *out = NULL;
	char *want = xasprintf("\nbranch %s\n", m->ref);
	bool none = access(trees, F_OK) && errno == ENOENT;
	int rc = none ? 0 : repo_git_bytes(p->repo, &out, NULL, args);

	if (!rc && out && strstr(out, want))
		rc = refuse(m->ref, "it is checked out in a work tree, and the "
				    "repository's receive.denyCurrentBranch "
				    "does not allow that");
	free(out);
	free(want);
	free(trees);
	return rc;
}

static int check_delete(const struct refusals_push *p, const struct settings *s,
			const struct move *m)
{
	char *head = NULL;
	int rc = 0;

	if (strncmp(m->ref, HEADS, strlen(HEADS)) != 0)
		return 0;
	if (s->deny_deletes)
		return refuse(m->ref, "the repository has receive.denyDeletes");
	if (s->deny_delete_current)
		rc = head_ref(p->repo, &head);
	if (!rc && head && !strcmp(head, m->ref))
		rc = refuse(m->ref, "it is what HEAD names");
	free(head);
	return rc;
}

static int check_settings(const struct refusals_push *p,
			  const struct settings *s, const struct move *m)
{
	bool branch = !strncmp(m->ref, HEADS, strlen(HEADS));
	int rc = 0;

	if (is_none(m->new))
		return check_delete(p, s, m);
	if (branch && s->deny_current)
		rc = check_work_trees(p, m);
	if (!rc && branch && s->deny_non_fast_forwards && !is_none(m->old))
		rc = check_forward(p, m);
	return rc;
}

/* git's words behind the last "fatal: prepare: " of the message. */
static char *git_words(void)
{
	static const char *const starts[] = { "fatal: ", "prepare: " };
	const char *words = err_msg(), *p;
	size_t i;

	for (i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		p = strstr(words, starts[i]);
		if (p)
			words = p + strlen(starts[i]);
	}
	return xstrdup(words);
}

/* What git said when it could not lock the refs. */
static int explain(const struct refusals_push *p)
{
	char *words = git_words();
	bool same = true;
	int rc = repo_ref_is_at(p->repo, p->ref, p->old, &same);

	if (!rc && !same)
		rc = err_set(ERR_CONFLICT,
			     "%s was moved by another push; fetch and try "
			     "again",
			     p->ref);
	else if (!rc && strstr(words, NO_COMMIT))
		rc = err_set(ERR_CONFLICT,
			     "a branch can only be at a commit. To push the "
			     "commit of a tag: git push heroku 'TAG^{}:%s'",
			     p->ref + strlen(HEADS));
	else if (!rc)
		rc = err_set(ERR_CONFLICT, "git would refuse this push: %s",
			     words);
	free(words);
	return rc;
}

/* Is one of the names a folder of the other? */
static bool is_in_the_way(const char *a, const char *b)
{
	size_t len = strlen(a) < strlen(b) ? strlen(a) : strlen(b);

	return !strncmp(a, b, len) && (a[len] == '/' || b[len] == '/');
}

/* Does the push itself remove what would be in the way of that ref? */
static bool makes_room(const struct refusals_push *p, const char *name)
{
	const json_t *ref;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)p->refs, i, ref)
		if (is_none(json_str(ref, "new", "")) &&
		    is_in_the_way(name, json_str(ref, "name", "")))
			return true;
	return false;
}

/* Does the push remove a ref? Few do, and others have no room to make. */
static bool has_delete(const struct refusals_push *p)
{
	const json_t *ref;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)p->refs, i, ref)
		if (is_none(json_str(ref, "new", "")))
			return true;
	return false;
}

/* The transaction of all that the push moves, a line each. Caller frees. */
static char *transaction(const struct refusals_push *p, size_t *len)
{
	const json_t *ref;
	char *text = NULL;
	size_t i;
	bool deletes = has_delete(p);
	FILE *f = open_memstream(&text, len);

	if (!f)
		abort();
	fprintf(f, "start\n");
	if (!deletes || !makes_room(p, p->ref))
		fprintf(f, "update %s %s %s\n", p->ref, p->new, p->old);
	json_array_foreach((json_t *)(uintptr_t)p->refs, i, ref) {
		const char *name = json_str(ref, "name", "");
		const char *new = json_str(ref, "new", "");

		if (i < MAX_LOCKS && strcmp(name, p->ref) != 0 &&
		    !is_none(new) && (!deletes || !makes_room(p, name)))
			fprintf(f, "update %s %s %s\n", name, new,
				json_str(ref, "old", ""));
	}
	fprintf(f, "prepare\nabort\n");
	fclose(f);
	return text;
}

/*
 * Have git lock the refs, compare their values, look for names in the way
 * and look at the new objects, as it does when it moves them; then let go.
 */
static int check_locks(const struct refusals_push *p)
{
	static const char *const args[] = {
		"-c",         "core.hooksPath=/dev/null",
		"-c",         "core.fsync=none",
		"update-ref", "--stdin",
		NULL
	};
	char *env = objects_env(p->quarantine);
	struct repo_git g = { .path = p->repo,
			      .args = args,
			      .env = (const char *const[]){ env, NULL } };
	struct proc_end end = { .code = -1 };
	char *in = transaction(p, &g.in_len);
	int rc;

	g.in = in;
	g.end = &end;
	rc = repo_git_run(&g, NULL, NULL);
	/* One that a signal ended says nothing about the push. */
	if (rc && end.code > 0)
		rc = explain(p);
	free(end.said);
	free(env);
	free(in);
	return rc;
}

static int is_file(const char *path, const struct stat *st, int type,
		   struct FTW *ftw)
{
	(void)path;
	(void)st;
	(void)ftw;
	return type != FTW_D;
}

/* Does git not find its way to the reflog, of which path is the start? */
static bool is_blocked(const struct refusals_push *p, const char *ref,
		       const char *path)
{
	bool whole = strlen(path) ==
		     strlen(p->repo) + strlen("/logs/") + strlen(ref);
	struct stat st;

	if (stat(path, &st))
		return true;
	if (!S_ISDIR(st.st_mode))
		return !whole;
	/* git removes empty folders, but not what is left of other refs. */
	return whole && !makes_room(p, ref) &&
	       nftw(path, is_file, 8, FTW_PHYS) != 0;
}

/* The reflog, which git writes before it moves the ref. */
static int check_reflog(const struct refusals_push *p, const char *ref)
{
	char *path = xasprintf("%s/logs/%s", p->repo, ref);
	bool bad = false;

	/* Folders that are not there yet are made. */
	while (!bad && faccessat(AT_FDCWD, path, W_OK, AT_EACCESS)) {
		bad = errno != ENOENT || strlen(path) <= strlen(p->repo);
		*strrchr(path, '/') = '\0';
	}
	bad = bad || is_blocked(p, ref, path);
	free(path);
	return bad ? refuse(ref, "its reflog cannot be written") : 0;
}

/* Does the repository hide one of the refs? */
static int check_hidden(const struct refusals_push *p, const struct settings *s)
{
	static const char why[] = "the repository hides it by "
				  "receive.hideRefs or transfer.hideRefs";
	const json_t *ref;
	size_t i;

	if (is_hidden(s, p->ref))
		return refuse(p->ref, why);
	json_array_foreach((json_t *)(uintptr_t)p->refs, i, ref)
		if (is_hidden(s, json_str(ref, "name", "")))
			return refuse(json_str(ref, "name", ""), why);
	return 0;
}

static int check_all_settings(const struct refusals_push *p,
			      const struct settings *s)
{
	const struct move m = { p->ref, p->old, p->new };
	const json_t *ref;
	size_t i;
	int rc = check_settings(p, s, &m);

	json_array_foreach((json_t *)(uintptr_t)p->refs, i, ref) {
		const struct move other = { json_str(ref, "name", ""),
					    json_str(ref, "old", ""),
					    json_str(ref, "new", "") };

		if (rc)
			break;
		if (strcmp(other.ref, p->ref) != 0)
			rc = check_settings(p, s, &other);
	}
	return rc;
}

int refusals_check(const struct refusals_push *p)
{
	struct settings s = { .nr_hidden = 0 };
	char *head = NULL;
	int rc = read_settings(p->repo, &s);

	/* Who is not shown a ref takes it for new. */
	if (!rc)
		rc = check_hidden(p, &s);
	if (!rc)
		rc = check_locks(p);
	if (!rc)
		rc = check_all_settings(p, &s);
	if (!rc)
		rc = check_reflog(p, p->ref);
	if (!rc)
		rc = head_ref(p->repo, &head);
	/* git writes that of HEAD, too. */
	if (!rc && head && !strcmp(head, p->ref))
		rc = check_reflog(p, "HEAD");
	free(head);
	settings_clear(&s);
	return rc;
}
