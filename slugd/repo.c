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
#include <sys/stat.h>
#include <unistd.h>

#include "err.h"
#include "log.h"
#include "mem.h"
#include "names.h"
#include "proc.h"
#include "text.h"

static const char *const hooks[] = {
	"pre-receive",
	"reference-transaction",
	"post-receive",
};

/*
 * What an app's repository is set to. The messages of fsck that are ignored
 * are of real old histories; all about names, modes and duplicates is not.
 */
static const char *const settings[][2] = {
	{ "core.fsync", "all" },
	{ "core.logAllRefUpdates", "always" },
	{ "gc.auto", "0" },
	{ "receive.autogc", "false" },
	{ "receive.fsckObjects", "true" },
	{ "receive.fsck.badDate", "ignore" },
	{ "receive.fsck.badEmail", "ignore" },
	{ "receive.fsck.badTimezone", "ignore" },
	{ "receive.fsck.missingEmail", "ignore" },
	{ "receive.fsck.missingSpaceBeforeDate", "ignore" },
	{ "receive.fsck.missingSpaceBeforeEmail", "ignore" },
	{ "receive.fsck.multipleAuthors", "ignore" },
	{ "receive.fsck.zeroPaddedFilemode", "ignore" },
	{ "receive.hideRefs", "refs/releases" },
	{ "receive.maxInputSize", "2g" },
	{ "receive.shallowUpdate", "true" },
};

/* No settings but the repository's own, and no replaced objects. */
static const char *const git_env[] = {
	"PATH=/usr/local/bin:/usr/bin:/bin",
	"HOME=/",
	"LC_ALL=C",
	"GIT_CONFIG_NOSYSTEM=1",
	"GIT_CONFIG_GLOBAL=/dev/null",
	"GIT_NO_REPLACE_OBJECTS=1",
	"GIT_TERMINAL_PROMPT=0",
	NULL,
};

/* Run git on the repository; args end with NULL. Output as proc_capture(). */
static int git(const char *path, char **out, const char *const *args)
{
	const char *argv[16] = { GIT_PROGRAM };
	struct proc_spec spec = { .argv = argv, .env = git_env };
	char *git_dir = xasprintf("--git-dir=%s", path);
	size_t n = 1;
	int rc;

	argv[n++] = git_dir;
	while (*args && n < sizeof(argv) / sizeof(argv[0]) - 1)
		argv[n++] = *args++;
	rc = proc_capture(out, NULL, &spec);
	free(git_dir);
	return rc;
}

#define GIT(path, out, ...)                                                    \
 git(path, out, (const char *const[]){ __VA_ARGS__, NULL })

/* The link that hook name is, or should be. Caller frees. */
static char *hook_path(const char *path, const char *name)
{
	return xasprintf("%s/hooks/%s", path, name);
}

/* A hook that is there and not ours is the admin's own. */
static int check_hook(const char *path, const char *name)
{
	char *hook = hook_path(path, name), *target = proc_helper(name);
	char link[4096];
	ssize_t n = readlink(hook, link, sizeof(link) - 1);
	struct stat st;
	int rc = 0;

	if (n >= 0)
		link[n] = '\0';
	if (lstat(hook, &st) && errno == ENOENT)
		goto done;
	if (n < 0 || (strcmp(link, target) && access(hook, F_OK) == 0))
		rc = err_set(ERR_INVALID,
			     "%s has a hook of its own: hooks/%s. slugd needs "
			     "that place; move the hook away first",
			     path, name);
done:
	free(hook);
	free(target);
	return rc;
}

/* Can slugd work with the repository at path? */
static int check_repo(const char *path)
{
	char *out = NULL;
	size_t i;
	int rc;

	rc = GIT(path, &out, "rev-parse", "--is-bare-repository");
	if (rc)
		return err_set(ERR_INVALID, "%s is not a git repository", path);
	if (strcmp(out, "true\n"))
		rc = err_set(ERR_INVALID, "%s is not a bare repository", path);
	free(out);
	out = NULL;
	if (!rc && !GIT(path, &out, "config", "--get-regexp",
			"^(extensions\\..*|core\\.hookspath)$"))
		rc = err_set(ERR_INVALID,
			     "%s has a setting that slugd cannot work with: "
			     "%.*s",
			     path, (int)strcspn(out, "\n"), out);
	free(out);
	for (i = 0; i < sizeof(hooks) / sizeof(hooks[0]) && !rc; i++)
		rc = check_hook(path, hooks[i]);
	return rc;
}

