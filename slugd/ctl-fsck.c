/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "config.h"
#include "ctl.h"
#include "err.h"
#include "fsck.h"
#include "ledger.h"
#include "mem.h"
#include "repo-mend.h"
#include "slugs.h"
#include "text.h"

/* "3 apps, 12 releases" */
static int count(struct ledger *l, size_t *apps, int64_t *releases)
{
	struct release *last;
	struct app **v = NULL;
	size_t i;
	int rc = ledger_apps(l, &v, apps);

	*releases = 0;
	for (i = 0; i < *apps && !rc; i++) {
		last = NULL;
		if (!ledger_release_last(l, v[i]->id, &last))
			*releases += last->version;
		release_free(last);
	}
	apps_free(v, *apps);
	return rc;
}

static int check_ledger(struct ledger *l)
{
	unsigned broken = 0;
	int rc = ledger_check(l, stdout, &broken);

	if (!rc && broken)
		rc = err_set(ERR_FAILED,
			     "%u invariant%s of the ledger %s "
			     "broken",
			     broken, broken == 1 ? "" : "s",
			     broken == 1 ? "is" : "are");
	return rc;
}

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

/* How it went; an error where slugs stay broken. */
static int sum_up(const struct fsck *f)
{
	int64_t releases = 0;
	size_t apps = 0;
	int rc = count(f->ledger, &apps, &releases);

	if (rc)
		return rc;
	if (f->broken)
		return err_set(ERR_FAILED, "%zu of %zu slug%s %s damaged",
			       f->broken, f->slugs, plural(f->slugs),
			       f->broken == 1 ? "is" : "are");
	if (f->mended)
		printf("%zu slug%s mended: all of them are whole now\n",
		       f->mended, plural(f->mended));
	printf("ledger ok: %zu app%s, %" PRId64 " release%s", apps,
	       plural(apps), releases, plural((size_t)releases));
	if (f->slugs)
		printf(", %zu slug%s", f->slugs, plural(f->slugs));
	putchar('\n');
	return 0;
}

/* A ledger from a backup may not have one yet. */
static int open_store(const struct ctl *ctl, struct slug_store **out)
{
	if (!ctl->option)
		return slugs_open_folder(out, ctl->dir);
	*out = slugs_at_folder(ctl->dir);
	return 0;
}

/* What is checked must not be let go meanwhile. */
static int check_slugs(const struct ctl *ctl, struct ledger *l)
{
	struct fsck f = { .dir = ctl->dir,
			  .ledger = l,
			  .dry_run = ctl->option };
	struct slug_store *store = NULL;
	struct config *config = NULL;
	int lock = -1, rc = ctl_read_config(ctl, &config);

	f.config = config;
	if (!rc)
		rc = open_store(ctl, &store);
	if (!rc)
		rc = slugs_lock(store, false, &lock);
	if (!rc)
		rc = fsck_slugs(&f);
	if (!rc)
		rc = sum_up(&f);
	if (store)
		slugs_unlock(store, lock);
	slugs_close(store);
	config_free(config);
	fsck_release(&f);
	return rc;
}

static void say_app(const struct app *app, const char *words)
{
	char *safe = text_escape(words);

	printf("app %s: %s\n", app->name, safe);
	free(safe);
}

/* Does git take it for a repository? Where it is gone, check says so. */
static bool is_sound(const struct ctl *ctl, const struct app *app)
{
	struct repo_torn torn;
	char *words, *dir, *line;
	int rc = repo_find_torn(app->repo, &torn);

	if (rc == ERR_NOTFOUND || (!rc && !torn.head && !torn.config))
		return true;
	if (rc) {
		say_app(app, err_msg());
		return false;
	}
	words = repo_torn_words(&torn);
	dir = text_shell_word(ctl->dir);
	line = xasprintf("%s; mend with: slugctl -d %s repair %s", words, dir,
			 app->name);
	say_app(app, line);
	free(line);
	free(dir);
	free(words);
	return false;
}

static int check_repos(const struct ctl *ctl, struct ledger *l)
{
	struct app **v = NULL;
	size_t n = 0, i, bad = 0;
	int rc = ledger_apps(l, &v, &n);

	for (i = 0; i < n && !rc; i++)
		bad += !is_sound(ctl, v[i]);
	apps_free(v, n);
	if (!rc && bad)
		rc = err_set(ERR_FAILED, "%zu of %zu repositories %s damaged",
			     bad, n, bad == 1 ? "is" : "are");
	return rc;
}

int ctl_fsck(const struct ctl *ctl)
{
	struct ledger *l = NULL;
	int rc = 0;

	if (!ctl->option)
		rc = ctl_become_owner(ctl);
	if (!rc)
		rc = ctl_open_ledger(ctl, &l);
	if (!rc)
		rc = check_ledger(l);
	if (!rc)
		rc = check_slugs(ctl, l);
	if (!rc)
		rc = check_repos(ctl, l);
	ledger_close(l);
	return rc;
}
