/* SPDX-License-Identifier: ISC */
#include "catfile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "err.h"
#include "mem.h"
#include "output.h"
#include "proc.h"

#define PIECE (64 << 10)

struct catfile {
	pid_t pid;
	int to;     /* its standard input */
	FILE *from; /* its standard output */
	char piece[PIECE];
};

/*
 * The folders behind the first, as GIT_ALTERNATE_OBJECT_DIRECTORIES has
 * them: quoted, since a path may have a colon.
 */
static char *alternates(const char *const *objects, size_t nr)
{
	char *text = NULL;
	size_t len, i;
	const char *p;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		abort();
	fputs("GIT_ALTERNATE_OBJECT_DIRECTORIES=", f);
	for (i = 1; i < nr; i++) {
		fputs(i > 1 ? ":\"" : "\"", f);
		for (p = objects[i]; *p; p++)
			fprintf(f, *p == '"' || *p == '\\' ? "\\%c" : "%c", *p);
		fputc('"', f);
	}
	fclose(f);
	return text;
}

static int start(struct catfile *c, const char *git_dir, const char *const *env,
		 int in, int out)
{
	/* The windows are what git has of a pack in memory. */
	const char *argv[] = { "git",
			       "--git-dir",
			       git_dir,
			       "-c",
			       "core.bigFileThreshold=1m",
			       "-c",
			       "core.packedGitWindowSize=1m",
			       "-c",
			       "core.packedGitLimit=32m",
			       "cat-file",
			       "--batch",
			       NULL };

	return proc_spawn(&c->pid, &(struct proc_spec){ .argv = argv,
							.env = env,
							.in = in,
							.out = out,
							.err = PROC_INHERIT });
}

static int open_pipes(int in[2], int out[2])
{
	if (pipe2(in, O_CLOEXEC))
		return err_sys("pipe");
	if (!pipe2(out, O_CLOEXEC))
		return 0;
	close(in[0]);
	close(in[1]);
	return err_sys("pipe");
}

int catfile_open(struct catfile **out, const char *git_dir,
		 const char *const *objects, size_t nr_objects)
{
	const char *path = getenv("PATH");
	char *where = xasprintf("PATH=%s", path ? path : "/usr/bin:/bin");
	char *first = xasprintf("GIT_OBJECT_DIRECTORY=%s",
				nr_objects ? objects[0] : "");
	char *others = alternates(objects, nr_objects);
	const char *env[] = { where, "LC_ALL=C", "GIT_NO_REPLACE_OBJECTS=1",
			      "GIT_CONFIG_NOSYSTEM=1",
			      "GIT_CONFIG_GLOBAL=/dev/null",
			      /* An object that is missing is not fetched. */
			      "GIT_ALLOW_PROTOCOL=none", "GIT_NO_LAZY_FETCH=1",
			      nr_objects ? first : NULL, others, NULL };
	struct catfile *c = xcalloc(1, sizeof(*c));
	int in[2], from[2], rc;

	c->to = -1;
	rc = open_pipes(in, from);
	if (rc)
		goto done;
	c->to = in[1];
	c->from = fdopen(from[0], "r");
	if (!c->from)
		abort();
	rc = start(c, git_dir, env, in[0], from[1]);
	close(in[0]);
	close(from[1]);
done:
	if (rc)
		catfile_free(c);
	else
		*out = c;
	free(others);
	free(first);
	free(where);
	return rc;
}

static int unexpected(const char *what)
{
	return err_set(ERR_FAILED, "git cat-file: %s", what);
}

/* "ID blob SIZE" */
static int read_header(struct catfile *c, const char *id, uint64_t size)
{
	char line[256], *wanted;
	int rc = 0;

	if (!fgets(line, sizeof(line), c->from))
		return unexpected("no answer");
	line[strcspn(line, "\n")] = '\0';
	wanted = xasprintf("%s blob %" PRIu64, id, size);
	if (strcmp(line, wanted))
		rc = unexpected(line);
	free(wanted);
	return rc;
}

int catfile_read(struct catfile *c, const char *id, uint64_t size,
		 const struct sink *to)
{
	char *line = xasprintf("%s\n", id);
	int rc = write_all(c->to, line, strlen(line), "to git cat-file");

	free(line);
	if (!rc)
		rc = read_header(c, id, size);
	while (!rc && size) {
		size_t piece = size < PIECE ? (size_t)size : PIECE;
		size_t n = fread(c->piece, 1, piece, c->from);

		rc = n ? sink_write(to, c->piece, n)
		       : unexpected("it ended too early");
		size -= n;
	}
	if (!rc && fgetc(c->from) != '\n')
		rc = unexpected("more than there should be");
	return rc;
}

void catfile_free(struct catfile *c)
{
	if (!c)
		return;
	/* It ends with its input, or when nobody reads what it has to say. */
	if (c->to >= 0)
		close(c->to);
	if (c->from)
		fclose(c->from);
	while (c->pid && waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
		;
	free(c);
}
