/* SPDX-License-Identifier: ISC */

/*
 * slugd-parent: what stays root where slugd gives root up. See slugd(8),
 * PRIVILEGES.
 *
 * It starts slugd as the account that DIR belongs to and waits for two
 * requests of it, on a socket that nobody else has:
 *
 *	start APP		start slugrun(8) for DIR/apps/APP
 *	uids N-N N-N		reserve these uids; these ports are in use
 *
 * It reads nothing else: no file of DIR, no HTTP, no JSON. It trusts slugd
 * with no path: it takes a name and computes the path itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "err.h"
#include "log.h"
#include "mem.h"
#include "names.h"
#include "privilege.h"
#include "proc.h"
#include "uids.h"
#include "units.h"

#define FOLDER (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

/* A slugrun that was started here, until it ends. */
struct started {
	pid_t pid;
	char *app;
};

struct parent {
	const char *dir; /* absolute, without links */
	int dir_fd, socket, signals;
	uid_t uid;
	gid_t gid;
	pid_t self, slugd;
	struct units *units;
	struct started *v;
	size_t n;
};

/* --- slugd, with the rights of the account alone --- */

/* Of getpwuid_r(), whose page has these two for a uid that has no name. */
static bool is_failure(int rc)
{
	return rc && rc != ENOENT && rc != ESRCH;
}

static int not_looked_up(uid_t uid, int error)
{
	errno = error;
	return err_sys("cannot look up uid %u", (unsigned)uid);
}

static int become(const struct parent *p)
{
	struct passwd buf, *pw = NULL;
	char text[4096];
	int rc;

	rc = getpwuid_r(p->uid, &buf, text, sizeof(text), &pw);
	if (is_failure(rc))
		return not_looked_up(p->uid, rc);
	rc = pw ? initgroups(pw->pw_name, p->gid) : setgroups(0, NULL);
	if (rc || setresgid(p->gid, p->gid, p->gid) ||
	    setresuid(p->uid, p->uid, p->uid) ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return err_sys("cannot become uid %u", (unsigned)p->uid);
	if (setenv("HOME", pw ? pw->pw_dir : p->dir, 1))
		abort();
	return 0;
}

/* In the child; comes back where it fails. */
static int run_slugd(const struct parent *p, int socket, char **argv)
{
	char number[16];
	sigset_t none;
	int rc;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	rc = become(p);
	if (rc)
		return rc;
	/* After the change of uid, which would undo it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != p->self)
		return err_set(ERR_FAILED, "slugd-parent is gone");
	snprintf(number, sizeof(number), "%d", socket);
	if (fcntl(socket, F_SETFD, 0) || setenv(PRIVILEGE_SOCKET, number, 1))
		return err_sys("the socket");
	execv(argv[0], argv);
	return err_sys("%s", argv[0]);
}

static int start_slugd(struct parent *p, char **argv)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return err_sys("socketpair");
	p->socket = pair[0];
	p->self = getpid();
	p->slugd = fork();
	if (p->slugd < 0)
		return err_sys("fork");
	if (!p->slugd) {
		run_slugd(p, pair[1], argv);
		fprintf(stderr, " !    %s\n", err_msg());
		_exit(1);
	}
	close(pair[1]);
	return 0;
}

/* --- what it asks for --- */

/* The folder of an app, which root alone may change. */
static int make_folder(const struct parent *p, const char *app)
{
	const struct open_how how = {
		.flags = FOLDER,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};
	int fd =
		(int)syscall(SYS_openat2, p->dir_fd, "apps", &how, sizeof(how));
	struct stat st;
	int rc = 0;

	if (fd < 0)
		return err_sys("%s/apps", p->dir);
	if ((mkdirat(fd, app, 0755) && errno != EEXIST) ||
	    fstatat(fd, app, &st, AT_SYMLINK_NOFOLLOW))
		rc = err_sys("%s/apps/%s", p->dir, app);
	else if (!S_ISDIR(st.st_mode))
		rc = err_set(ERR_FAILED, "%s/apps/%s is no folder", p->dir,
			     app);
	close(fd);
	return rc;
}

static int spawn(struct parent *p, const char *app)
{
	char *dir = xasprintf("%s/apps/%s", p->dir, app);
	char *program = proc_helper("slugrun");
	const char *argv[] = { program, dir, NULL };
	struct proc_spec spec = { .argv = argv,
				  .err = PROC_INHERIT,
				  .session = true };
	pid_t pid;
	int rc = proc_spawn(&pid, &spec);

	if (!rc) {
		p->v = xrealloc(p->v, p->n + 1, sizeof(*p->v));
		p->v[p->n++] = (struct started){ pid, xstrdup(app) };
	}
	free(program);
	free(dir);
	return rc;
}

static int start_app(struct parent *p, const char *app)
{
	int rc = name_check_app(app);

	if (!rc)
		rc = make_folder(p, app);
	if (rc)
		return rc;
	rc = units_start(p->units, app);
	if (!rc)
		return 0;
	if (rc != ERR_NOTFOUND)
		log_line("app=%s: its slugrun is no unit: %s", app, err_msg());
	return spawn(p, app);
}

static int take_uids(const struct parent *p, char *text)
{
	struct uids u = { .dir = p->dir };
	char *ports = strchr(text, ' ');

	if (ports)
		*ports++ = '\0';
	if (!ports || !uid_range_parse(&u.uids, text) ||
	    !uid_range_parse(&u.ports, ports))
		return err_set(ERR_INVALID, "wrong ranges");
	return uids_take(&u);
}

/* The answer: a number, 0 or ERR_*, and the words for it. */
static void serve(struct parent *p)
{
	char text[PRIVILEGE_SIZE], answer[PRIVILEGE_SIZE];
	ssize_t n = recv(p->socket, text, sizeof(text) - 1, MSG_DONTWAIT);
	int rc;

	if (n <= 0)
		return;
	text[n] = '\0';
	if (!strncmp(text, "start ", 6))
		rc = start_app(p, text + 6);
	else if (!strncmp(text, "uids ", 5))
		rc = take_uids(p, text + 5);
	else
		rc = err_set(ERR_INVALID, "no such request");
	snprintf(answer, sizeof(answer), "%d %s", rc, rc ? err_msg() : "");
	if (send(p->socket, answer, strlen(answer), MSG_NOSIGNAL) < 0)
		log_line("slugd does not listen: %s", strerror(errno));
}

/* --- signals --- */

static void slugrun_ended(struct parent *p, pid_t pid, int status)
{
	size_t i = 0;

	while (i < p->n && p->v[i].pid != pid)
		i++;
	if (i == p->n)
		return;
	if (WIFSIGNALED(status))
		log_line("slugrun of %s was ended by signal %d", p->v[i].app,
			 WTERMSIG(status));
	else if (WEXITSTATUS(status))
		log_line("slugrun of %s exited with %d", p->v[i].app,
			 WEXITSTATUS(status));
	free(p->v[i].app);
	p->v[i] = p->v[--p->n];
}

/* As slugd ended, so does its parent. */
static _Noreturn void end_as(int status)
{
	const struct rlimit none = { 0, 0 };

	if (WIFSIGNALED(status)) {
		setrlimit(RLIMIT_CORE, &none);
		signal(WTERMSIG(status), SIG_DFL);
		raise(WTERMSIG(status));
		exit(128 + WTERMSIG(status));
	}
	exit(WEXITSTATUS(status));
}

static void take_signals(struct parent *p)
{
	struct signalfd_siginfo got;
	int status;
	pid_t pid;

	while (read(p->signals, &got, sizeof(got)) == sizeof(got))
		if (got.ssi_signo != SIGCHLD)
			kill(p->slugd, (int)got.ssi_signo);
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == p->slugd)
			end_as(status);
		slugrun_ended(p, pid, status);
	}
}

