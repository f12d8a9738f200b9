/* SPDX-License-Identifier: ISC */
#include "repo-hooks.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "err.h"
#include "file.h"
#include "mem.h"
#include "proc.h"
#include "repo.h"
#include "text.h"

/* What core.hooksPath is: git looks from the repository. */
#define HOOKS_PATH "slugd.hooks"

/* The first lines of a hook; whatever has the second is slugd's. */
#define MARK                                                                   \
 "# slugd's hook: see slugd-hooks(5). \"slugctl repair\" makes it anew.\n"

/* A format, of the helper's path as a word. */
#define HEAD                                                                    \
 "#!/bin/sh\n" MARK "hook=%s\n"                                                 \
 "[ -x \"$hook\" ] || {\n"                                                      \
 "\techo \" !     $hook is not there: slugd was removed, or installed \"\\\n"   \
 "\t\t\"elsewhere.\" >&2\n"                                                     \
 "\techo \" !     Nothing is deployed. On the server, install slugd and \"\\\n" \
 "\t\t\"run: slugctl repair\" >&2\n"                                            \
 "\texit 1\n"                                                                   \
 "}\n"

/* Where there is none of the admin's own, one state of a ref matters. */
#define COMMITTED                                                              \
 "own=hooks/reference-transaction.chained\n"                                   \
 "[ \"$1\" = committed ] || [ -e $own ] || [ -h $own ] || exit 0\n"

#define EXEC "exec \"$hook\" \"$@\"\n"

static const struct hook {
	const char *name, *text;
	const char *file; /* in HOOKS_PATH */
} hooks[] = {
	{ "pre-receive", HEAD EXEC, "pre-receive" },
	/* See the header, of the second file. */
	{ "reference-transaction", HEAD COMMITTED EXEC,
	  "reference-transaction.idle" },
	{ "post-receive", HEAD EXEC, "post-receive" },
};

#define NR_HOOKS (sizeof(hooks) / sizeof(hooks[0]))
#define MAX_HOOK 4096 /* bytes; ours have fewer */

/* Hooks that git runs for a push beside these; a hooksPath may get them. */
static const char *const others[] = { "update", "post-update", "proc-receive",
				      "push-to-checkout" };

static char *hook_path(const char *repo, const char *name)
{
	return xasprintf("%s/hooks/%s", repo, name);
}

/* Where git finds the hook. */
static char *our_path(const char *repo, const char *file)
{
	return xasprintf("%s/" HOOKS_PATH "/%s", repo, file);
}

bool repo_is_link(const char *link, const char *target)
{
	char buf[4096];
	ssize_t n = readlink(link, buf, sizeof(buf) - 1);

	if (n < 0)
		return false;
	buf[n] = '\0';
	return !strcmp(buf, target);
}

int repo_link(const char *target, const char *link)
{
	char *fresh = xasprintf("%s.new", link);
	int rc = 0;

	if ((unlink(fresh) && errno != ENOENT) || symlink(target, fresh) ||
	    rename(fresh, link))
		rc = err_sys("%s", link);
	free(fresh);
	return rc;
}

/*
 * One value of the repository's configuration into *out, NULL where there is
 * none. Caller frees. Errors: where git could not tell.
 */
static int get_config(const char *repo, const char *key, char **out)
{
	char *file = xasprintf("%s/config", repo), *value = NULL;
	bool there = false;
	int rc = REPO_ASK(repo, &there, &value, "config", "--file", file,
			  "--includes", "--get", key);

	*out = NULL;
	if (!rc && there) {
		value[strcspn(value, "\n")] = '\0';
		*out = value;
		value = NULL;
	}
	free(value);
	free(file);
	return rc;
}

/* git takes "~" for the home of whoever pushes, which is nobody's here. */
static int check_hooks_path(const char *repo, const char *value)
{
	if (!value || *value != '~')
		return 0;
	return err_set(ERR_INVALID,
		       "%s has a core.hooksPath: %s. Write it as an absolute "
		       "path",
		       repo, value);
}

/*
 * The core.hooksPath of the admin's own into *out, or NULL; where it is not
 * absolute, it is a path from the repository, as hooks see it. The one that slugd set, be it where the repository was once, is none. Caller frees.
 * Errors: ERR_INVALID, and where git could not tell.
 */
static int own_hooks_path(const char *repo, char **out)
{
	char *value = NULL, *ours = NULL;
	size_t len = strlen(repo);
	const char *name;
	int rc = get_config(repo, "core.hooksPath", &value);

	*out = NULL;
	if (!rc)
		rc = get_config(repo, "slugd.hooks", &ours);
	if (!rc)
		rc = check_hooks_path(repo, value);
	if (rc) {
		free(value);
		free(ours);
		return rc;
	}
	if (value && ours && !strcmp(value, ours))
		str_replace(&value, NULL);
	/* The repository's own folder, said in full or not, is no other. */
	name = value;
	if (value && !strncmp(value, repo, len) && value[len] == '/')
		name = value + len + 1;
	if (name && (!strcmp(name, HOOKS_PATH) || !strcmp(name, "hooks")))
		str_replace(&value, NULL);
	free(ours);
	*out = value;
	return 0;
}

