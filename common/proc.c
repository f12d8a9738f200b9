/* SPDX-License-Identifier: ISC */
#include "proc.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "err.h"
#include "mem.h"

void proc_close_inherited(void)
{
	close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
}

static void give(posix_spawn_file_actions_t *fa, int from, int to)
{
	if (from == 0)
		posix_spawn_file_actions_addopen(fa, to, "/dev/null", O_RDWR,
						 0);
	else if (from != PROC_INHERIT)
		posix_spawn_file_actions_adddup2(fa, from, to);
}

/* Signals as a fresh program expects them: none blocked, none ignored. */
static void plain_signals(posix_spawnattr_t *attr)
{
	sigset_t set;

	sigemptyset(&set);
	posix_spawnattr_setsigmask(attr, &set);
	sigfillset(&set);
	sigdelset(&set, SIGKILL);
	sigdelset(&set, SIGSTOP);
	posix_spawnattr_setsigdefault(attr, &set);
}

int proc_spawn(pid_t *pid, const struct proc_spec *spec)
{
	/* The prototype of posix_spawn is older than const. */
	union {
		const char *const *in;
		char *const *out;
	} argv = { spec->argv }, env = { spec->env };
	short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	int rc;

	posix_spawn_file_actions_init(&fa);
	posix_spawnattr_init(&attr);
	give(&fa, spec->in, STDIN_FILENO);
	give(&fa, spec->out, STDOUT_FILENO);
	give(&fa, spec->err, STDERR_FILENO);
	if (spec->extra)
		posix_spawn_file_actions_adddup2(&fa, spec->extra, 3);
	if (spec->dir)
		posix_spawn_file_actions_addchdir_np(&fa, spec->dir);
	plain_signals(&attr);
	if (spec->session)
		flags |= POSIX_SPAWN_SETSID;
	if (spec->group)
		flags |= POSIX_SPAWN_SETPGROUP;
	posix_spawnattr_setflags(&attr, flags);
	rc = posix_spawnp(pid, spec->argv[0], &fa, &attr, argv.out,
			  spec->env ? env.out : environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&fa);
	if (rc) {
		errno = rc;
		return err_sys("cannot run %s", spec->argv[0]);
	}
	return 0;
}

/* code: as that of struct proc_end. */
static int wait_for(pid_t pid, const char *name, int *code)
{
	int status;

	*code = -1;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys("waiting for %s", name);
	if (WIFEXITED(status)) {
		*code = WEXITSTATUS(status);
		return *code ? err_set(ERR_FAILED, "%s exited with %d", name,
				       *code)
			     : 0;
	}
	return err_set(ERR_FAILED, "%s was ended by signal %d", name,
		       WTERMSIG(status));
}

int proc_wait(pid_t pid, const char *name)
{
	int code;

	return wait_for(pid, name, &code);
}

/* Both pipes of a child, read to their ends. */
static void drain(const int fds[2], FILE *const to[2])
{
	struct pollfd p[2] = { { fds[0], POLLIN, 0 }, { fds[1], POLLIN, 0 } };
	char buf[8192];
	int i, open_fds = 2;

	while (open_fds && (poll(p, 2, -1) >= 0 || errno == EINTR)) {
		for (i = 0; i < 2; i++) {
			ssize_t n;

			if (p[i].fd < 0 || !p[i].revents)
				continue;
			n = read(p[i].fd, buf, sizeof(buf));
			if (n > 0) {
				fwrite(buf, 1, (size_t)n, to[i]);
			} else if (n == 0 || errno != EINTR) {
				p[i].fd = -1;
				open_fds--;
			}
		}
	}
}

int proc_capture(char **out, size_t *len, const struct proc_spec *spec)
{
	struct proc_spec child = *spec;
	int to_out[2] = { -1, -1 }, to_err[2] = { -1, -1 }, code = -1, rc;
	char *text[2] = { NULL, NULL };
	size_t size[2] = { 0, 0 };
	FILE *mem[2];
	pid_t pid;

	mem[0] = open_memstream(&text[0], &size[0]);
	mem[1] = open_memstream(&text[1], &size[1]);
	if (!mem[0] || !mem[1])
		abort();
	if (pipe2(to_out, O_CLOEXEC) || pipe2(to_err, O_CLOEXEC)) {
		rc = err_sys("pipe");
		goto done;
	}
	child.out = to_out[1];
	child.err = to_err[1];
	rc = proc_spawn(&pid, &child);
	if (rc)
		goto done;
	close(to_out[1]);
	close(to_err[1]);
	to_out[1] = to_err[1] = -1;
	drain((int[2]){ to_out[0], to_err[0] }, mem);
	rc = wait_for(pid, spec->argv[0], &code);
done:
	fclose(mem[0]);
	fclose(mem[1]);
	if (spec->end) {
		spec->end->code = code;
		spec->end->said = xstrdup(text[1]);
	}
	if (rc == ERR_FAILED && size[1]) {
		text[1][strcspn(text[1], "\n")] = '\0';
		err_set(rc, "%s: %s", spec->argv[0], text[1]);
	}
	if (!rc && out) {
		*out = text[0];
		text[0] = NULL;
		if (len)
			*len = size[0];
	}
	free(text[0]);
	free(text[1]);
	if (to_out[0] >= 0)
		close(to_out[0]);
	if (to_out[1] >= 0)
		close(to_out[1]);
	if (to_err[0] >= 0)
		close(to_err[0]);
	if (to_err[1] >= 0)
		close(to_err[1]);
	return rc;
}

char *proc_helper(const char *name)
{
	const char *dir = getenv("SLUGD_EXEC_PATH");

	if (!dir || !*dir)
		dir = LIBEXECDIR;
	return xasprintf("%s/%s", dir, name);
}
