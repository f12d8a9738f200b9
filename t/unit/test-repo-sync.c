/* SPDX-License-Identifier: ISC */
#include "unit.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../slugd/repo.h"
#include "err.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char synced[PATH_MAX * 4]; /* " NAME " of each, below the top */
static const char *bad = "";      /* the one that the disk fails at */
static char top[] = "/tmp/test-repo-sync.XXXXXX";

int __wrap_fsync(int fd);

/* The linker calls this one in its place. */
int __wrap_fsync(int fd)
{
	char link[40], where[PATH_MAX];
	const char *name;
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, where, sizeof(where) - 1);
	if (n < 0)
		return -1;
	where[n] = '\0';
	name = where + strlen(top);
	pthread_mutex_lock(&lock);
	snprintf(synced + strlen(synced), sizeof(synced) - strlen(synced),
		 " %s ", *name ? name + 1 : ".");
	pthread_mutex_unlock(&lock);
	errno = EIO;
	return strcmp(name, bad) != 0 || !*bad ? 0 : -1;
}

static void make(const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", top, name);
	assert_int_equal(mkdir(path, 0700), 0);
}

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(top))
		return -1;
	make("refs");
	make("refs/heads");
	make("logs");
	make("logs/refs");
	make("logs/refs/heads");
	make("objects");
	make("objects/aa");
	make("objects/pack");
	return 0;
}

static int tear_down(void **state)
{
	char command[sizeof(top) + 10];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", top);
	return system(command); /* NOLINT(cert-env33-c) */
}

static void every_folder_is_synced(void **state)
{
	static const char *const names[] = {
		" . ",       " refs ",       " refs/heads ",
		" logs ",    " logs/refs ",  " logs/refs/heads ",
		" objects ", " objects/aa ", " objects/pack ",
	};
	size_t i;

	(void)state;
	*synced = '\0';
	assert_int_equal(repo_sync(top, "refs/heads/master", "aa pack gone "),
			 0);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_non_null(strstr(synced, names[i]));
	assert_null(strstr(synced, "gone"));
}

static void one_that_fails_is_told(void **state)
{
	(void)state;
	bad = "/objects/aa";
	assert_int_equal(repo_sync(top, "refs/heads/master", "aa pack "),
			 ERR_SYSTEM);
	assert_non_null(strstr(err_msg(), "objects/aa: Input/output error"));
	bad = "";
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_folder_is_synced),
		cmocka_unit_test(one_that_fails_is_told),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
