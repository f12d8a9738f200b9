/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "ctl.h"
#include "err.h"
#include "ledger.h"
#include "mem.h"
#include "slugs.h"

static bool is_missing(void *ctx, const char *uuid)
{
	return !slugs_has(ctx, uuid);
}

/* "3 apps, 12 releases" */
static int count(struct ledger *l, size_t *apps, int64_t *releases)
{
	struct release *last;
	struct app **v = NULL;
	size_t i;
	int rc = ledger_apps(l, &v, apps);

	*releases = 0;
	for (i = 0; i < *apps && !rc; i++) {
		last = NULL;
		if (!ledger_release_last(l, v[i]->id, &last))
			*releases += last->version;
		release_free(last);
	}
	apps_free(v, *apps);
	return rc;
}

int ctl_fsck(const struct ctl *ctl)
{
	struct slug_store *store = NULL;
	struct ledger *l = NULL;
	int64_t releases = 0;
	size_t apps = 0;
	unsigned broken = 0;
	int rc;

	rc = ctl_open_ledger(ctl, &l);
	if (rc)
		goto done;
	store = slugs_at_folder(ctl->dir);
	rc = ledger_check(l, stdout, &broken, is_missing, store);
	if (!rc)
		rc = count(l, &apps, &releases);
	if (!rc && broken)
		rc = err_set(ERR_FAILED,
			     "%u invariant%s of the ledger %s "
			     "broken",
			     broken, broken == 1 ? "" : "s",
			     broken == 1 ? "is" : "are");
	if (!rc)
		printf("ledger ok: %zu app%s, %" PRId64 " release%s\n", apps,
		       apps == 1 ? "" : "s", releases,
		       releases == 1 ? "" : "s");
done:
	slugs_close(store);
	ledger_close(l);
	return rc;
}
