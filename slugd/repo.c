/* SPDX-License-Identifier: ISC */
#include "repo.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alternates.h"
#include "err.h"
#include "lease.h"
#include "log.h"
#include "mem.h"
#include "names.h"
#include "proc.h"
#include "text.h"

#define NR(array) (sizeof(array) / sizeof((array)[0]))

/*
 * Each git that slugd runs has nothing of slugd's own environment, no settings
 * but the repository's, no replaced objects, and no way to fetch one that is
 * missing: a promisor remote of the repository would name the program for it.
 * (GIT_NO_LAZY_FETCH is known from git 2.44 on, GIT_ALLOW_PROTOCOL by all.)
 * Of the settings that name programs, core.hooksPath is overruled where git
 * would run a hook; all others are for what is not done here: a work tree, a
 * terminal, the network, a push. (One git, by env_is_all, lists the settings of
 * the account, and does nothing else.)
 */
static const char *const git_env[] = {
	"PATH=/usr/local/bin:/usr/bin:/bin",
	"HOME=/",
	"LC_ALL=C",
	"GIT_CONFIG_NOSYSTEM=1",
	"GIT_CONFIG_GLOBAL=/dev/null",
	"GIT_NO_REPLACE_OBJECTS=1",
	"GIT_TERMINAL_PROMPT=0",
	"GIT_ALLOW_PROTOCOL=none",
	"GIT_NO_LAZY_FETCH=1",
	NULL,
};

/* A file in memory with that text, to be read from its start. */
static int text_file(const char *text, size_t len, int *out)
{
	int fd = memfd_create("git-input", MFD_CLOEXEC);

	if (fd < 0 || write(fd, text, len) != (ssize_t)len ||
	    lseek(fd, 0, SEEK_SET)) {
		int rc = err_sys("git's input");

		if (fd >= 0)
			close(fd);
		return rc;
	}
	*out = fd;
	return 0;
}

int repo_git_run(const struct repo_git *g, char **out, size_t *len)
{
	const char *argv[16] = { GIT_PROGRAM }, *env[24];
	const char *const *args = g->args, *const * p;
	struct proc_spec spec = {
		.end = g->end, .argv = argv, .env = env, .dir = "/"
	};
	char *git_dir = xasprintf("--git-dir=%s", g->path);
	size_t n = 1, e = 0;
	int rc = 0;

	/* The first of two values of a variable counts. */
	for (p = g->env; p && *p && e < 8; p++)
		env[e++] = *p;
	for (p = git_env; *p && !g->env_is_all && e < NR(env) - 1; p++)
		env[e++] = *p;
	env[e] = NULL;
	argv[n++] = git_dir;
	while (*args && n < NR(argv) - 1)
		argv[n++] = *args++;
	if (g->in)
		rc = text_file(g->in, g->in_len, &spec.in);
	if (!rc)
		rc = proc_capture(out, len, &spec);
	if (spec.in)
		close(spec.in);
	free(git_dir);
	return rc;
}

int repo_git_bytes(const char *path, char **out, size_t *len,
		   const char *const *args)
{
	const struct repo_git g = { .path = path, .args = args };

	return repo_git_run(&g, out, len);
}

int repo_git_ask(const char *path, bool *yes, char **out,
		 const char *const *args)
{
	struct proc_end end = { .code = -1 };
	const struct repo_git g = { .path = path, .args = args, .end = &end };
	int rc = repo_git_run(&g, out, NULL);

	*yes = !rc;
	if (end.code == 1 && (!end.said || !*end.said))
		rc = 0;
	free(end.said);
	return rc;
}

typedef bool (*pick_fn)(const FTSENT *e);

static bool anything(const FTSENT *e)
{
	(void)e;
	return true;
}

static bool nothing(const FTSENT *e)
{
	(void)e;
	return false;
}

/* What was found, and is removed later if it is still the same. */
struct finds {
	struct find {
		char *path;
		struct stat st;
	} * v;
	size_t n;
};

/*
 * What lies below top, children first, for which wanted() is true, looking
 * only into folders for which enter() is true. Follows no link.
 */
static void find_if(struct finds *f, const char *top, pick_fn enter,
		    pick_fn wanted)
{
	char *copy = xstrdup(top), *paths[2] = { copy, NULL };
	FTS *fts = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	FTSENT *e;

	while (fts && (e = fts_read(fts))) {
		if (e->fts_info != FTS_D && wanted(e)) {
			f->v = xrealloc(f->v, f->n + 1, sizeof(*f->v));
			f->v[f->n].path = xstrdup(e->fts_path);
			f->v[f->n++].st = *e->fts_statp;
		} else if (e->fts_info == FTS_D && e->fts_level && !enter(e)) {
			fts_set(fts, e, FTS_SKIP);
		}
	}
	if (fts)
		fts_close(fts);
	free(copy);
}

/* A folder changes as its files go; a file does not. */
static bool is_same(const struct find *f)
{
	const struct timespec *was = &f->st.st_ctim;
	struct stat st;

	if (lstat(f->path, &st) || st.st_ino != f->st.st_ino)
		return false;
	return S_ISDIR(st.st_mode) || (st.st_ctim.tv_sec == was->tv_sec &&
				       st.st_ctim.tv_nsec == was->tv_nsec);
}