static int replace_link(const char *target, const char *link)
{
	if (unlink(link) && errno != ENOENT)
		return err_sys("%s", link);
	if (symlink(target, link))
		return err_sys("%s", link);
	return 0;
}

static int set_up(const char *path, const char *app, const char *socket)
{
	char *dir = xasprintf("%s/hooks", path);
	char *sock = xasprintf("%s/slugd.sock", path);
	size_t i;
	int rc = 0;

	if (mkdir(dir, 0777) && errno != EEXIST)
		rc = err_sys("%s", dir);
	for (i = 0; i < sizeof(hooks) / sizeof(hooks[0]) && !rc; i++) {
		char *link = hook_path(path, hooks[i]);
		char *target = proc_helper(hooks[i]);

		rc = replace_link(target, link);
		free(link);
		free(target);
	}
	if (!rc)
		rc = replace_link(socket, sock);
	for (i = 0; i < sizeof(settings) / sizeof(settings[0]) && !rc; i++)
		rc = GIT(path, NULL, "config", settings[i][0], settings[i][1]);
	if (!rc)
		rc = GIT(path, NULL, "config", "slugd.app", app);
	if (!rc)
		rc = GIT(path, NULL, "config", "slugd.socket", socket);
	free(dir);
	free(sock);
	return rc;
}