static int take_charge(struct parent *p)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	p->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return p->signals < 0 ? err_sys("signalfd") : 0;
}

/* DIR says who the account is: not the caller, and nothing that it reads. */
static int open_dir(struct parent *p, const char *dir)
{
	const struct open_how how = { .flags = FOLDER,
				      .resolve = RESOLVE_NO_SYMLINKS };
	struct passwd buf, *pw = NULL;
	char text[4096];
	struct stat st;
	int rc;

	p->dir = dir;
	p->dir_fd = (int)syscall(SYS_openat2, AT_FDCWD, dir, &how, sizeof(how));
	if (p->dir_fd < 0 || fstat(p->dir_fd, &st))
		return err_sys("%s", dir);
	if (!st.st_uid)
		return err_set(ERR_INVALID, "%s is root's", dir);
	rc = getpwuid_r(st.st_uid, &buf, text, sizeof(text), &pw);
	if (is_failure(rc))
		return not_looked_up(st.st_uid, rc);
	p->uid = st.st_uid;
	p->gid = pw ? pw->pw_gid : st.st_gid;
	return 0;
}

int main(int argc, char **argv)
{
	struct parent p = { .dir_fd = -1 };
	int rc;

	log_init("slugd-parent");
	if (argc < 3 || geteuid() || *argv[1] != '/') {
		fputs("slugd-parent: slugd starts it, as root\n", stderr);
		return 2;
	}
	proc_close_inherited();
	rc = open_dir(&p, argv[1]);
	if (!rc)
		rc = take_charge(&p);
	if (!rc)
		rc = start_slugd(&p, argv + 2);
	if (rc) {
		fprintf(stderr, " !    %s\n", err_msg());
		return 1;
	}
	p.units = units_new();
	for (;;) {
		struct pollfd fds[] = { { p.signals, POLLIN, 0 },
					{ p.socket, POLLIN, 0 } };

		if (poll(fds, 2, -1) < 0)
			continue;
		if (fds[1].revents & POLLIN)
			serve(&p);
		else if (fds[1].revents) /* slugd is on its way out */
			p.socket = -1;
		take_signals(&p);
	}
}
