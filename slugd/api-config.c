/* SPDX-License-Identifier: ISC */
/* Config vars. */
#include "api.h"
#include "err.h"

/* What the next release's processes see, add-ons' values included. */
static int environment(struct ledger *l, const struct app *app, json_t **out)
{
	struct release *today = NULL;
	int rc = ledger_today(l, app->id, &today);

	if (!rc)
		*out = release_environment(today);
	release_free(today);
	return rc;
}

int api_config_info(void *ctx, struct http_request *req)
{
	struct slugd *d = ctx;
	struct app *app = NULL;
	int rc = api_app(d, req, &app);

	if (!rc)
		rc = environment(d->ledger, app, &req->reply);
	app_free(app);
	return rc;
}

int api_config_update(void *ctx, struct http_request *req)
{
	struct slugd *d = ctx;
	struct release *r = NULL;
	struct app *app = NULL;
	int rc = api_app(d, req, &app);

	if (!rc && !json_is_object(req->body))
		rc = err_set(ERR_INVALID,
			     "config vars are an object of strings");
	if (!rc)
		rc = ledger_config_patch(d->writer, app->id, req->body,
					 d->config->max_config, req->peer->user,
					 &r);
	if (!rc && r)
		api_released(d, req, app, r);
	if (!rc)
		rc = environment(d->writer, app, &req->reply);
	if (rc && r)
		rc = api_unread(rc, r);
	release_free(r);
	app_free(app);
	return rc;
}
