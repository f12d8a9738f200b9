/* SPDX-License-Identifier: ISC */
#include "ledger-kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "mem.h"
#include "unit.h"

#define ZEROS "0000000000000000000000000000000000000000"
#define REF   "refs/heads/master"
#define USER  "ada"

int kit_setup(void **state)
{
	struct kit *k = xcalloc(1, sizeof(*k));
	const char *tmp = getenv("TMPDIR");
	struct app *app = NULL;

	snprintf(k->dir, sizeof(k->dir), "%s/ledger.XXXXXX",
		 tmp && strlen(tmp) < 40 ? tmp : "/tmp");
	assert_non_null(mkdtemp(k->dir));
	k->path = xasprintf("%s/ledger.db", k->dir);
	assert_int_equal(ledger_open(&k->ledger, k->path), 0);
	assert_int_equal(ledger_app_create(k->ledger, "myapp", "/r/myapp.git",
					   5100, USER, &app),
			 0);
	k->app = app->id;
	app_free(app);
	*state = k;
	return 0;
}

int kit_teardown(void **state)
{
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	struct kit *k = *state;
	size_t i;

	ledger_close(k->ledger);
	for (i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		char *path = xasprintf("%s%s", k->path, suffixes[i]);

		unlink(path);
		free(path);
	}
	rmdir(k->dir);
	free(k->path);
	free(k);
	return 0;
}

void kit_reopen(struct kit *k)
{
	ledger_close(k->ledger);
	k->ledger = NULL;
	assert_int_equal(ledger_open(&k->ledger, k->path), 0);
}

int64_t kit_last(struct kit *k)
{
	struct release *r = NULL;
	int64_t version;

	assert_int_equal(ledger_release_last(k->ledger, k->app, &r), 0);
	version = r->version;
	release_free(r);
	return version;
}

struct release *kit_release(struct kit *k, int64_t version)
{
	char *name = xasprintf("v%lld", (long long)version);
	struct release *r = NULL;

	assert_int_equal(ledger_release(k->ledger, k->app, name, &r), 0);
	free(name);
	return r;
}

static struct slug *new_slug(const struct kit *k, const char *commit)
{
	struct slug *s = xcalloc(1, sizeof(*s));

	id_random(s->uuid);
	s->app = k->app;
	s->commit = xstrdup(commit);
	s->commit_description = xstrdup("");
	s->size = 1;
	s->tree_size = 2;
	s->process_types = json_make("{s:s}", "web", "true");
	return s;
}

static struct build *new_build(const struct slug *slug)
{
	struct build *b = xcalloc(1, sizeof(*b));

	id_random(b->uuid);
	b->app = slug->app;
	b->commit = xstrdup(slug->commit);
	b->ref = xstrdup(REF);
	b->user = xstrdup(USER);
	b->status = xstrdup("succeeded");
	b->slug = xstrdup(slug->uuid);
	return b;
}

struct intent *kit_accept(struct kit *k, const char *commit)
{
	struct slug *slug = new_slug(k, commit);
	struct build *build = new_build(slug);
	struct intent *i = xcalloc(1, sizeof(*i));

	id_random(i->push);
	i->app = k->app;
	i->ref = xstrdup(REF);
	i->old = xstrdup(ZEROS);
	i->new = xstrdup(commit);
	i->user = xstrdup(USER);
	i->slug = xstrdup(slug->uuid);
	i->build = xstrdup(build->uuid);
	i->lease = xstrdup("");
	assert_int_equal(ledger_accept(k->ledger, slug, build, i), 0);
	slug_free(slug);
	build_free(build);
	return i;
}

int64_t kit_deploy(struct kit *k)
{
	struct release *r = NULL;
	struct intent *intent;
	char commit[41];
	int64_t version;

	snprintf(commit, sizeof(commit), "%07x%033d", ++k->deploys, 0);
	intent = kit_accept(k, commit);
	assert_int_equal(ledger_deploy(k->ledger, intent, &r), 0);
	version = r->version;
	release_free(r);
	intent_free(intent);
	return version;
}

static int64_t made(int rc, struct release *r)
{
	int64_t version = rc ? rc : r ? r->version : 0;

	if (!rc)
		release_free(r);
	return version;
}

int64_t kit_config(struct kit *k, const char *json)
{
	struct release *r = NULL;
	json_t *patch = NULL;
	int rc;

	assert_int_equal(json_read(&patch, json, strlen(json)), 0);
	rc = ledger_config_patch(k->ledger, k->app, patch, 1000, USER, &r);
	json_decref(patch);
	return made(rc, r);
}

int64_t kit_addon_add(struct kit *k, const char *service, const char *plan,
		      const char *vars)
{
	struct addon *a = xcalloc(1, sizeof(*a));
	struct release *r = NULL;
	int rc;

	a->service = xstrdup(service);
	a->name = xstrdup(service);
	a->plan = xstrdup(plan);
	assert_int_equal(json_read(&a->config, vars, strlen(vars)), 0);
	rc = ledger_addon_reserve(k->ledger, k->app, a, USER);
	if (!rc)
		rc = ledger_addon_add(k->ledger, a, USER, &r);
	addon_free(a);
	return made(rc, r);
}

int64_t kit_addon_remove(struct kit *k, const char *name)
{
	struct release *r = NULL;
	struct addon *a = NULL;
	int rc = ledger_addon(k->ledger, k->app, name, &a);

	if (!rc)
		rc = ledger_addon_destroy(k->ledger, a, USER, &r);
	addon_free(a);
	return made(rc, r);
}

int64_t kit_rollback_part(struct kit *k, const char *name,
			  enum rollback_part part)
{
	struct release *r = NULL;
	int rc = ledger_rollback(k->ledger, k->app, name, part, USER, &r);

	return made(rc, r);
}

int64_t kit_rollback(struct kit *k, const char *name)
{
	return kit_rollback_part(k, name, ROLLBACK_ALL);
}

void kit_finish(struct kit *k, int64_t version, enum release_status status)
{
	struct release *r = kit_release(k, version);

	assert_int_equal(ledger_release_finish(k->ledger, r->id, status), 0);
	release_free(r);
}

char *kit_today(struct kit *k)
{
	struct release *today = NULL;
	char *config, *plans, *text;
	json_t *v;

	assert_int_equal(ledger_today(k->ledger, k->app, &today), 0);
	config = json_text(today->config);
	v = release_addon_plans(today);
	plans = json_text(v);
	text = xasprintf("%.7s %s %s", today->commit ? today->commit : "-",
			 config, plans);
	json_decref(v);
	free(config);
	free(plans);
	release_free(today);
	return text;
}

void kit_check(struct kit *k)
{
	char *text = NULL;
	size_t len = 0;
	unsigned n = 0;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	assert_int_equal(ledger_check(k->ledger, f, &n), 0);
	fclose(f);
	assert_string_equal(text, "");
	assert_int_equal(n, 0);
	free(text);
}