/* Remove them, but for those that were replaced; free the list. */
static void finds_remove(struct finds *f)
{
	size_t i;

	for (i = 0; i < f->n; i++) {
		if (is_same(&f->v[i]))
			remove(f->v[i].path);
		free(f->v[i].path);
	}
	free(f->v);
	f->v = NULL;
	f->n = 0;
}

void repo_remove(const char *path)
{
	struct finds all = { NULL, 0 };

	find_if(&all, path, anything, anything);
	finds_remove(&all);
}

/*
 * A ref that cannot be read is left out with a warning: then it is not known
 * whether it is there.
 */
static int list_ref(const char *path, const char *ref, char **out)
{
	const char *const args[] = { "for-each-ref",
				     "--format=%(refname) %(objectname)", ref,
				     NULL };
	struct proc_end end = { .code = -1 };
	const struct repo_git g = { .path = path, .args = args, .end = &end };
	int rc = repo_git_run(&g, out, NULL);

	if (!rc && end.said && *end.said) {
		end.said[strcspn(end.said, "\n")] = '\0';
		rc = err_set(ERR_FAILED, "git: %s", end.said);
	}
	free(end.said);
	return rc;
}

int repo_ref_tip(const char *path, const char *ref, char **tip)
{
	char *out = NULL;
	int rc = list_ref(path, ref, &out);
	size_t len = strlen(ref);
	const char *p, *at = NAME_ZERO_OID;

	/* A pattern finds what is below it, too: main/x by main. */
	for (p = out; !rc && p && *p; p += strcspn(p, "\n"), p += *p == '\n')
		if (!strncmp(p, ref, len) && p[len] == ' ')
			at = p + len + 1;
	if (!rc)
		*tip = xstrndup(at, strcspn(at, "\n"));
	free(out);
	return rc;
}

int repo_ref_is_at(const char *path, const char *ref, const char *oid,
		   bool *yes)
{
	char *tip = NULL;
	int rc = repo_ref_tip(path, ref, &tip);

	*yes = !rc && !strcmp(tip, oid);
	free(tip);
	return rc;
}

int repo_app(const char *path, char **out)
{
	char *file = xasprintf("%s/config", path);
	bool there = false;
	int rc = REPO_ASK(path, &there, out, "config", "--file", file, "--get",
			  "slugd.app");

	if (!rc && !there) {
		free(*out);
		*out = NULL;
		rc = err_set(ERR_NOTFOUND,
			     "%s is no app's: it has no setting "
			     "slugd.app",
			     path);
	} else if (!rc) {
		(*out)[strcspn(*out, "\n")] = '\0';
	}
	free(file);
	return rc;
}

/* Somebody may have removed it, or not have mounted it. */
static int check_there(const char *path)
{
	if (!access(path, F_OK))
		return 0;
	if (errno != ENOENT && errno != ENOTDIR)
		return err_sys("%s", path);
	return err_set(ERR_NOTFOUND, "the app's repository is gone: %s", path);
}

/*
 * With status 1: is it that there is none? What names a file or a folder is
 * told so on standard error, and so is that nothing is fetched; all else there
 * is of what git could not read.
 */
static bool is_answer(const char *said)
{
	return !said || !*said || strstr(said, "expected commit type") ||
	       strstr(said, "lazy fetching disabled");
}

int repo_commit(const char *path, const char *rev, char **out)
{
	char *name = xasprintf("%s^{commit}", rev), *shown;
	const char *const args[] = { "rev-parse",        "--verify", "-q",
				     "--end-of-options", name,       NULL };
	struct proc_end end = { .code = -1 };
	const struct repo_git g = { .path = path, .args = args, .end = &end };
	int rc = check_there(path);

	if (!rc)
		rc = repo_git_run(&g, out, NULL);
	if (!rc) {
		(*out)[strcspn(*out, "\n")] = '\0';
		rc = name_check_oid(*out);
	} else if (end.code == 1 && is_answer(end.said)) {
		shown = text_cell(rev, 60);
		rc = err_set(ERR_NOTFOUND,
			     "the app's repository has no commit %s", shown);
		free(shown);
	}
	free(end.said);
	free(name);
	return rc;
}

int repo_tip(const char *path, char *const *branches, char **out)
{
	bool absent = true;
	int rc = check_there(path);

	for (; !rc && absent && *branches; branches++) {
		char *ref = xasprintf("refs/heads/%s", *branches);

		rc = repo_ref_is_at(path, ref, NAME_ZERO_OID, &absent);
		if (!rc && !absent)
			rc = repo_commit(path, ref, out);
		free(ref);
	}
	if (rc || !absent)
		return rc;
	return err_set(ERR_NOTFOUND, "nothing was pushed yet");
}

