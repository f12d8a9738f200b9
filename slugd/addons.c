/* SPDX-License-Identifier: ISC */
#include "addons.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "err.h"
#include "jobs.h"
#include "launch.h"
#include "log.h"
#include "mem.h"
#include "provider.h"
#include "slugd.h"
#include "text.h"

#define SPARE_S 10 /* more than a launch may take */

char *addons_lane(int64_t app)
{
	return xasprintf("addon %" PRId64, app);
}

/* One write of the ledger on behalf of an add-on. */
struct step {
	struct slugd *slugd;
	const struct app *app;
	int (*write)(struct step *s);
	struct addon *addon;
	const char *user, *what;
	struct release *release;
	bool held; /* a push had the lane */
};

static int run_step(void *arg)
{
	struct step *s = arg;

	return s->write(s);
}

/* On the ledger's lane, waited for. */
static int write_step(struct step *s, int (*write)(struct step *s))
{
	s->write = write;
	return jobs_call(s->slugd->jobs, JOBS_LEDGER, run_step, s);
}

static int run_release(void *arg)
{
	struct step *s = arg;
	char *busy = lane_busy(s->slugd->lanes, s->app->id);

	s->held = busy != NULL;
	free(busy);
	return s->held ? 0 : s->write(s);
}

/* The same for what makes a release: while no push holds the app's lane. */
static int write_release(struct step *s, int (*write)(struct step *s))
{
	int64_t limit = (s->slugd->config->timeout + SPARE_S) * 1000;
	int64_t until = clock_mono_ms() + limit;
	int rc;

	s->write = write;
	do {
		rc = lane_wait(s->slugd->lanes, s->app->id, until);
		if (!rc)
			rc = jobs_call(s->slugd->jobs, JOBS_LEDGER, run_release,
				       s);
	} while (!rc && s->held);
	return rc;
}

static int reserve(struct step *s)
{
	return ledger_addon_reserve(s->slugd->writer, s->addon->app, s->addon,
				    s->user);
}

/*
 * The release that a step made is launched from the job that wrote it: so
 * releases are launched in the order of their numbers.
 */
static int launch(struct step *s, int rc)
{
	if (!rc)
		launch_release(s->slugd, s->app, s->release);
	return rc;
}

static int add(struct step *s)
{
	return launch(s, ledger_addon_add(s->slugd->writer, s->addon, s->user,
					  &s->release));
}

static int forget(struct step *s)
{
	return ledger_addon_forget(s->slugd->writer, s->addon->uuid);
}

static int change(struct step *s)
{
	return launch(s, ledger_addon_change(s->slugd->writer, s->addon,
					     s->what, s->user, &s->release));
}

static int condemn(struct step *s)
{
	return ledger_addon_condemn(s->slugd->writer, s->addon->uuid, s->user);
}

static int spare(struct step *s)
{
	return ledger_addon_spare(s->slugd->writer, s->addon->uuid, s->user);
}

static int note_gone(struct step *s)
{
	return ledger_addon_gone(s->slugd->writer, s->addon->uuid);
}

static int destroy(struct step *s)
{
	return launch(s, ledger_addon_destroy(s->slugd->writer, s->addon,
					      s->user, &s->release));
}

static int unknown(const char *what, const char *name)
{
	char *shown = text_cell(name, 60);

	err_set(ERR_NOTFOUND, "Couldn't find that add-on %s: %s", what, shown);
	free(shown);
	return ERR_NOTFOUND;
}

/* The service and the plan of "memcachier:100", as the catalogue has them. */
static int choose_plan(const struct config *c, const char *name,
		       const struct config_addon **service,
		       const struct config_plan **plan)
{
	char *copy = xstrdup(name), *colon = strchr(copy, ':');
	int rc = 0;

	if (colon)
		*colon++ = '\0';
	*service = config_addon(c, copy);
	*plan = *service ? config_plan(*service, colon) : NULL;
	if (!*service)
		rc = unknown("service", copy);
	else if (!*plan)
		rc = unknown("plan", name);
	free(copy);
	return rc;
}