/* What the hook is to be. Caller frees. */
static char *hook_text(const struct hook *h)
{
	char *helper = proc_helper(h->name), *word = text_shell_word(helper);
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		abort();
/* The formats are those of the table above. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	fprintf(f, h->text, word);
#pragma GCC diagnostic pop
	fclose(f);
	free(word);
	free(helper);
	return text;
}

/* The beginning of the plain file that the hook is; NULL: it is none. */
static char *read_hook(const char *path)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char *text = NULL;
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return NULL;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode)) {
		text = xcalloc(MAX_HOOK + 1, 1);
		n = read(fd, text, MAX_HOOK);
		text[n > 0 ? n : 0] = '\0';
	}
	close(fd);
	return text;
}

static bool is_old(const char *repo, const char *path)
{
	char *app = NULL;
	struct stat st;
	/* Where git cannot tell, it is taken for the admin's own. */
	int rc = get_config(repo, "slugd.app", &app);
	bool old = !rc && !lstat(path, &st) && S_ISLNK(st.st_mode) &&
		   (app || access(path, F_OK));

	free(app);
	return old;
}

/* Did slugd make it, be it an older one, or one of another place? */
static bool is_ours(const char *repo, const char *name)
{
	char *hook = hook_path(repo, name), *text = read_hook(hook);
	bool ours = text ? strstr(text, MARK) != NULL : is_old(repo, hook);

	free(text);
	free(hook);
	return ours;
}

bool repo_hooks_are_old(const char *repo)
{
	char *hook = hook_path(repo, hooks[0].name);
	bool old = is_old(repo, hook);

	free(hook);
	return old;
}

/* A hook that is there and not ours is the admin's own. */
static bool is_own(const char *repo, const char *name)
{
	char *hook = hook_path(repo, name);
	struct stat st;
	bool own = !lstat(hook, &st) && !is_ours(repo, name);

	free(hook);
	return own;
}

/* With --chain-hooks: the place that an own hook moves to must be free. */
static int check_chained(const char *repo, const char *name)
{
	char *chained = xasprintf("%s/hooks/%s.chained", repo, name);
	struct stat st;
	int rc = 0;

	if (!lstat(chained, &st))
		rc = err_set(ERR_CONFLICT,
			     "%s has both hooks/%s and hooks/%s.chained; "
			     "remove one of them",
			     repo, name, name);
	free(chained);
	return rc;
}

int repo_hooks_are_free(const char *repo, bool chain)
{
	char *path = NULL;
	int rc = own_hooks_path(repo, &path);
	size_t i;

	if (!rc && path && !chain)
		rc = err_set(ERR_INVALID,
			     "%s has a core.hooksPath: %s. slugd needs hooks "
			     "of its own; --chain-hooks keeps those there, "
			     "and runs them first",
			     repo, path);
	for (i = 0; i < NR_HOOKS && !rc; i++) {
		if (!is_own(repo, hooks[i].name))
			continue;
		if (chain && !path)
			rc = check_chained(repo, hooks[i].name);
		else if (!chain)
			rc = err_set(ERR_INVALID,
				     "%s has a hook of its own: hooks/%s. "
				     "slugd needs that place; --chain-hooks "
				     "keeps the hook, and runs it first",
				     repo, hooks[i].name);
	}
	free(path);
	return rc;
}

static int move(const char *repo, const char *name, const char *suffix)
{
	char *from = hook_path(repo, name);
	char *to = xasprintf("%s.%s", from, suffix);
	int rc = rename(from, to) ? err_sys("%s", from) : 0;

	free(from);
	free(to);
	return rc;
}

/* hooks/NAME.chained becomes a link to PATH/NAME. */
static int chain_hook(const char *repo, const char *path, const char *name)
{
	char *link = xasprintf("%s/hooks/%s.chained", repo, name);
	char *target = xasprintf("%s/%s", path, name);
	int rc = repo_link(target, link);

	free(target);
	free(link);
	return rc;
}

/*
 * git runs what is in slugd.hooks: the hooks beside ours start those that are
 * where they have been, under the name that they had. As a start costs git
 * time for each ref, one for the folder hooks/ is put in its place by
 * pre-receive, where there is such a hook.
 */
static int pass_others(const char *repo, const char *path)
{
	int rc = 0;
	size_t i;

	for (i = 0; i < sizeof(others) / sizeof(others[0]) && !rc; i++) {
		char *name = xasprintf("%s%s", others[i], path ? "" : ".idle");
		char *file = our_path(repo, name);
		char *hook =
			xasprintf("%s/%s", path ? path : "hooks", others[i]);
		char *word = text_shell_word(hook);
		char *text = xasprintf("#!/bin/sh\n" MARK
				       "[ ! -x %s ] || exec %s \"$@\"\n",
				       word, word);

		rc = file_replace(file, text, strlen(text), 0755);
		/* Else pre-receive takes it for one of hooks/. */
		str_replace(&file, xasprintf("%s.idle", file));
		if (!rc && path)
			rc = file_remove(file);
		free(text);
		free(word);
		free(hook);
		free(file);
		free(name);
	}
	return rc;
}