int repo_adopt(const char *path, const char *app, const char *socket,
	       bool *fresh)
{
	struct stat st;
	int rc;

	*fresh = false;
	if (!stat(path, &st)) {
		rc = check_repo(path);
	} else if (errno == ENOENT) {
		rc = GIT(path, NULL, "init", "-q", "--bare",
			 "--template=", "--initial-branch=master");
		*fresh = !rc;
	} else {
		rc = err_sys("%s", path);
	}
	if (!rc)
		rc = set_up(path, app, socket);
	if (rc && *fresh)
		repo_remove(path);
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

int repo_ref_is_at(const char *path, const char *ref, const char *oid,
		   bool *yes)
{
	char *out = NULL;
	int rc = GIT(path, &out, "for-each-ref", "--format=%(objectname)", ref);

	if (rc)
		return rc;
	out[strcspn(out, "\n")] = '\0';
	*yes = !strcmp(*out ? out : NAME_ZERO_OID, oid);
	free(out);
	return 0;
}

int repo_commit(const char *path, const char *rev, char **out)
{
	char *name = xasprintf("%s^{commit}", rev), *shown;
	int rc = GIT(path, out, "rev-parse", "--verify", "-q",
		     "--end-of-options", name);

	free(name);
	if (!rc) {
		(*out)[strcspn(*out, "\n")] = '\0';
		return name_check_oid(*out);
	}
	shown = text_cell(rev, 60);
	rc = err_set(ERR_NOTFOUND, "the app's repository has no commit %s",
		     shown);
	free(shown);
	return rc;
}

int repo_tip(const char *path, char *const *branches, char **out)
{
	for (; *branches; branches++) {
		char *ref = xasprintf("refs/heads/%s", *branches);
		int rc = repo_commit(path, ref, out);

		free(ref);
		if (!rc)
			return 0;
	}
	return err_set(ERR_NOTFOUND, "nothing was pushed yet");
}

int64_t repo_reflog_size(const char *path, const char *ref)
{
	char *log = xasprintf("%s/logs/%s", path, ref);
	struct stat st;
	int64_t size = stat(log, &st) ? 0 : st.st_size;

	free(log);
	return size;
}

bool repo_reflog_has(const char *path, const char *ref, const char *old,
		     const char *new, int64_t since)
{
	char *log = xasprintf("%s/logs/%s", path, ref);
	char *want = xasprintf("%s %s ", old, new), *line = NULL;
	FILE *f = fopen(log, "re");
	bool found = false;
	size_t size = 0;

	/* A reflog that became shorter was rewritten: all of it counts. */
	if (f && repo_reflog_size(path, ref) >= since)
		fseeko(f, since, SEEK_SET);
	while (f && !found && getline(&line, &size, f) > 0)
		found = !strncmp(line, want, strlen(want));
	if (f)
		fclose(f);
	free(line);
	free(want);
	free(log);
	return found;
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

/* fsync a folder; one that is not there has nothing to lose. */
static int sync_folder(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR
			       ? 0
			       : err_sys("%s", path);
	if (fsync(fd))
		rc = err_sys("fsync %s", path);
	close(fd);
	return rc;
}

/* The folder of top/name, and those above it up to top. */
static int sync_parents(const char *top, const char *name)
{
	char *path = xasprintf("%s/%s", top, name), *slash;
	int rc = 0;

	while (!rc && (slash = strrchr(path, '/')) &&
	       (size_t)(slash - path) >= strlen(top)) {
		*slash = '\0';
		rc = sync_folder(path);
	}
	free(path);
	return rc;
}

static int sync_all(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;

	if (fd < 0 || syncfs(fd))
		rc = err_sys("%s", path);
	if (fd >= 0)
		close(fd);
	return rc;
}

int repo_sync(const char *path, const char *ref, const char *folders)
{
	char *log, *copy, *save = NULL, *name;
	int rc;

	if (!folders)
		return sync_all(path);
	log = xasprintf("logs/%s", ref);
	rc = sync_parents(path, ref);
	if (!rc)
		rc = sync_parents(path, log);
	free(log);
	copy = xstrdup(folders);
	for (name = strtok_r(copy, " ", &save); name && !rc;
	     name = strtok_r(NULL, " ", &save)) {
		char *below = xasprintf("objects/%s/x", name);

		rc = sync_parents(path, below);
		free(below);
	}
	free(copy);
	return rc;
}

int repo_keep(const char *path, int64_t version, const char *commit)
{
	char *ref = xasprintf("refs/releases/v%" PRId64, version);
	int rc = GIT(path, NULL, "-c", "core.hooksPath=/dev/null", "update-ref",
		     "--no-deref", ref, commit);

	free(ref);
	return rc;
}

int repo_kept(const char *path, char **out)
{
	return GIT(path, out, "for-each-ref", "--format=%(refname:lstrip=2)",
		   "refs/releases/");
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

/* Does some process have the repository as its working folder? */
static bool is_busy(const char *path)
{
	DIR *proc = opendir("/proc");
	struct dirent *e;
	bool busy = false;

	while (proc && !busy && (e = readdir(proc))) {
		char link[300], cwd[4096];
		ssize_t n;

		if (*e->d_name < '1' || *e->d_name > '9')
			continue;
		snprintf(link, sizeof(link), "/proc/%s/cwd", e->d_name);
		n = readlink(link, cwd, sizeof(cwd) - 1);
		if (n < 0)
			continue;
		cwd[n] = '\0';
		busy = !strcmp(cwd, path);
	}
	if (proc)
		closedir(proc);
	return busy;
}

bool repo_sweep(const char *path)
{
	char *refs = xasprintf("%s/refs", path);
	char *objects = xasprintf("%s/objects", path);
	struct finds found = { NULL, 0 };
	bool busy;
	size_t i;

	find_if(&found, refs, anything, is_lock);
	find_if(&found, path, nothing, is_lock);
	find_if(&found, objects, is_quarantine, is_quarantine);
	/* Who comes after the search makes others than those it found. */
	busy = found.n && is_busy(path);
	if (!busy && found.n)
		log_line("%s: removed what a crash left", path);
	for (i = 0; busy && i < found.n; i++)
		free(found.v[i].path);
	if (busy)
		found.n = 0;
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
	bool owned;

	owned = len && real && !strncmp(real, real_top, len) &&
		(real[len] == '\0' || real[len] == '/');
	free(top);
	free(real_top);
	free(real);
	return owned;
}
