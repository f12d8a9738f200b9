/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdlib.h>

#include "client.h"
#include "ctl.h"
#include "err.h"
#include "text.h"

/* slugd does it: it knows what is being packed. */
int ctl_gc(const struct ctl *ctl)
{
	struct client *c = NULL;
	json_t *freed = NULL;
	int rc = client_open(&c, ctl->socket);

	if (rc == ERR_UNAVAILABLE)
		return err_set(rc,
			       "slugd is not running: nothing answers at %s",
			       ctl->socket);
	if (!rc)
		rc = client_call(c, "POST", "/slugs/actions/gc", NULL, &freed);
	if (!rc) {
		char *size = text_size((uint64_t)json_int(freed, "freed", 0));
		int64_t n = json_int(freed, "expired", 0);

		printf("freed %s, %" PRId64 " release%s expired\n", size, n,
		       n == 1 ? "" : "s");
		free(size);
	}
	json_decref(freed);
	client_free(c);
	return rc;
}
