/* SPDX-License-Identifier: ISC */
#ifndef LEDGER_H
#define LEDGER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "ids.h"
#include "json.h"

/*
 * The ledger: what was released, with what, by whom and when. Its rules are
 * here; a back end (backend.h) keeps the rows.
 *
 * - Releases of an app are numbered 1..N without a gap, each is written
 *   once, in one transaction with everything that belongs to it.
 * - The state that the next release starts from is the slug and the user's
 *   config vars of the newest release that did not fail, and the add-ons of
 *   the newest release: what a failed release would have changed did not
 *   come about, but an add-on that was created exists.
 * - Config vars that an add-on provides stay the add-on's.
 * - A release that succeeded and whose slug was let go reads as expired.
 *
 * A struct ledger may be used by several threads; the daemon has one for
 * reading and one, used by the writing lane alone, for writing. All results
 * are the caller's.
 */
struct ledger;

#define UUID_SIZE ID_SIZE

struct app {
	int64_t id;
	char uuid[UUID_SIZE];
	char *name;
	char *repo;   /* absolute path of the bare repository */
	int64_t port; /* of its stable address; 0: none */
	int64_t created_at;
	bool maintenance; /* visitors get a page that says so */
};

enum release_status {
	RELEASE_PENDING,
	RELEASE_SUCCEEDED,
	RELEASE_FAILED,
	RELEASE_EXPIRED,
};

struct release {
	int64_t id, app;
	char uuid[UUID_SIZE];
	int64_t version;
	char *kind; /* initial, deploy, config, addon, rollback */
	char *description;
	char *user;
	enum release_status status;
	char *slug;     /* uuid, or NULL before the first deploy */
	char *commit;   /* of the slug, or NULL */
	json_t *config; /* the user's: {"KEY": "value"} */
	json_t *addons; /* [{"id", "name", "plan", "config": {}}] */
	int64_t config_set, addon_set; /* where the back end keeps these */
	char *build;                   /* uuid, of a deploy; else NULL */
	int64_t target; /* of a rollback: the target's version, else 0 */
	char *output;   /* uuid of its output stream, its push's; or NULL */
	int64_t created_at, updated_at;
	bool current; /* it is what runs, or would run */
	bool pinned;  /* its slug is not let go */
};

struct slug {
	char uuid[UUID_SIZE];
	int64_t app;
	char *commit, *commit_description;
	int64_t size, tree_size; /* bytes, packed and unpacked */
	json_t *process_types;   /* {"web": "command"} */
	char *checksum;          /* "SHA256:...", or NULL: nobody asked */
	int64_t created_at;
};

/* A slug that is there, as retention looks at it. */
struct kept_slug {
	int64_t size; /* bytes, packed */
	char uuid[UUID_SIZE];
	bool needed; /* it must not be let go */
	bool goes;   /* it is to be let go; see retention.h */
};

struct build {
	char uuid[UUID_SIZE];
	int64_t app;
	char *commit, *ref, *user;
	char *status;    /* pending, succeeded, failed */
	char *slug;      /* uuid, or NULL */
	int64_t release; /* version, or 0 */
	int64_t created_at, updated_at;
};

struct addon {
	char uuid[UUID_SIZE];
	int64_t app;
	char *service, *plan, *name; /* memcachier, free, memcachier */
	int64_t price;               /* cents a month */
	char *state; /* provisioning, provisioned, deprovisioning */
	bool gone;   /* its provider has destroyed it */
	char *user;  /* who brought it into that state */
	json_t *config;
	int64_t created_at, updated_at;
};

/*
 * A push that slugd accepted and whose ref has perhaps not moved yet. At
 * most one an app.
 */
struct intent {
	int64_t app;
	char push[UUID_SIZE];
	char *ref, *old, *new, *user;
	char *slug, *build;  /* uuids */
	int64_t reflog_size; /* as reflog_note() noted it, before the move */
	char *reflog_last;   /* or NULL */
	char *lease;         /* as lease_text() wrote it */
	int64_t created_at;
};

