/* SPDX-License-Identifier: ISC */
#include "repo-hooks.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "err.h"
#include "mem.h"
#include "proc.h"
#include "repo.h"

static const char *const hooks[] = {
	"pre-receive",
	"reference-transaction",
	"post-receive",
};

#define NR_HOOKS (sizeof(hooks) / sizeof(hooks[0]))

/* Hooks that git runs for a push beside these; a hooksPath may get them. */
static const char *const others[] = { "update", "post-update", "proc-receive",
				      "push-to-checkout" };

static char *hook_path(const char *repo, const char *name)
{
	return xasprintf("%s/hooks/%s", repo, name);
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

/* One value of the repository's configuration; NULL: none. Caller frees. */
static char *get_config(const char *repo, const char *key)
{
	char *file = xasprintf("%s/config", repo), *out = NULL;

	if (REPO_GIT(repo, &out, "config", "--file", file, "--includes",
		     "--get", key))
		out = NULL;
	else
		out[strcspn(out, "\n")] = '\0';
	free(file);
	return out;
}

/*
 * The core.hooksPath of the admin's own, absolute, or NULL. The one that
 * slugd set, be it where the repository was once, is none.
 */
static char *own_hooks_path(const char *repo)
{
	char *value = get_config(repo, "core.hooksPath");
	char *ours = get_config(repo, "slugd.hooks");

	if (value && ours && !strcmp(value, ours))
		str_replace(&value, NULL);
	else if (value && *value != '/')
		str_replace(&value, xasprintf("%s/%s", repo, value));
	free(ours);
	return value;
}

/* Is a link there that slugd made, be it one of another place? */
static bool is_ours(const char *repo, const char *name)
{
	char *hook = hook_path(repo, name), *helper = proc_helper(name);
	char *app = get_config(repo, "slugd.app");
	struct stat st;
	bool ours;

	ours = repo_is_link(hook, helper) ||
	       (!lstat(hook, &st) && S_ISLNK(st.st_mode) &&
		(app || access(hook, F_OK)));
	free(app);
	free(helper);
	free(hook);
	return ours;
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
	char *path = own_hooks_path(repo);
	int rc = 0;
	size_t i;

	if (path && !chain)
		rc = err_set(ERR_INVALID,
			     "%s has a core.hooksPath: %s. slugd needs hooks "
			     "of its own; --chain-hooks keeps those there, "
			     "and runs them first",
			     repo, path);
	for (i = 0; i < NR_HOOKS && !rc; i++) {
		if (!is_own(repo, hooks[i]))
			continue;
		if (chain && !path)
			rc = check_chained(repo, hooks[i]);
		else if (!chain)
			rc = err_set(ERR_INVALID,
				     "%s has a hook of its own: hooks/%s. "
				     "slugd needs that place; --chain-hooks "
				     "keeps the hook, and runs it first",
				     repo, hooks[i]);
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

/* hooks/NAME, or hooks/NAME.chained, becomes a link to PATH/NAME. */
static int link_other(const char *repo, const char *path, const char *name,
		      const char *suffix)
{
	char *link = xasprintf("%s/hooks/%s%s", repo, name, suffix);
	char *target = xasprintf("%s/%s", path, name);
	struct stat st;
	int rc = 0;

	/* What lies there was not in use. */
	if (!*suffix && !lstat(link, &st) && !S_ISLNK(st.st_mode))
		rc = move(repo, name, "unused");
	if (!rc)
		rc = repo_link(target, link);
	free(target);
	free(link);
	return rc;
}

/*
 * A folder of hooks elsewhere: ours run its three, links stand for the
 * others, so that it can be changed as before.
 */
static int chain_path(const char *repo, const char *path)
{
	size_t i;
	int rc = REPO_GIT(repo, NULL, "config", "slugd.hooksPath", path);

	for (i = 0; i < NR_HOOKS && !rc; i++) {
		if (is_own(repo, hooks[i]))
			rc = move(repo, hooks[i], "unused");
		if (!rc)
			rc = link_other(repo, path, hooks[i], ".chained");
	}
	for (i = 0; i < sizeof(others) / sizeof(others[0]) && !rc; i++)
		rc = link_other(repo, path, others[i], "");
	return rc;
}

int repo_hooks_install(const char *repo, bool chain)
{
	char *dir = xasprintf("%s/hooks", repo);
	char *path = own_hooks_path(repo);
	size_t i;
	int rc = 0;

	if (mkdir(dir, 0777) && errno != EEXIST)
		rc = err_sys("%s", dir);
	if (!rc && chain && path)
		rc = chain_path(repo, path);
	for (i = 0; i < NR_HOOKS && !rc; i++) {
		char *link = hook_path(repo, hooks[i]);
		char *target = proc_helper(hooks[i]);

		if (chain && is_own(repo, hooks[i]))
			rc = move(repo, hooks[i], "chained");
		if (!rc)
			rc = repo_link(target, link);
		free(link);
		free(target);
	}
	/* Said here, a hooksPath of the user's own settings is none. */
	if (!rc)
		rc = REPO_GIT(repo, NULL, "config", "slugd.hooks", dir);
	if (!rc)
		rc = REPO_GIT(repo, NULL, "config", "--replace-all",
			      "core.hooksPath", dir);
	free(path);
	free(dir);
	return rc;
}

/* What is wrong with one, in words; NULL: nothing. Caller frees. */
static char *fault(const char *repo, const char *name)
{
	char *hook = hook_path(repo, name), *helper = proc_helper(name);
	char *words = NULL;
	struct stat st;

	if (lstat(hook, &st))
		words = xasprintf("hooks/%s is missing", name);
	else if (!repo_is_link(hook, helper))
		words = xasprintf("hooks/%s is %s", name,
				  is_ours(repo, name)
					  ? "of another installation of slugd"
					  : "not slugd's");
	free(helper);
	free(hook);
	return words;
}

void repo_hooks_check(const char *repo, repo_finding_fn fn, void *ctx)
{
	size_t i;

	for (i = 0; i < NR_HOOKS; i++) {
		char *words = fault(repo, hooks[i]);

		if (words)
			fn(ctx, words, true);
		free(words);
	}
}
