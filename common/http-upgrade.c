/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <string.h>

#include "http-private.h"

bool http_wants_upgrade(struct http_request *req, const char *protocol)
{
	const char *wanted = http_get_header(req, MHD_HTTP_HEADER_UPGRADE);

	return wanted && !strcasecmp(wanted, protocol);
}

void http_reply_upgrade(struct http_request *req, const char *protocol,
			http_take_fn *take, void *ctx)
{
	req->status = MHD_HTTP_SWITCHING_PROTOCOLS;
	req->priv->take = take;
	req->priv->take_ctx = ctx;
	http_add_header(req, MHD_HTTP_HEADER_UPGRADE, protocol);
}

/*
 * The answer is sent. libmicrohttpd lets go of a socket by closing it alone
 * (a unit test watches that), so a second descriptor is what goes on.
 */
/* NOLINTNEXTLINE(readability-function-size) the library's parameters */
static void on_upgrade(void *cls, struct MHD_Connection *connection,
		       void *state, const char *early, size_t len,
		       MHD_socket sock, struct MHD_UpgradeResponseHandle *urh)
{
	struct http_private *priv = cls;
	http_take_fn *take = priv->take;
	int fd = fcntl(sock, F_DUPFD_CLOEXEC, 0);

	(void)connection;
	(void)state;
	priv->take = NULL;
	take(priv->take_ctx, fd, early, len);
	MHD_upgrade_action(urh, MHD_UPGRADE_ACTION_CLOSE);
}

struct MHD_Response *http_upgrade_response(struct http_request *req)
{
	return MHD_create_response_for_upgrade(on_upgrade, req->priv);
}

void http_upgrade_end(struct http_request *req)
{
	http_take_fn *take = req->priv->take;

	req->priv->take = NULL;
	if (take)
		take(req->priv->take_ctx, -1, NULL, 0);
}