struct formation {
	char *type;
	int64_t quantity;
	int64_t updated_at; /* 0: the quantity was never set */
};

/*
 * Open the ledger at path, and bring an older one up to date, or make it.
 * Errors: ERR_FAILED where it is from a newer slugd or damaged; ERR_SYSTEM.
 */
int ledger_open(struct ledger **out, const char *path);

/* Close l; it may be NULL. */
void ledger_close(struct ledger *l);

/* Whether releases with a slug are launched: if so, they start pending. */
void ledger_set_launch(struct ledger *l, bool launch);

/* Free what a call below returned; each may be NULL. */
void app_free(struct app *a);
void release_free(struct release *r);
void slug_free(struct slug *s);
void build_free(struct build *b);
void addon_free(struct addon *a);
void intent_free(struct intent *i);

/* "pending", "succeeded", "failed", "expired" */
const char *release_status_name(enum release_status s);

/*
 * The config that the release's processes see, add-ons' values included.
 * Caller's reference.
 */
json_t *release_environment(const struct release *r);

/* ["memcachier:free"] of the release. Caller's reference. */
json_t *release_addon_plans(const struct release *r);

/*
 * A new app with its v1, "Initial release". port may be 0.
 * Errors: ERR_CONFLICT where the name or the repository is taken.
 */
int ledger_app_create(struct ledger *l, const char *name, const char *repo,
		      int64_t port, const char *user, struct app **out);

/* By name or uuid; by repository. Errors: ERR_NOTFOUND. */
int ledger_app(struct ledger *l, const char *name, struct app **out);
int ledger_app_by_id(struct ledger *l, int64_t id, struct app **out);
int ledger_app_by_repo(struct ledger *l, const char *repo, struct app **out);

/*
 * The app's repository lies elsewhere now. *a is changed, too.
 * Errors: ERR_CONFLICT where it is another app's.
 */
int ledger_app_move(struct ledger *l, struct app *a, const char *repo,
		    const char *user);

/* All apps, by name; *n of them in an array, which is freed, too. */
int ledger_apps(struct ledger *l, struct app ***out, size_t *n);

/* Switch the app's maintenance on or off. */
int ledger_maintenance_set(struct ledger *l, int64_t app, bool on,
			   const char *user);

/* Is the port reserved for an app? */
bool ledger_port_is_taken(struct ledger *l, int64_t port);

/* Release "12", "v12", a uuid or "current" of app. Errors: ERR_NOTFOUND. */
int ledger_release(struct ledger *l, int64_t app, const char *name,
		   struct release **out);

/* The newest release of app. */
int ledger_release_last(struct ledger *l, int64_t app, struct release **out);

/* The newest release that succeeded: what runs. */
int ledger_release_current(struct ledger *l, int64_t app, struct release **out);

/* Which releases, and in what order. Versions include both ends. */
struct release_range {
	int64_t first, last; /* 0: from the first; 0: to the last */
	int64_t max;
	bool descending;
};
int ledger_releases(struct ledger *l, int64_t app,
		    const struct release_range *range, struct release ***out,
		    size_t *n);

/* Free an array of n, as ledger_apps() and ledger_releases() give it. */
void apps_free(struct app **v, size_t n);
void releases_free(struct release **v, size_t n);

/*
 * Set and unset (null) config vars: {"KEY": "value", "GONE": null}, all in
 * one release, which is *out; NULL where nothing changed.
 * Errors: ERR_INVALID with the key's name; nothing is changed then.
 */
int ledger_config_patch(struct ledger *l, int64_t app, const json_t *patch,
			uint64_t max_config, const char *user,
			struct release **out);

/*
 * Add-ons come about in two steps, since a provider stands between them:
 * the add-on is reserved (uuid, times, state and app are filled in), then
 * either it is added, with what the provider gave as a->config, which makes
 * a release, or it is forgotten. Errors: ERR_CONFLICT, ERR_INVALID.
 */
