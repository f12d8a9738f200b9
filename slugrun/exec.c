/* SPDX-License-Identifier: ISC */
#include "exec.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "err.h"
#include "mem.h"

static int read_all(int fd, char **out, size_t *len)
{
	size_t size = 0;
	char *text = NULL;
	ssize_t n;

	*len = 0;
	do {
		if (*len == size) {
			size = size ? size * 2 : 65536;
			text = xrealloc(text, size, 1);
		}
		n = read(fd, text + *len, size - *len);
		if (n > 0)
			*len += (size_t)n;
	} while (n > 0 || (n < 0 && errno == EINTR));
	*out = text;
	return n < 0 ? err_sys("reading the environment") : 0;
}

/* The strings in text, as execve(2) takes them. */
static char **split(char *text, size_t len)
{
	size_t i, n = 0, at = 0;
	char **env;

	for (i = 0; i < len; i++)
		n += !text[i];
	env = xcalloc(n + 1, sizeof(*env));
	for (i = 0; i < n; i++) {
		env[i] = text + at;
		at += strlen(text + at) + 1;
	}
	return env;
}

/* What holds for the process and all that it starts. */
static int fence(long parent)
{
	struct rlimit none = { 0, 0 };

	if (prctl(PR_SET_PDEATHSIG, SIGKILL))
		return err_sys("PR_SET_PDEATHSIG");
	if (getppid() != parent)
		return err_set(ERR_UNAVAILABLE, "the supervisor is gone");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return err_sys("PR_SET_NO_NEW_PRIVS");
	if (setrlimit(RLIMIT_CORE, &none))
		return err_sys("RLIMIT_CORE");
	return 0;
}

int exec_command(long parent, int env_fd, const char *dir, const char *command)
{
	char sh[] = "/bin/sh", c[] = "-c", *text = NULL, **env = NULL;
	char *copy = xstrdup(command);
	char *argv[] = { sh, c, copy, NULL };
	size_t len = 0;
	int rc;

	rc = fence(parent);
	if (!rc && chdir(dir))
		rc = err_sys("%s", dir);
	if (!rc)
		rc = read_all(env_fd, &text, &len);
	if (rc)
		goto done;
	close(env_fd);
	env = split(text, len);
	execve(sh, argv, env);
	rc = err_sys("%s", sh);
done:
	free(env);
	free(text);
	free(copy);
	return rc;
}