/*
 * Let the provider act; what it gives becomes the add-on's config. *told: it
 * may have begun, also where it failed; or NULL.
 */
static int call_provider(const struct slugd *d,
			 const struct config_addon *service, const char *action,
			 const struct app *app, struct addon *a, bool *told)
{
	struct provider_call call = { d->dir, service, action, app, a, NULL };
	json_t *config = NULL;
	int rc;

	call.told = told;
	rc = provider_run(&call, &config);
	if (!rc) {
		json_decref(a->config);
		a->config = config;
	}
	return rc;
}

/*
 * Nothing stays of an add-on that was not created, at its provider's nor
 * here. Where the provider fails, its row stays, so that this is done later.
 */
static int end_half(struct step *s)
{
	const struct config_addon *service =
		config_addon(s->slugd->config, s->addon->service);
	int rc = 0;

	/* A service that left the catalogue has nobody to ask. */
	if (service)
		rc = call_provider(s->slugd, service, "destroy", s->app,
				   s->addon, NULL);
	return rc ? rc : write_step(s, forget);
}

/* After a failure, whose message stays. told: the provider may have begun. */
static void undo_create(struct step *s, bool told)
{
	char *why = xstrdup(err_msg());

	if (told ? end_half(s) : write_step(s, forget)) {
		log_line("app=%s addon=%s: what was half made, of the id %s, "
			 "may be left: %s",
			 s->app->name, s->addon->name, s->addon->uuid,
			 err_msg());
		err_set(ERR_FAILED,
			"%s\nWhat was half made is destroyed when slugd "
			"starts, or by: git heroku addons:destroy %s",
			why, s->addon->name);
	} else {
		err_set(ERR_FAILED, "%s", why);
	}
	free(why);
}

/* What an earlier creation of that name has left, if anything, ends first. */
static int clear_half(struct slugd *d, const struct app *app, const char *name,
		      const char *user)
{
	struct step s = { .slugd = d, .app = app, .user = user };
	int rc = ledger_addon(d->ledger, app->id, name, &s.addon);

	if (rc)
		return rc == ERR_NOTFOUND ? 0 : rc;
	/* The app's lane is ours: nobody is creating it now. */
	if (!strcmp(s.addon->state, "provisioning"))
		rc = err_prefix(end_half(&s), "What was half made before "
					      "could not be destroyed");
	addon_free(s.addon);
	return rc;
}

int addons_create(struct slugd *d, const struct app *app, const char *name,
		  const char *user, struct addon_result *out)
{
	const struct config_addon *service = NULL;
	const struct config_plan *plan = NULL;
	struct step s = { .slugd = d, .app = app, .user = user };
	bool told = true;
	int rc = choose_plan(d->config, name, &service, &plan);

	if (!rc)
		rc = clear_half(d, app, service->name, user);
	if (rc)
		return rc;
	s.addon = xcalloc(1, sizeof(*s.addon));
	s.addon->app = app->id;
	s.addon->service = xstrdup(service->name);
	s.addon->plan = xstrdup(plan->name);
	s.addon->name = xstrdup(service->name);
	s.addon->price = plan->price;
	s.addon->config = json_object();
	rc = write_step(&s, reserve);
	if (rc)
		goto done;
	rc = call_provider(d, service, "create", app, s.addon, &told);
	if (!rc)
		rc = write_release(&s, add);
	if (rc)
		undo_create(&s, told);
done:
	if (rc) {
		addon_free(s.addon);
	} else {
		out->addon = s.addon;
		out->release = s.release;
	}
	return rc;
}

/* The add-on of that name, which is neither coming nor going. */
static int find(struct slugd *d, const struct app *app, const char *name,
		struct addon **out)
{
	struct addon *a = NULL;
	int rc = ledger_addon(d->ledger, app->id, name, &a);

	if (!rc && !strcmp(a->state, "provisioning"))
		rc = err_set(ERR_CONFLICT, "%s is still being created", name);
	if (rc)
		addon_free(a);
	else
		*out = a;
	return rc;
}