int ledger_addon_reserve(struct ledger *l, int64_t app, struct addon *a,
			 const char *user);
int ledger_addon_add(struct ledger *l, const struct addon *a, const char *user,
		     struct release **out);
int ledger_addon_forget(struct ledger *l, const char *uuid);

/*
 * The add-on now has a->plan, a->price and a->config; what is "change" or
 * "rotate". Errors: ERR_INVALID where a key is in the way.
 */
int ledger_addon_change(struct ledger *l, const struct addon *a,
			const char *what, const char *user,
			struct release **out);

/*
 * The add-on will be destroyed; and then it is not after all, or it is, which
 * makes a release.
 */
int ledger_addon_condemn(struct ledger *l, const char *uuid, const char *user);
int ledger_addon_spare(struct ledger *l, const char *uuid, const char *user);

/* Its provider has destroyed it, and is not to be asked again. */
int ledger_addon_gone(struct ledger *l, const char *uuid);
int ledger_addon_destroy(struct ledger *l, const struct addon *a,
			 const char *user, struct release **out);

/* Add-ons that a crash left between the steps. */
int ledger_addons_unfinished(struct ledger *l, struct addon ***out, size_t *n);
void addons_free(struct addon **v, size_t n);

/* An add-on of the app by name or uuid, or all of them. */
int ledger_addon(struct ledger *l, int64_t app, const char *name,
		 struct addon **out);
int ledger_addons(struct ledger *l, int64_t app, struct addon ***out,
		  size_t *n);

/*
 * What the next release of app starts from, as a release that is not
 * written: today's slug, config vars and add-ons.
 */
int ledger_today(struct ledger *l, int64_t app, struct release **out);

/*
 * May the app, which is as today says, go back to release r? It must be
 * good, have a slug, and have today's add-ons.
 * Errors: ERR_INVALID, with the reason in words.
 */
int ledger_rollback_check(const struct release *r, const struct release *today);

/* What a rollback takes from its target. */
enum rollback_part { ROLLBACK_ALL, ROLLBACK_CONFIG, ROLLBACK_CODE };

/*
 * Go back to a release ("v12", uuid), or where name is NULL to the newest
 * older good one on the line of history that led here with another commit or
 * config than now: before a rollback lies its target, so that a release
 * that was escaped from is not come back to. With a part, only that is
 * taken, and has to differ.
 */
int ledger_rollback(struct ledger *l, int64_t app, const char *name,
		    enum rollback_part part, const char *user,
		    struct release **out);

/*
 * A new release that makes once more, on top of what is now, what the failed
 * one of that name ("v12", uuid; NULL: the newest) changed of code and
 * config. Errors: ERR_INVALID where it did not fail.
 */
int ledger_retry(struct ledger *l, int64_t app, const char *name,
		 const char *user, struct release **out);

/*
 * A new release of a slug that the app has, with today's config; the
 * description may be NULL. Where it reads "Retry of v12: ..." and v12 failed
 * with that slug, it is ledger_retry().
 */
int ledger_release_slug(struct ledger *l, int64_t app, const char *slug,
			const char *description, const char *user,
			struct release **out);

/* The pending release was launched, or not. One that is not stays. */
int ledger_release_finish(struct ledger *l, int64_t id,
			  enum release_status status);

/* Releases that are pending, oldest first: what a restart has to launch. */
int ledger_releases_pending(struct ledger *l, struct release ***out, size_t *n);

/* A slug and the intent of the push that made it, and its build. */
int ledger_accept(struct ledger *l, const struct slug *slug,
		  const struct build *build, const struct intent *intent);

/* A build that made no slug. */
int ledger_build_failed(struct ledger *l, const struct build *build);

/* The app's intent, or ERR_NOTFOUND; all intents. */
int ledger_intent(struct ledger *l, int64_t app, struct intent **out);
int ledger_intents(struct ledger *l, struct intent ***out, size_t *n);

