/* SPDX-License-Identifier: ISC */
#include "http-parts.h"

#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "mem.h"

/* Error ids: https://devcenter.heroku.com/articles/platform-api-reference */
static const struct {
	int code, status;
	const char *id;
} errors[] = {
	{ ERR_BADREQUEST, 400, "bad_request" },
	{ ERR_FORBIDDEN, 403, "forbidden" },
	{ ERR_NOTFOUND, 404, "not_found" },
	{ ERR_CONFLICT, 409, "conflict" },
	{ ERR_STALE, 412, "precondition_failed" },
	{ ERR_TOOBIG, 413, "too_large" },
	{ ERR_RANGE, 416, "requested_range_not_satisfiable" },
	{ ERR_INVALID, 422, "invalid_params" },
	{ ERR_UNAVAILABLE, 503, "service_unavailable" },
};

const char *http_error_id(int code)
{
	size_t i;

	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i].code == code)
			return errors[i].id;
	return "internal_server_error";
}

int http_error_status(int code)
{
	size_t i;

	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i].code == code)
			return errors[i].status;
	return 500;
}

bool http_match(const char *pattern, const char *path, struct http_request *req,
		char **copy)
{
	const char *p = pattern;
	char *s = xstrdup(path), *at = s;
	size_t n = 0;

	while (*p && *at) {
		if (*p == ':') {
			p += strcspn(p, "/");
			if (*at == '/' || n == HTTP_MAX_PARAMS)
				break;
			req->param[n++] = at;
			at += strcspn(at, "/");
			/* Ended below, once the rest is known to match. */
			continue;
		}
		if (*p++ != *at++)
			break;
	}
	if (*p || *at) {
		free(s);
		memset(req->param, 0, sizeof(req->param));
		return false;
	}
	while (n--) {
		char *param = s + (req->param[n] - s);

		param[strcspn(param, "/")] = '\0';
	}
	*copy = s;
	return true;
}
