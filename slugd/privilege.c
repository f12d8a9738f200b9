/* SPDX-License-Identifier: ISC */
#include "privilege.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "err.h"
#include "log.h"
#include "mem.h"
#include "proc.h"

#define ACCOUNT "slugd" /* a new DIR's, where there is such an account */

struct privilege {
	int fd;
	pthread_mutex_t lock; /* one question at a time */
};

/* --- giving it up --- */

/* The account's uid; ERR_NOTFOUND where it has no entry. */
static int find_account(const char *name, uid_t *uid, gid_t *gid)
{
	struct passwd buf, *pw = NULL;
	char text[4096];
	int no = getpwnam_r(name, &buf, text, sizeof(text), &pw);

	if (!pw && no && no != ENOENT)
		return err_set(ERR_SYSTEM, "account %s: %s", name,
			       strerror(no));
	if (!pw)
		return err_set(ERR_NOTFOUND, "there is no account %s", name);
	*uid = pw->pw_uid;
	*gid = pw->pw_gid;
	return 0;
}

static int make_dir(const char *dir, const char *account)
{
	uid_t uid = 0;
	gid_t gid = 0;
	int fd, rc = find_account(account ? account : ACCOUNT, &uid, &gid);

	if (rc == ERR_NOTFOUND && !account)
		return 0;
	if (rc)
		return rc;
	if (mkdir(dir, 0700))
		return err_sys("%s", dir);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fchown(fd, uid, gid))
		rc = err_sys("%s", dir);
	if (fd >= 0)
		close(fd);
	/* Left there it would be root's. */
	if (rc)
		rmdir(dir);
	return rc;
}

static int check_owner(const char *dir, const struct stat *st,
		       const char *account)
{
	uid_t uid = 0;
	gid_t gid = 0;
	int rc = account ? find_account(account, &uid, &gid) : 0;

	if (!rc && account && uid != st->st_uid)
		rc = err_set(ERR_INVALID,
			     "%s belongs to uid %u, not to %s: chown -R %s %s",
			     dir, (unsigned)st->st_uid, account, account, dir);
	return rc;
}

/* Only where something failed is there a return. */
static int run_parent(const char *dir, char **argv)
{
	char *program = proc_helper("slugd-parent");
	char *real = realpath(dir, NULL), *self = realpath("/proc/self/exe", 0);
	size_t n = 0;
	char **v;
	int rc;

	while (argv[n])
		n++;
	v = xcalloc(n + 3, sizeof(*v));
	v[0] = program;
	v[1] = real;
	memcpy(v + 2, argv, n * sizeof(*v));
	v[2] = self;
	if (real && self)
		execv(program, v);
	rc = err_sys("%s", real && self ? program : dir);
	free(v);
	free(self);
	free(real);
	free(program);
	return rc;
}

int privilege_give_up(const char *dir, const char *account, char **argv)
{
	struct stat st;
	int rc = 0;

	if (!dir || !*dir)
		return 0; /* who needs it says so */
	/* Under slugd-parent, that one has looked at it. */
	if (geteuid())
		return account && !getenv(PRIVILEGE_SOCKET)
			       ? err_set(ERR_INVALID,
					 "-u is for root, who starts slugd")
			       : 0;
	if (stat(dir, &st)) {
		if (errno == ENOENT)
			rc = make_dir(dir, account);
		if (rc || stat(dir, &st))
			return rc;
	}
	rc = check_owner(dir, &st, account);
	if (!rc && st.st_uid)
		rc = run_parent(dir, argv);
	return rc;
}

/* --- having it done --- */

struct privilege *privilege_open(void)
{
	const char *number = getenv(PRIVILEGE_SOCKET);
	struct privilege *p;

	if (!number)
		return NULL;
	p = xcalloc(1, sizeof(*p));
	p->fd = (int)strtol(number, NULL, 10);
	pthread_mutex_init(&p->lock, NULL);
	unsetenv(PRIVILEGE_SOCKET);
	return p;
}

void privilege_close(struct privilege *p)
{
	if (!p)
		return;
	close(p->fd);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

static int ask(struct privilege *p, const char *question)
{
	char text[PRIVILEGE_SIZE], *words = NULL;
	ssize_t n = -1;
	long rc;

	pthread_mutex_lock(&p->lock);
	if (send(p->fd, question, strlen(question), MSG_NOSIGNAL) >= 0)
		do {
			n = recv(p->fd, text, sizeof(text) - 1, 0);
		} while (n < 0 && errno == EINTR);
	pthread_mutex_unlock(&p->lock);
	if (n <= 0)
		return err_sys("slugd-parent does not answer");
	text[n] = '\0';
	rc = strtol(text, &words, 10);
	if (!rc)
		return 0;
	return err_set((int)rc, "%s", *words ? words + 1 : "no reason given");
}

int privilege_start(struct privilege *p, const char *app)
{
	char *question = xasprintf("start %s", app);
	int rc = ask(p, question);

	free(question);
	return rc;
}

int privilege_reserve(struct privilege *p, const struct config *c)
{
	char *question =
		xasprintf("uids %" PRId64 "-%" PRId64 " %u-%u", c->uid_first,
			  c->uid_last, c->port_first, c->port_last);
	int rc = ask(p, question);

	free(question);
	return rc;
}