/* A folder of hooks elsewhere: ours run its three first. */
static int chain_path(const char *repo, const char *path)
{
	size_t i;
	int rc = REPO_GIT(repo, NULL, "config", "slugd.hooksPath", path);

	for (i = 0; i < NR_HOOKS && !rc; i++) {
		if (is_own(repo, hooks[i].name))
			rc = move(repo, hooks[i].name, "unused");
		if (!rc)
			rc = chain_hook(repo, path, hooks[i].name);
	}
	return rc;
}

/* One of ours, and nothing in the place that it once had. */
static int install(const char *repo, const struct hook *h, bool chain)
{
	char *file = our_path(repo, h->file), *text = hook_text(h);
	char *old = hook_path(repo, h->name);
	struct stat st;
	int rc = 0;

	if (chain && is_own(repo, h->name))
		rc = move(repo, h->name, "chained");
	else if (!lstat(old, &st) && is_ours(repo, h->name))
		rc = file_remove(old);
	if (!rc)
		rc = file_replace(file, text, strlen(text), 0755);
	free(old);
	free(text);
	free(file);
	return rc;
}

/* One of the admin's own is to see all states of all refs. */
static int install_transaction(const char *repo)
{
	char *own = xasprintf("%s/hooks/reference-transaction.chained", repo);
	char *idle = our_path(repo, "reference-transaction.idle");
	char *live = our_path(repo, "reference-transaction");
	struct stat st;
	int rc = 0;

	if (unlink(live) && errno != ENOENT)
		rc = err_sys("%s", live);
	if (!rc && !lstat(own, &st) && link(idle, live))
		rc = err_sys("%s", live);
	free(live);
	free(idle);
	free(own);
	return rc;
}

int repo_hooks_install(const char *repo, bool chain)
{
	char *dir = our_path(repo, ""), *theirs = hook_path(repo, "");
	char *path = NULL, *kept = NULL;
	size_t i;
	int rc = own_hooks_path(repo, &path);

	/* A folder elsewhere that was chained once still is. */
	if (!rc)
		rc = get_config(repo, "slugd.hooksPath", &kept);
	if (path)
		str_replace(&kept, xstrdup(path));
	if (!rc && ((mkdir(dir, 0755) && errno != EEXIST) ||
		    (mkdir(theirs, 0755) && errno != EEXIST)))
		rc = err_sys("%s", dir);
	if (!rc && chain && path)
		rc = chain_path(repo, path);
	if (!rc && (chain || !path))
		rc = pass_others(repo, kept);
	for (i = 0; i < NR_HOOKS && !rc; i++)
		rc = install(repo, &hooks[i], chain);
	if (!rc)
		rc = install_transaction(repo);
	/* Said here, a hooksPath of the user's own settings is none. */
	if (!rc)
		rc = REPO_GIT(repo, NULL, "config", "slugd.hooks", HOOKS_PATH);
	if (!rc)
		rc = REPO_GIT(repo, NULL, "config", "--replace-all",
			      "core.hooksPath", HOOKS_PATH);
	free(kept);
	free(path);
	free(theirs);
	free(dir);
	return rc;
}

/* What is wrong with one, in words; NULL: nothing. Caller frees. */
static char *fault(const char *repo, const struct hook *h)
{
	char *file = our_path(repo, h->file), *text = read_hook(file);
	char *wanted = hook_text(h), *words = NULL;
	struct stat st;

	if (lstat(file, &st))
		words = xasprintf(HOOKS_PATH "/%s is missing", h->file);
	else if (!text || strcmp(text, wanted) != 0)
		words = xasprintf(HOOKS_PATH "/%s is %s", h->file,
				  text && strstr(text, MARK)
					  ? "of another installation of slugd"
					  : "not slugd's");
	else if (access(file, X_OK))
		words = xasprintf(HOOKS_PATH "/%s cannot be executed", h->file);
	else if (is_own(repo, h->name))
		words = xasprintf("hooks/%s is not run: slugd's hooks are "
				  "in " HOOKS_PATH,
				  h->name);
	free(wanted);
	free(text);
	free(file);
	return words;
}

/* The folder of the admin's own hooks must be there, or none is run. */
static void check_folder(const char *repo, repo_finding_fn fn, void *ctx)
{
	char *path = NULL, *full = NULL, *words;

	if (get_config(repo, "slugd.hooksPath", &path)) {
		fn(ctx, err_msg(), false);
	} else if (path) {
		full = *path == '/' ? xstrdup(path)
				    : xasprintf("%s/%s", repo, path);
		if (access(full, F_OK)) {
			words = xasprintf("the folder of its own hooks, %s, "
					  "is not there: none of them is run",
					  full);
			fn(ctx, words, false);
			free(words);
		}
	}
	free(full);
	free(path);
}

void repo_hooks_check(const char *repo, repo_finding_fn fn, void *ctx)
{
	size_t i;

	check_folder(repo, fn, ctx);
	for (i = 0; i < NR_HOOKS; i++) {
		char *words = fault(repo, &hooks[i]);

		if (words)
			fn(ctx, words, true);
		free(words);
	}
}
