/* SPDX-License-Identifier: ISC */
#include "supervisor.h"

#include <stddef.h>

#include "err.h"
#include "json.h"

static int get_state(void *ctx, struct http_request *req)
{
	const struct supervisor *s = ctx;
	const struct release *r = s->running ? s->running : launch_release(s);
	json_t *list = json_array();
	const struct process *p;

	if (r)
		for (p = TAILQ_FIRST(&r->processes); p; p = TAILQ_NEXT(p, link))
			json_array_append_new(list, process_json(p));
	req->reply = json_make(
		"{s:s, s:o, s:o, s:o}", "app", r ? r->app : s->name, "version",
		s->running ? json_integer(s->running->version) : json_null(),
		"listen",
		s->route ? json_integer(route_port(s->route)) : json_null(),
		"processes", list);
	return 0;
}

static int post_launch(void *ctx, struct http_request *req)
{
	struct supervisor *s = ctx;
	struct release *r = NULL;
	int rc;

	rc = release_parse(&r, req->body, s->dir);
	if (!rc)
		rc = launch_begin(s, r, req);
	if (!rc)
		return HTTP_LATER;
	release_free(r);
	return rc;
}

static int post_stop(void *ctx, struct http_request *req)
{
	struct supervisor *s = ctx;

	if (s->nr_stop_req == sizeof(s->stop_req) / sizeof(s->stop_req[0]))
		return err_set(ERR_CONFLICT, "slugrun is stopping");
	s->stop_req[s->nr_stop_req++] = req;
	supervisor_stop(s);
	return HTTP_LATER;
}

/* Each in lane 1, the only one: the main thread. */
const struct http_route api_routes[] = {
	{ "GET", "/", get_state, 1 },
	{ "POST", "/launch", post_launch, 1 },
	{ "POST", "/stop", post_stop, 1 },
	{ NULL, NULL, NULL, 0 },
};