int repo_quarantine_folders(const char *quarantine, char **names)
{
	char *list = NULL;
	size_t len = 0;
	DIR *dir = opendir(quarantine);
	struct dirent *e;
	FILE *f;

	if (!dir)
		return err_sys("%s", quarantine);
	f = open_memstream(&list, &len);
	if (!f)
		abort();
	while ((e = readdir(dir)))
		if (*e->d_name != '.' && !strchr(e->d_name, ' '))
			fprintf(f, "%s ", e->d_name);
	fclose(f);
	closedir(dir);
	*names = list;
	return 0;
}

int repo_keep(const char *path, int64_t version, const char *commit)
{
	char *ref = xasprintf("refs/releases/v%" PRId64, version);
	int rc = REPO_GIT(path, NULL, "-c", "core.hooksPath=/dev/null",
			  "update-ref", "--no-deref", ref, commit);

	free(ref);
	return rc;
}

int repo_keep_all(const char *path, const char *updates, size_t len)
{
	static const char *const args[] = {
		"-c",         "core.hooksPath=/dev/null",
		"update-ref", "--no-deref",
		"--stdin",    NULL
	};
	const struct repo_git g = {
		.path = path, .args = args, .in = updates, .in_len = len
	};

	return repo_git_run(&g, NULL, NULL);
}

int repo_kept(const char *path, char **out)
{
	return REPO_GIT(path, out, "for-each-ref",
			"--format=%(refname:lstrip=2)", "refs/releases/");
}

static bool is_lock(const FTSENT *e)
{
	return e->fts_namelen > 5 &&
	       !strcmp(e->fts_name + e->fts_namelen - 5, ".lock");
}

/* A folder that a push's objects waited in, or what is in one. */
static bool is_quarantine(const FTSENT *e)
{
	for (; e && e->fts_level >= 1; e = e->fts_parent)
		if (e->fts_level == 1)
			return !strncmp(e->fts_name, "tmp_objdir-", 11);
	return false;
}

/* Is the process, or one above it, one of these? */
static bool is_below(pid_t pid, const struct repo_waiter *v, size_t n)
{
	size_t i;

	for (; pid > 1; pid = lease_parent(pid))
		for (i = 0; i < n; i++)
			if (v[i].pid == pid)
				return true;
	return false;
}

/*
 * Does some process, none of the waiters', have the repository as its
 * working folder?
 */
static bool is_busy(const char *path, const struct repo_waiter *v, size_t n)
{
	DIR *proc = opendir("/proc");
	struct dirent *e;
	bool busy = false;

	/* Where /proc cannot be read, somebody may work there. */
	if (!proc)
		return true;
	while (!busy && (e = readdir(proc))) {
		char link[300], cwd[4096];
		ssize_t len;

		if (*e->d_name < '1' || *e->d_name > '9')
			continue;
		snprintf(link, sizeof(link), "/proc/%s/cwd", e->d_name);
		len = readlink(link, cwd, sizeof(cwd) - 1);
		if (len < 0) {
			busy = errno == ENOMEM;
			continue;
		}
		cwd[len] = '\0';
		busy = !strcmp(cwd, path) &&
		       !is_below((pid_t)strtol(e->d_name, NULL, 10), v, n);
	}
	closedir(proc);
	return busy;
}

/* Is what was found a waiter's quarantine, or in one? */
static bool is_waiters(const char *found, const struct repo_waiter *v, size_t n)
{
	const char *name = strstr(found, "/tmp_objdir-");
	size_t i;

	for (i = 0; name && i < n; i++) {
		const char *own = strrchr(v[i].quarantine, '/');
		size_t len = own ? strlen(own) : 0;

		if (len && !strncmp(name, own, len) &&
		    (!name[len] || name[len] == '/'))
			return true;
	}
	return false;
}

bool repo_sweep(const char *path, const struct repo_waiter *v, size_t n)
{
	char *refs = xasprintf("%s/refs", path);
	char *objects = xasprintf("%s/objects", path);
	struct finds found = { NULL, 0 };
	bool busy;
	size_t i, left = 0;

	find_if(&found, refs, anything, is_lock);
	find_if(&found, path, nothing, is_lock);
	find_if(&found, objects, is_quarantine, is_quarantine);
	/* Who comes after the search makes others than those it found. */
	busy = found.n && is_busy(path, v, n);
	for (i = 0; i < found.n; i++)
		if (busy || is_waiters(found.v[i].path, v, n))
			free(found.v[i].path);
		else
			found.v[left++] = found.v[i];
	found.n = left;
	if (left)
		log_line("%s: removed what a crash left", path);
	finds_remove(&found);
	free(refs);
	free(objects);
	return !busy;
}

bool repo_owns_objects(const char *path, const char *dir)
{
	char *top = xasprintf("%s/objects", path);
	char *real_top = realpath(top, NULL), *real = realpath(dir, NULL);
	size_t len = real_top ? strlen(real_top) : 0;
	struct alternates a;
	bool owned;
	int i;

	owned = len && real && !strncmp(real, real_top, len) &&
		(real[len] == '\0' || real[len] == '/');
	alternates_recorded(&a, path);
	for (i = 0; i < a.n && real; i++)
		owned |= !strcmp(a.v[i], real);
	alternates_clear(&a);
	free(top);
	free(real_top);
	free(real);
	return owned;
}