/*
 * The ref of the app's last push that became a release, and the commit that it
 * left there; NULL where there was none. Caller frees.
 */
int ledger_last_pushed(struct ledger *l, int64_t app, char **ref,
		       char **commit);

/* The ref moved: the intent becomes the next release. */
int ledger_deploy(struct ledger *l, struct intent *intent,
		  struct release **out);

/* A build that no push made, but a wish: its slug becomes a release. */
int ledger_deploy_built(struct ledger *l, const struct slug *slug,
			const struct build *build, struct release **out);

/* The ref did not move and will not: forget the intent. */
int ledger_drop(struct ledger *l, const struct intent *intent);

/* The release that the push made. Errors: ERR_NOTFOUND. */
int ledger_release_by_push(struct ledger *l, const char *push,
			   struct release **out);

int ledger_slug(struct ledger *l, const char *uuid, struct slug **out);

/* Keep the slug's checksum; forget it where sum is NULL. */
int ledger_slug_checksum(struct ledger *l, const char *uuid, const char *sum);

int ledger_build(struct ledger *l, const char *uuid, struct build **out);
int ledger_builds(struct ledger *l, int64_t app, struct build ***out,
		  size_t *n);

/*
 * The slugs of app that are there, the newest first: by the newest release
 * of each that did not fail. Those are needed that an intent, a pending
 * release, the current one or a pinned one has, and those that a rollback
 * without a name would go back to. *v is freed, too.
 */
int ledger_slugs(struct ledger *l, int64_t app, struct kept_slug **v,
		 size_t *n);

/* The same, in no order and none marked as needed: for their sizes. */
int ledger_slug_sizes(struct ledger *l, int64_t app, struct kept_slug **v,
		      size_t *n);

/* How many they are. */
int ledger_slug_count(struct ledger *l, int64_t app, int64_t *n);

/*
 * Let slugs of app go that are to and are not needed, the first thousand of
 * them from v[*at] on, in one transaction, which looks again at what is
 * needed. *at is then where the next call begins, n where none is left; to
 * *releases is added how many expired thereby.
 */
int ledger_expire(struct ledger *l, int64_t app, const struct kept_slug *v,
		  size_t n, size_t *at, int64_t *releases);

/* The slugs of all apps that are there: n uuids, each freed as is the array. */
int ledger_slugs_there(struct ledger *l, char ***out, size_t *n);

/*
 * Pin a release ("v12", uuid, "current"), or no longer; as it is then, into
 * *out. Errors: ERR_NOTFOUND; ERR_INVALID where it has no slug to keep.
 */
int ledger_pin(struct ledger *l, int64_t app, const char *name, bool pin,
	       const char *user, struct release **out);

/*
 * How many processes of each type the app wants: what was set, else web 1
 * and others 0. types is the slug's process_types.
 */
int ledger_formation(struct ledger *l, int64_t app, const json_t *types,
		     struct formation **out, size_t *n);

/* So many processes of a type, or, where relative, so many more. */
struct formation_change {
	const char *type;
	int64_t quantity;
	bool relative;
};

/* How many processes of a type there may be, and of an app. */
#define FORMATION_MAX 100
#define FORMATION_SUM 200

/*
 * Set how many processes the app wants, all n of v or none: of types that
 * the slug of its next release has. That is no release.
 * Errors: ERR_INVALID, ERR_NOTFOUND (of a type, with those that there are).
 */
int ledger_formation_set(struct ledger *l, int64_t app,
			 const struct formation_change *v, size_t n,
			 const char *user);
void formation_free(struct formation *v, size_t n);

/*
 * Write a copy of the ledger as it is now to the file at path, which exists
 * and is empty; others may write to the ledger meanwhile. Not synced.
 */
int ledger_backup(struct ledger *l, const char *path);

/*
 * Check every invariant; each violation is one line to f. *n counts them.
 */
int ledger_check(struct ledger *l, FILE *f, unsigned *n);

#endif
