/* SPDX-License-Identifier: ISC */
#include "supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "err.h"
#include "lock.h"
#include "log.h"
#include "mem.h"
#include "text.h"

#define LOCK_MS      2000
#define BOOT_ID_SIZE 64
#define MAX_RUN      999999999

static int read_text(int dir, const char *path, char *buf, size_t size)
{
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n;

	buf[0] = '\0';
	if (fd < 0)
		return -1;
	n = read(fd, buf, size - 1);
	close(fd);
	if (n >= 0)
		buf[n] = '\0';
	return n < 0 ? -1 : 0;
}

/*
 * Trees are unpacked without waiting for the disk. After a power cut they
 * may be there with empty files: those of another boot are not used.
 */
static int drop_other_boots(struct supervisor *s)
{
	char now[BOOT_ID_SIZE], then[BOOT_ID_SIZE];
	int fd, rc;

	if (read_text(AT_FDCWD, "/proc/sys/kernel/random/boot_id", now,
		      sizeof(now)))
		return trees_open(s, true);
	read_text(s->dir_fd, "slugrun.boot", then, sizeof(then));
	rc = trees_open(s, !strcmp(now, then));
	if (rc || !strcmp(now, then))
		return rc;
	fd = openat(s->dir_fd, "slugrun.boot",
		    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
		    0600);
	if (fd < 0 || write(fd, now, strlen(now)) != (ssize_t)strlen(now))
		rc = err_sys("%s/slugrun.boot", s->dir);
	if (fd >= 0)
		close(fd);
	return rc;
}

/* Where another slugrun left off. */
static void read_last_run(struct supervisor *s)
{
	char text[16];
	int64_t n;

	read_text(s->dir_fd, "slugrun.run", text, sizeof(text));
	text[strcspn(text, "\n")] = '\0';
	if (!text_parse_int(&n, text, 0, MAX_RUN))
		s->last_run = (unsigned)n;
}

unsigned appdir_next_run(struct supervisor *s)
{
	char text[16];
	int fd, len;

	s->last_run = s->last_run < MAX_RUN ? s->last_run + 1 : 1;
	/* As wide each time: one is written over the other as a whole. */
	len = snprintf(text, sizeof(text), "%09u\n", s->last_run);
	fd = openat(s->dir_fd, "slugrun.run",
		    O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || write(fd, text, (size_t)len) != len)
		log_line("%s/slugrun.run: %s", s->dir, strerror(errno));
	if (fd >= 0)
		close(fd);
	return s->last_run;
}

/* One that was killed may have it for a moment more. */
static int take_lock(struct supervisor *s)
{
	char *path = xasprintf("%s/slugrun.lock", s->dir);
	int rc;

	s->lock_fd = openat(s->dir_fd, "slugrun.lock",
			    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	rc = s->lock_fd < 0 ? err_sys("%s", path)
			    : lock_wait(s->lock_fd, LOCK_EX, LOCK_MS, path);
	free(path);
	if (rc == ERR_CONFLICT)
		err_set(rc, "another slugrun has %s already", s->dir);
	return rc;
}

/*
 * As root, for a slugd that is another account's, the folder becomes root's:
 * so that account can put no link in our way, and only reads here.
 */
static int take_over(struct supervisor *s)
{
	struct stat above, st;

	if (geteuid())
		return 0;
	if (fstatat(s->dir_fd, "..", &above, 0) || fstat(s->dir_fd, &st))
		return err_sys("%s", s->dir);
	s->owner = above.st_uid;
	if (s->owner &&
	    ((st.st_uid && fchown(s->dir_fd, 0, 0)) || fchmod(s->dir_fd, 0755)))
		return err_sys("%s", s->dir);
	return 0;
}

/* The folder itself, whatever links lead there. */
static int open_plainly(const char *dir)
{
	return open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/*
 * By no link. Step by step, as where systemd's RestrictSUIDSGID= holds there
 * is no openat2(2); a folder above may be one that cannot be read.
 */
static int open_by_steps(const char *dir)
{
	const int step = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	char *copy = xstrdup(dir), *save = NULL, *part;
	int fd = open(*dir == '/' ? "/" : ".", step), next;

	for (part = strtok_r(copy, "/", &save); part && fd >= 0;
	     part = strtok_r(NULL, "/", &save)) {
		next = openat(fd, part, step);
		close(fd);
		fd = next;
	}
	if (fd >= 0) {
		next = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(fd);
		fd = next;
	}
	free(copy);
	return fd;
}

/* A link on the way would lead root to a folder of another's choice. */
static int open_folder(struct supervisor *s, const char *dir)
{
	s->dir_fd = geteuid() ? open_plainly(dir) : open_by_steps(dir);
	if (s->dir_fd < 0 && errno == ENOTDIR && !geteuid())
		return err_set(ERR_INVALID,
			       "%s: not a folder, or there is a symbolic link "
			       "in this path",
			       dir);
	return s->dir_fd < 0 ? err_sys("%s", dir) : 0;
}

int appdir_check_uid(const struct supervisor *s, int64_t uid)
{
	struct passwd buf, *pw = NULL;
	char text[4096];

	if (!s->owner)
		return 0;
	if (uid < 1 || uid >= UINT32_MAX || (uid_t)uid == s->owner)
		return err_set(ERR_INVALID, "uid is no app's");
	errno = getpwuid_r((uid_t)uid, &buf, text, sizeof(text), &pw);
	if (errno && errno != ENOENT && errno != ESRCH)
		return err_sys("cannot look up uid %u", (unsigned)uid);
	if (pw)
		return err_set(ERR_INVALID, "uid %u is the account %s",
			       (unsigned)uid, pw->pw_name);
	return 0;
}

int appdir_open(struct supervisor *s, const char *dir)
{
	const char *slash;
	char *path;
	int rc = open_folder(s, dir);

	if (rc)
		return rc;
	s->dir = realpath(dir, NULL);
	if (!s->dir)
		return err_sys("%s", dir);
	slash = strrchr(s->dir, '/');
	s->name = xstrdup(slash ? slash + 1 : s->dir);
	rc = take_over(s);
	if (!rc)
		rc = take_lock(s);
	if (!rc)
		rc = drop_other_boots(s);
	if (!rc)
		read_last_run(s);
	path = xasprintf("%s/log", s->dir);
	applog_init(&s->log, s->name, path);
	s->log.owner = s->owner;
	free(path);
	return rc;
}

void appdir_close(struct supervisor *s)
{
	trees_close(s);
	applog_release(&s->log);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	if (s->dir_fd >= 0)
		close(s->dir_fd);
	free(s->dir);
	free(s->name);
}

bool appdir_is_gone(const struct supervisor *s)
{
	struct stat held, there;

	if (fstat(s->dir_fd, &held))
		return true;
	if (stat(s->dir, &there))
		return errno == ENOENT || errno == ENOTDIR;
	return held.st_dev != there.st_dev || held.st_ino != there.st_ino;
}
