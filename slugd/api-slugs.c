/* SPDX-License-Identifier: ISC */
/* The store as a whole, for the admin; Heroku's API has no such thing. */
#include "api.h"
#include "err.h"
#include "gc.h"
#include "log.h"
#include "text.h"

/* {"app", "slugs", "logical", "stored"} of one app's slugs. */
static int app_sizes(struct slugd *d, const struct app *app, json_t **out)
{
	struct slug_sum *sum = slugs_sum_new(d->slugs);
	struct kept_slug *v = NULL;
	json_int_t logical = 0, stored = 0;
	uint64_t more;
	size_t n = 0, i;
	int rc = ledger_slug_sizes(d->ledger, app->id, &v, &n);

	for (i = 0; i < n && !rc; i++) {
		if (slugs_sum_add(sum, v[i].uuid, &more))
			log_line("app=%s: %s", app->name, err_msg());
		logical += v[i].size;
		stored += (json_int_t)more;
	}
	if (!rc)
		*out = json_make("{s:o, s:I, s:I, s:I}", "app",
				 api_reference(app->uuid, app->name), "slugs",
				 (json_int_t)n, "logical", logical, "stored",
				 stored);
	free(v);
	slugs_sum_free(sum);
	return rc;
}

int api_slug_sizes(void *ctx, struct http_request *req)
{
	struct slugd *d = ctx;
	json_t *list = json_array(), *one;
	struct app **apps = NULL;
	json_int_t logical = 0;
	uint64_t stored = 0;
	size_t n = 0, i;
	int rc = ledger_apps(d->ledger, &apps, &n);

	for (i = 0; i < n && !rc; i++) {
		rc = app_sizes(d, apps[i], &one);
		if (rc)
			break;
		logical += json_int(one, "logical", 0);
		json_array_append_new(list, one);
	}
	if (!rc)
		rc = slugs_stored(d->slugs, &stored);
	if (!rc)
		req->reply =
			json_make("{s:I, s:I, s:O}", "logical", logical,
				  "stored", (json_int_t)stored, "apps", list);
	json_decref(list);
	apps_free(apps, n);
	return rc;
}

int api_slug_gc(void *ctx, struct http_request *req)
{
	struct slugd *d = ctx;
	struct gc_result result;
	int rc;

	if (req->peer->uid != d->uid && req->peer->uid)
		return err_set(ERR_FORBIDDEN,
			       "only the service account may do that");
	rc = gc_run(d, &result);
	if (!rc)
		req->reply = json_make("{s:I, s:I}", "freed",
				       (json_int_t)result.bytes, "expired",
				       (json_int_t)result.releases);
	return rc;
}
