/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "http-parts.h"
#include "http-private.h"

/* Bytes of body that are read and thrown away to keep the connection. */
#define MAX_UNWANTED (64U << 10)

/* The route of req into priv->route. Errors: ERR_NOTFOUND. */
static int find_route(struct http_request *req)
{
	const struct http_route *r;
	bool other_method = false;

	for (r = req->server->config.routes; r->method; r++) {
		bool head = !strcmp(req->method, "HEAD") &&
			    !strcmp(r->method, "GET");

		if (!http_match(r->pattern, req->path, req, &req->priv->params))
			continue;
		if (head || !strcmp(r->method, req->method)) {
			req->priv->route = r;
			return 0;
		}
		other_method = true;
		free(req->priv->params);
		req->priv->params = NULL;
	}
	if (other_method)
		return err_set(ERR_NOTFOUND, "%s is not a method of %s",
			       req->method, req->path);
	return err_set(ERR_NOTFOUND,
		       "The requested API endpoint was not "
		       "found: %s",
		       req->path);
}

int http_admit(struct http_request *req)
{
	const struct http_config *c = &req->server->config;
	const struct http_peer *peer = req->peer;
	int rc;

	if (peer->is_boxed || (c->is_app && c->is_app(c->ctx, peer->uid)))
		return err_set(ERR_FORBIDDEN, "an app has no access here");
	if (peer->is_unknown)
		return err_set(ERR_UNAVAILABLE,
			       "cannot find out whether process %d is an "
			       "app's; try again",
			       (int)peer->pid);
	rc = find_route(req);
	if (!rc && req->priv->route->may)
		rc = req->priv->route->may(c->ctx, req);
	return rc;
}

bool http_has_small_body(struct http_request *req)
{
	const char *len = http_get_header(req, MHD_HTTP_HEADER_CONTENT_LENGTH);

	if (http_get_header(req, MHD_HTTP_HEADER_TRANSFER_ENCODING) ||
	    http_get_header(req, MHD_HTTP_HEADER_EXPECT))
		return false;
	return !len || strtoull(len, NULL, 10) <= MAX_UNWANTED;
}
