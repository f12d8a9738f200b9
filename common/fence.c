/* SPDX-License-Identifier: ISC */
#include "fence.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "err.h"
#include "fence-parts.h"
#include "mem.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
# define SANITIZED true
#else
# define SANITIZED false
#endif

static bool is_in(const char *const *names, const char *name, size_t len)
{
	for (; names && *names; names++)
		if (!strncmp(*names, name, len) && !(*names)[len])
			return true;
	return false;
}

/*
 * A new environment. What was in the old one is overwritten: it lies in
 * memory as long as the program lives, and in /proc.
 */
static void fence_environment(const char *const *keep)
{
	static char path[] = "PATH=/usr/bin:/bin", locale[] = "LC_ALL=C";
	char **old = environ, **fresh;
	size_t n = 0, i;

	while (old && old[n])
		n++;
	fresh = xcalloc(n + 3, sizeof(*fresh));
	n = 0;
	for (i = 0; old && old[i]; i++) {
		if (is_in(keep, old[i], strcspn(old[i], "=")))
			fresh[n++] = old[i];
		else
			memset(old[i], 0, strlen(old[i]));
	}
	if (!is_in(keep, "PATH", 4))
		fresh[n++] = path;
	if (!is_in(keep, "LC_ALL", 6))
		fresh[n++] = locale;
	environ = fresh;
}

static bool stays(const struct fence *f, int fd)
{
	size_t i;

	for (i = 0; i < f->nr_fds; i++)
		if (f->fds[i] == fd)
			return true;
	return false;
}

/* From 3 on, all but those that stay: gap by gap. */
static int fence_descriptors(const struct fence *f)
{
	int from = 3, to;
	size_t i;

	for (;;) {
		while (stays(f, from))
			from++;
		to = INT_MAX;
		for (i = 0; i < f->nr_fds; i++)
			if (f->fds[i] > from && f->fds[i] <= to)
				to = f->fds[i] - 1;
		if (close_range((unsigned int)from, (unsigned int)to, 0))
			return err_sys("close_range");
		if (to == INT_MAX)
			return 0;
		from = to + 1;
	}
}

/* Lower a limit; it is never raised. */
static int lower(int what, uint64_t wanted)
{
	struct rlimit now;

	if (getrlimit((__rlimit_resource_t)what, &now))
		return err_sys("getrlimit");
	if (now.rlim_cur > wanted)
		now.rlim_cur = wanted;
	now.rlim_max = now.rlim_cur;
	if (setrlimit((__rlimit_resource_t)what, &now))
		return err_sys("setrlimit");
	return 0;
}

static int fence_limits(const struct fence *f)
{
	int rc = lower(RLIMIT_CORE, 0);

	if (!rc && f->cpu)
		rc = lower(RLIMIT_CPU, f->cpu);
	if (!rc && f->file_size)
		rc = lower(RLIMIT_FSIZE, f->file_size);
	/* The shadows that a sanitizer maps are terabytes. */
	if (!rc && f->memory && !SANITIZED)
		rc = lower(RLIMIT_AS, f->memory);
	if (!rc && f->files)
		rc = lower(RLIMIT_NOFILE, f->files);
	return rc;
}

int fence_enter(const struct fence *f)
{
	int rc = fence_descriptors(f);

	fence_environment(f->env);
	if (!rc && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		rc = err_sys("PR_SET_NO_NEW_PRIVS");
	if (!rc)
		rc = fence_files(f);
	if (!rc)
		rc = fence_limits(f);
	if (!rc)
		rc = fence_calls(f->exec && f->exec[0]);
	return err_prefix(rc, "the sandbox");
}

char *fence_live(void)
{
	int version = fence_files_version();
	const char *why = "refused here";
	char *landlock, *text;

	if (!version && errno == ENOSYS)
		why = "not in this kernel";
	else if (!version && errno == EOPNOTSUPP)
		why = "switched off at boot";
	landlock = version ? xasprintf("landlock %d", version)
			   : xasprintf("landlock none (%s)", why);
	text = xasprintf("%s, seccomp%s", landlock,
			 fence_calls_known() ? "" : " none");
	free(landlock);
	return text;
}
