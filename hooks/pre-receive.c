/* SPDX-License-Identifier: ISC */
/*
 * pre-receive: tells slugd of a push that waits in quarantine, shows how the
 * build goes, and returns slugd's verdict. Needs the repository and slugd's
 * socket, nothing else.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "chain.h"
#include "err.h"
#include "hook.h"
#include "waiting.h"

/* The folders of the push's objects, of the environment that git made. */
static json_t *object_folders(void)
{
	const char *quarantine = getenv("GIT_QUARANTINE_PATH");
	char *objects = realpath("objects", NULL);
	json_t *more = json_object();

	if (quarantine)
		json_object_set_new(more, "quarantine",
				    json_str_or_null(quarantine));
	json_object_set_new(more, "objects", json_str_or_null(objects));
	free(objects);
	return more;
}

/* The release command's output, if there is one. */
static int follow_release(struct client *c, const json_t *push)
{
	const char *url = json_str(push, "release_output_stream_url", NULL);
	int rc = url ? client_stream(c, url, hook_say_bytes, NULL) : 0;

	return rc == ERR_NOTFOUND ? 0 : rc;
}

/* Show the build and the rest to their ends; then slugd's verdict. */
static int follow(struct client *c, const json_t *push)
{
	const char *url = json_str(push, "output_stream_url", NULL);
	char *id = client_path_segment(json_str(push, "id", ""));
	char path[256];
	json_t *status = NULL;
	int rc;

	snprintf(path, sizeof(path), "/pushes/%s/waiting", id);
	waiting_start(path);
	snprintf(path, sizeof(path), "/pushes/%s", id);
	free(id);
	/* A release command may be silent for long. */
	client_set_timeout(c, 0);
	rc = client_stream(c, url, hook_say_bytes, NULL);
	if (!rc)
		rc = follow_release(c, push);
	if (!rc)
		rc = client_call(c, "GET", path, NULL, &status);
	waiting_stop();
	if (rc)
		hook_complain(err_msg());
	else if (strcmp(json_str(status, "status", ""), "succeeded") != 0)
		rc = ERR_FAILED; /* the stream has said why */
	json_decref(status);
	return rc;
}

static int run(void)
{
	json_t *refs = NULL, *more = object_folders(), *push = NULL, *line;
	struct client *c = NULL;
	size_t i;
	int rc = hook_read_refs(&refs);

	if (!rc)
		rc = hook_connect(&c);
	if (!rc)
		rc = hook_post(c, "/pushes", refs, more, &push);
	if (rc) {
		hook_complain(err_msg());
		goto done;
	}
	json_array_foreach(json_object_get(push, "messages"), i, line)
		hook_say("%s\n", json_string_value(line));
	if (json_is_string(json_object_get(push, "output_stream_url")))
		rc = follow(c, push);
	if (!rc)
		hook_watch_ref(json_str(push, "ref", NULL));
done:
	client_free(c);
	json_decref(push);
	json_decref(more);
	json_decref(refs);
	return rc;
}

int main(int argc, char **argv)
{
	(void)argc;
	if (hook_chain("pre-receive", argv) || hook_pass_others() ||
	    hook_watch_all()) {
		hook_complain(err_msg());
		return 1;
	}
	signal(SIGPIPE, SIG_IGN);
	return run() ? 1 : 0;
}