/* Have the provider make it again what the ledger says that it is. */
static int resume(struct slugd *d, const struct app *app, const char *uuid)
{
	const struct config_addon *service;
	struct addon *a = NULL;
	int rc = ledger_addon(d->ledger, app->id, uuid, &a);

	service = rc ? NULL : config_addon(d->config, a->service);
	if (service && !strcmp(a->state, "provisioned"))
		rc = call_provider(d, service, "resume", app, a, NULL);
	addon_free(a);
	return rc;
}

/* What the provider has perhaps changed, made no release. */
static void undo_alter(struct step *s, const struct app *app)
{
	char *why = xstrdup(err_msg());

	if (resume(s->slugd, app, s->addon->uuid))
		log_line("app=%s addon=%s: may not be what the ledger says: "
			 "%s",
			 app->name, s->addon->name, err_msg());
	err_set(ERR_FAILED, "%s", why);
	free(why);
}

/* The provider changes what is there, and the ledger follows. */
static int alter(struct step *s, const struct app *app, const char *action,
		 struct addon_result *out)
{
	const struct config_addon *service =
		config_addon(s->slugd->config, s->addon->service);
	int rc = 0;

	s->what = action;
	if (!strcmp(s->addon->state, "deprovisioning"))
		rc = err_set(ERR_CONFLICT,
			     "%s is being destroyed; to go on with that: "
			     "git heroku addons:destroy %s",
			     s->addon->name, s->addon->name);
	else if (!service)
		rc = unknown("service", s->addon->service);
	if (rc)
		goto done;
	rc = call_provider(s->slugd, service, action, app, s->addon, NULL);
	if (!rc)
		rc = write_release(s, change);
	if (rc)
		undo_alter(s, app);
done:
	if (rc) {
		addon_free(s->addon);
	} else {
		out->addon = s->addon;
		out->release = s->release;
	}
	return rc;
}

int addons_change(struct slugd *d, const struct app *app, const char *name,
		  const char *plan, const char *user, struct addon_result *out)
{
	const struct config_addon *service = NULL;
	const struct config_plan *to = NULL;
	struct step s = { .slugd = d, .app = app, .user = user };
	char *full;
	int rc = find(d, app, name, &s.addon);

	if (rc)
		return rc;
	full = strchr(plan, ':') ? xstrdup(plan)
				 : xasprintf("%s:%s", s.addon->service, plan);
	rc = choose_plan(d->config, full, &service, &to);
	if (!rc && strcmp(service->name, s.addon->service))
		rc = err_set(ERR_INVALID, "%s is an add-on of %s, not of %s",
			     name, s.addon->service, service->name);
	if (!rc && !strcmp(to->name, s.addon->plan))
		rc = err_set(ERR_CONFLICT, "%s has the plan %s already", name,
			     full);
	free(full);
	if (rc) {
		addon_free(s.addon);
		return rc;
	}
	str_replace(&s.addon->plan, xstrdup(to->name));
	s.addon->price = to->price;
	return alter(&s, app, "change", out);
}

int addons_rotate(struct slugd *d, const struct app *app, const char *name,
		  const char *user, struct addon_result *out)
{
	struct step s = { .slugd = d, .app = app, .user = user };
	int rc = find(d, app, name, &s.addon);

	return rc ? rc : alter(&s, app, "rotate", out);
}

/* The provider ends it, then the ledger. s->addon is condemned already. */
static int finish_destroy(struct step *s, const struct app *app)
{
	const struct config_addon *service =
		config_addon(s->slugd->config, s->addon->service);
	int rc = 0;

	/* A service that left the catalogue has nobody to ask. */
	if (service && !s->addon->gone)
		rc = call_provider(s->slugd, service, "destroy", app, s->addon,
				   NULL);
	if (!rc && !s->addon->gone && write_step(s, note_gone))
		log_line("app=%s addon=%s: %s", app->name, s->addon->name,
			 err_msg());
	s->addon->gone = s->addon->gone || !rc;
	return rc ? rc : write_release(s, destroy);
}

