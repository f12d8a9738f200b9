/* SPDX-License-Identifier: ISC */
#ifndef API_H
#define API_H

#include "http.h"
#include "ledger.h"
#include "slugd.h"

/*
 * The API: Heroku's Platform API v3 over HTTP. api.c has the table of
 * routes; each api-*.c has the handlers of one resource. A handler returns
 * 0 or an ERR_*, and fills in the request's answer.
 *
 * Handlers of LANE_INLINE run on the server's thread and wait for nothing:
 * they read. Those of LANE_LEDGER may write; those of LANE_RELEASE do that
 * when no push holds the app's release lane, since they change what a launch
 * begins with, and so do those of LANE_ADDON, which wait for providers, too.
 * Those of LANE_GIT wait for git: one of an app at a time; that of LANE_PUSH
 * looks at processes and folders, those of LANE_SLUGS at the whole store of
 * slugs, that of LANE_CHECKSUM at all bytes of a slug. Those of LANE_DYNOS
 * order an app's slugrun something, those of LANE_LOOK ask it, or take it no
 * time.
 */
enum {
	LANE_INLINE = 0,
	LANE_LEDGER = 1,
	LANE_ADDON = 2,
	LANE_GIT = 3,
	LANE_PUSH = 4,
	LANE_SLUGS = 5,
	LANE_CHECKSUM = 6,
	LANE_RELEASE = 7,
	LANE_DYNOS = 8,
	LANE_LOOK = 9,
	NR_LANES
};

/* Serve on the listening socket. */
int api_start(struct slugd *d, int fd, struct http_server **out);

/* The handlers, by resource; ctx is the struct slugd. */
int api_root(void *ctx, struct http_request *req);
int api_account_info(void *ctx, struct http_request *req);
int api_session_create(void *ctx, struct http_request *req);
int api_app_list(void *ctx, struct http_request *req);
int api_app_create(void *ctx, struct http_request *req);
int api_app_update(void *ctx, struct http_request *req);
int api_app_info(void *ctx, struct http_request *req);
int api_release_list(void *ctx, struct http_request *req);
int api_release_info(void *ctx, struct http_request *req);
int api_release_config(void *ctx, struct http_request *req);
int api_release_pin(void *ctx, struct http_request *req);
int api_release_unpin(void *ctx, struct http_request *req);
int api_release_create(void *ctx, struct http_request *req);
int api_config_info(void *ctx, struct http_request *req);
int api_config_update(void *ctx, struct http_request *req);
int api_addon_list(void *ctx, struct http_request *req);
int api_addon_info(void *ctx, struct http_request *req);
int api_addon_create(void *ctx, struct http_request *req);
int api_addon_update(void *ctx, struct http_request *req);
int api_addon_rotate(void *ctx, struct http_request *req);
int api_addon_delete(void *ctx, struct http_request *req);
int api_service_list(void *ctx, struct http_request *req);
int api_service_info(void *ctx, struct http_request *req);
int api_plan_list(void *ctx, struct http_request *req);
int api_build_list(void *ctx, struct http_request *req);
int api_build_create(void *ctx, struct http_request *req);
int api_build_info(void *ctx, struct http_request *req);
int api_slug_gc(void *ctx, struct http_request *req);
int api_slug_info(void *ctx, struct http_request *req);
int api_slug_sizes(void *ctx, struct http_request *req);
int api_formation_list(void *ctx, struct http_request *req);
int api_formation_info(void *ctx, struct http_request *req);
int api_formation_batch(void *ctx, struct http_request *req);
int api_formation_update(void *ctx, struct http_request *req);
int api_dyno_list(void *ctx, struct http_request *req);
int api_dyno_create(void *ctx, struct http_request *req);
int api_dyno_info(void *ctx, struct http_request *req);
int api_dyno_restart_all(void *ctx, struct http_request *req);
int api_dyno_restart(void *ctx, struct http_request *req);
int api_dyno_stop(void *ctx, struct http_request *req);
int api_log_session_create(void *ctx, struct http_request *req);
int api_log_stream(void *ctx, struct http_request *req);
int api_stream(void *ctx, struct http_request *req);
int api_push_may(void *ctx, const struct http_request *req);
int api_push_create(void *ctx, struct http_request *req);
int api_push_info(void *ctx, struct http_request *req);
int api_push_settle(void *ctx, struct http_request *req);
int api_push_waiting(void *ctx, struct http_request *req);
int api_launch_waiting(void *ctx, struct http_request *req);

/* The app that the path names first. Caller frees. */
int api_app(struct slugd *d, struct http_request *req, struct app **out);

/*
 * The release as the API shows it; today as ledger_today() gives it.
 * Caller's reference.
 */
json_t *api_release_json(struct http_request *req, const struct app *app,
			 const struct release *r, const struct release *today);

/*
 * A change made release r of app: log it, name it in the header Slugd-Release,
 * and launch it. To be called right after the commit: what fails later, such
 * as the answer, must not leave the release pending.
 */
void api_released(struct slugd *d, struct http_request *req,
		  const struct app *app, const struct release *r);

/*
 * r was made, but reading what to answer failed with rc: say both. Returns rc.
 */
int api_unread(int rc, const struct release *r);

/* Log release r and name it in the header; it is being launched already. */
void api_name_release(struct http_request *req, const struct app *app,
		      const struct release *r);

/*
 * Say in the app's log, as heroku[api], what happened, if its slugrun is there
 * to write it; else it is lost. It waits, see launch_call().
 */
void api_event(const struct slugd *d, const struct app *app, const char *fmt,
	       ...) __attribute__((format(printf, 3, 4)));

/* All dynos are of one size, which is called so. */
#define API_DYNO_SIZE "1X"

/*
 * Is that the size that a change or a new dyno wishes for, where it names
 * one ("size", or "dyno_size", an object)? Errors: ERR_INVALID.
 */
int api_check_size(const json_t *wish);

/* What every app is built for and runs on. Caller's reference. */
#define API_STACK      "debian-12"
#define API_GENERATION "slugd"
json_t *api_stack(void);

/*
 * A process, as slugrun shows it, as a dyno; release is {"id", "version"}.
 * Caller's reference.
 */
json_t *api_dyno_json(const struct app *app, const json_t *release,
		      const json_t *process);

/* {"id", "version"} of the release of that version. Caller's reference. */
json_t *api_release_reference(struct slugd *d, const struct app *app,
			      int64_t version);

/* {"id": uuid, "name": name} */
json_t *api_reference(const char *uuid, const char *name);

/* {"id", "email"} of a user, whose id is made of the name. */
json_t *api_user(const char *user);

/*
 * "http://HOST/FOLDER/ID", or null where id is NULL: HOST is where the client
 * found us, by its own word, since it is to find that there, too.
 */
json_t *api_url(struct http_request *req, const char *folder, const char *id);

/* The URL of an output stream, or null. */
json_t *api_stream_url(struct http_request *req, const char *uuid);

#endif
