/* SPDX-License-Identifier: ISC */
#include "fences.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bind-fence.h"
#include "box-settings.h"
#include "box.h"
#include "cgroup.h"
#include "err.h"
#include "json.h"
#include "mem.h"
#include "proc.h"
#include "release.h"
#include "tree.h"

#define NOBODY 65534

/*
 * A command for a box, that says what it sees: the words of struct trial,
 * one a line.
 */
static const char command[] =
	"pwd; id -u; "
	"grep -q '^overlay /app ' /proc/mounts && echo overlay || echo copy; "
	"sed -n 's/^Seccomp:[^0-9]*//p' /proc/self/status; "
	"echo \"$SLUGRUN_REFUSED\"";

#define NR_WORDS 5

/* Lines of text, which they point into. */
static void split(char *text, const char *words[NR_WORDS])
{
	size_t i;

	for (i = 0; i < NR_WORDS; i++) {
		words[i] = text;
		text += strcspn(text, "\n");
		if (*text)
			*text++ = '\0';
	}
}

static int put_settings(int *fd, const struct release *r, const char *run)
{
	static const char env[] = "PATH=/usr/local/bin:/usr/bin:/bin";

	*fd = memfd_create("environment", MFD_CLOEXEC);
	if (*fd < 0 || write(*fd, env, sizeof(env)) < 0)
		return err_sys("memfd_create");
	return box_settings_write(*fd, r, run, command, NULL, 0);
}

/* Run the command in a box in the folder run. */
static int try_box(char **text, const struct release *r, const char *run)
{
	char *self = proc_helper("slugrun-box");
	char *parent = xasprintf("%ld", (long)getpid());
	const char *argv[] = { self, "exec", parent, "fences", "try", NULL };
	struct proc_spec spec = { .argv = argv, .dir = "/" };
	int rc = put_settings(&spec.extra, r, run);

	if (!rc)
		rc = proc_capture(text, NULL, &spec);
	if (spec.extra > 0)
		close(spec.extra);
	free(parent);
	free(self);
	return rc;
}

/* As slugrun makes them: a tree is the user's, a process's folder ours. */
static int make_folders(const char *tree, const char *run, int64_t uid)
{
	if (mkdir(tree, 0700) || chown(tree, (uid_t)uid, (gid_t)uid))
		return err_sys("%s", tree);
	if (mkdir(run, 0700))
		return err_sys("%s", run);
	return box_let_in(run, uid);
}

/* The same, with folders that are there for it alone. */
static int try_in(char **text, const char *top)
{
	char *dir = xasprintf("%s/tree", top), *run = xasprintf("%s/run", top);
	struct release r = { .dir = dir,
			     .store = dir,
			     .uid = -1,
			     .namespaces = true,
			     .seccomp = true };
	int rc;

	/* In a container root may be root of a few users alone. */
	if (!geteuid() && !chown(top, NOBODY, NOBODY))
		r.uid = NOBODY;
	rc = make_folders(dir, run, r.uid);
	if (!rc)
		rc = try_box(text, &r, run);
	free(dir);
	free(run);
	return rc;
}

/* True, or why not. */
static json_t *verdict(bool live, const char *why)
{
	return live ? json_true() : json_string(why);
}

/* Can a process be kept from ports that are not its own? */
static json_t *try_ports(void)
{
	char *group = cgroup_try(), *why = NULL;
	struct bind_fence f;
	json_t *j;

	bind_fence_init(&f);
	if (geteuid())
		why = xstrdup("slugd is not root");
	else if (!group)
		why = xstrdup("no cgroup of version 2 to be had");
	else if (bind_fence_try() || bind_fence_open(&f, group) ||
		 bind_fence_guard(&f, 1, 2))
		why = xstrdup(err_msg());
	j = verdict(!why, why);
	bind_fence_close(&f);
	if (group)
		rmdir(group);
	free(group);
	free(why);
	return j;
}

static json_t *describe(char *text)
{
	const char *words[NR_WORDS];
	char *groups = cgroup_live();
	bool spaces, uid;
	json_t *j;

	split(text, words);
	spaces = !strcmp(words[0], "/app");
	uid = !geteuid() && strtol(words[1], NULL, 10) == NOBODY;
	j = json_make("{s:o, s:o, s:o, s:o, s:o, s:o}", "own_uid",
		      verdict(uid, geteuid() ? "slugd is not root"
					     : "no other users here"),
		      "namespaces", verdict(spaces, words[4]), "overlay",
		      verdict(!strcmp(words[2], "overlay"),
			      "copied, which takes longer"),
		      "seccomp",
		      verdict(!strcmp(words[3], "2"), "not in this kernel"),
		      "ports", try_ports(), "cgroups",
		      json_str_or_null(groups));
	free(groups);
	return j;
}

int fences_print(const char *dir)
{
	char *top = xasprintf("%s/fences.XXXXXX", dir), *text = NULL, *line;
	json_t *j;
	int rc = 0;

	if (!mkdtemp(top)) {
		rc = err_sys("%s", top);
		goto done;
	}
	rc = try_in(&text, top);
	if (tree_remove(AT_FDCWD, top) && !rc)
		rc = err_set(ERR_SYSTEM, "%s is left", top);
	if (rc)
		goto done;
	j = describe(text);
	line = json_dumps(j, JSON_COMPACT);
	printf("%s\n", line);
	free(line);
	json_decref(j);
done:
	free(text);
	free(top);
	return rc;
}
