/* SPDX-License-Identifier: ISC */
/*
 * reference-transaction: tells slugd at once that a branch moved, so that
 * the release is recorded even if nobody is left to run post-receive. Says
 * nothing and never fails of itself: git has decided already. Needs the
 * repository and slugd's socket, nothing else.
 */
#include <signal.h>
#include <string.h>

#include "chain.h"
#include "hook.h"

#define LIMIT_MS 60000 /* git waits for us: not for ever */

/* Of the branches that are there now, what this push is about. */
static json_t *watched(const json_t *refs)
{
	json_t *all = hook_branches(refs), *list = json_array(), *ref;
	size_t i;

	json_array_foreach(all, i, ref)
		if (hook_is_watched(json_str(ref, "name", "")))
			json_array_append(list, ref);
	json_decref(all);
	return list;
}

int main(int argc, char **argv)
{
	json_t *refs = NULL, *branches = NULL;
	struct client *c = NULL;
	int rc = hook_chain("reference-transaction", argv);

	/* Prepared, the repository's own hook may still refuse. */
	if (argc != 2 || strcmp(argv[1], "committed") != 0)
		return rc ? 1 : 0;
	signal(SIGPIPE, SIG_IGN);
	if (hook_read_refs(&refs))
		return 0;
	branches = watched(refs);
	if (!json_array_size(branches))
		goto done;
	/* Before slugd lets the next push go on, which puts it there again. */
	hook_watch_end();
	if (!hook_connect(&c)) {
		client_set_timeout(c, LIMIT_MS);
		/* What fails here is settled when the push ends. */
		(void)hook_post(c, "/pushes/actions/settle", branches, NULL,
				NULL);
	}
done:
	client_free(c);
	json_decref(branches);
	json_decref(refs);
	return 0;
}
