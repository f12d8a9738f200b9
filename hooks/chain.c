/* SPDX-License-Identifier: ISC */
#include "chain.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "err.h"
#include "mem.h"
#include "proc.h"

/* Standard input becomes a file, to be read twice. */
static int keep_input(void)
{
	int fd = memfd_create("refs", MFD_CLOEXEC), rc = 0;
	char buf[8192];
	ssize_t n = 1;

	while (fd >= 0 && n > 0) {
		n = read(STDIN_FILENO, buf, sizeof(buf));
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n > 0 && write(fd, buf, (size_t)n) != n)
			n = -1;
	}
	if (fd < 0 || n < 0 || lseek(fd, 0, SEEK_SET) ||
	    dup2(fd, STDIN_FILENO) < 0)
		rc = err_sys("standard input");
	if (fd >= 0)
		close(fd);
	return rc;
}

/* The hook, or what it is a link to, as $0 had it before. Caller frees. */
static char *find(const char *name)
{
	char *path = xasprintf("hooks/%s.chained", name), target[4096];
	ssize_t n = readlink(path, target, sizeof(target) - 1);

	if (n > 0)
		str_replace(&path, xstrndup(target, (size_t)n));
	return path;
}

int hook_chain(const char *name, char **argv)
{
	char *path = find(name);
	const char *args[4] = { path };
	struct proc_spec spec = { .argv = args,
				  .in = PROC_INHERIT,
				  .out = PROC_INHERIT,
				  .err = PROC_INHERIT };
	pid_t pid;
	int i, rc = 0;

	if (access(path, X_OK))
		goto done;
	for (i = 1; i < 3 && argv[i]; i++)
		args[i] = argv[i];
	rc = keep_input();
	if (!rc)
		rc = proc_spawn(&pid, &spec);
	if (!rc)
		rc = proc_wait(pid, path);
	/* The file's position is the hook's, too. */
	if (lseek(STDIN_FILENO, 0, SEEK_SET) && !rc)
		rc = err_sys("standard input");
done:
	free(path);
	return rc;
}