/* After a failure: it stays, and is not destroyed at the next start. */
static void undo_destroy(struct step *s, const struct app *app)
{
	char *why = xstrdup(err_msg());

	if (write_step(s, spare))
		log_line("app=%s addon=%s: %s", app->name, s->addon->name,
			 err_msg());
	err_set(ERR_FAILED, "%s", why);
	free(why);
}

int addons_destroy(struct slugd *d, const struct app *app, const char *name,
		   const char *user, struct addon_result *out)
{
	struct step s = { .slugd = d, .app = app, .user = user };
	int rc = ledger_addon(d->ledger, app->id, name, &s.addon);
	bool whole;

	if (rc)
		return rc;
	whole = !strcmp(s.addon->state, "provisioned");
	if (!strcmp(s.addon->state, "provisioning")) {
		rc = end_half(&s);
	} else {
		rc = write_step(&s, condemn);
		if (!rc)
			rc = finish_destroy(&s, app);
		/*
		 * What is gone, or may be since an earlier destroy, is not
		 * spared: the next one ends it, or the next start.
		 */
		if (rc && whole && !s.addon->gone)
			undo_destroy(&s, app);
	}
	if (rc) {
		addon_free(s.addon);
	} else {
		out->addon = s.addon;
		out->release = s.release;
	}
	return rc;
}

/* Undo or finish what a crash left in the middle. */
static void finish_job(void *arg)
{
	struct step *s = arg;
	struct slugd *d = s->slugd;
	struct app *app = NULL;
	int rc = ledger_app_by_id(d->ledger, s->addon->app, &app);

	s->user = s->addon->user;
	s->app = app;
	if (!rc && !strcmp(s->addon->state, "provisioning")) {
		rc = end_half(s);
	} else if (!rc) {
		rc = finish_destroy(s, app);
	}
	if (rc)
		log_line("addon=%s: %s", s->addon->name, err_msg());
	release_free(s->release);
	addon_free(s->addon);
	app_free(app);
	free(s);
}

/* Resuming every add-on of one app, as a call in the app's lane. */
struct resuming {
	struct slugd *slugd;
	struct app *app;
};

static int resume_app(void *arg)
{
	const struct resuming *r = arg;
	struct slugd *d = r->slugd;
	struct addon **v = NULL;
	size_t n = 0, i;
	int rc = ledger_addons(d->ledger, r->app->id, &v, &n);

	for (i = 0; i < n; i++) {
		if (!d->stopping && resume(d, r->app, v[i]->uuid))
			log_line("app=%s addon=%s: cannot be resumed: %s",
				 r->app->name, v[i]->name, err_msg());
	}
	addons_free(v, n);
	return rc;
}

/* App by app, so that a start does not begin with a hundred programs. */
static void resume_job(void *arg)
{
	struct resuming *r = arg;
	char *lane = addons_lane(r->app->id);

	if (jobs_call(r->slugd->jobs, lane, resume_app, r))
		log_line("app=%s: %s", r->app->name, err_msg());
	free(lane);
	app_free(r->app);
	free(r);
}

static int finish_all(struct slugd *d)
{
	struct addon **v = NULL;
	size_t n = 0, i;
	int rc = ledger_addons_unfinished(d->ledger, &v, &n);

	for (i = 0; i < n; i++) {
		struct step *s = xcalloc(1, sizeof(*s));
		char *lane = addons_lane(v[i]->app);

		s->slugd = d;
		s->addon = v[i];
		jobs_submit(d->jobs, lane, finish_job, s);
		free(lane);
	}
	free(v);
	return rc;
}

int addons_recover(struct slugd *d)
{
	struct app **v = NULL;
	size_t n = 0, i;
	int rc = finish_all(d);

	if (!rc)
		rc = ledger_apps(d->ledger, &v, &n);
	for (i = 0; i < n; i++) {
		struct resuming *r = xcalloc(1, sizeof(*r));

		r->slugd = d;
		r->app = v[i];
		jobs_submit(d->jobs, "addons", resume_job, r);
	}
	free(v);
	return rc;
}
