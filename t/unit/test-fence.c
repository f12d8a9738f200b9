/* SPDX-License-Identifier: ISC */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "err.h"
#include "fence.h"
#include "mem.h"
#include "proc.h"

/* Folders of a scratch folder: in is read, out written, far neither. */
static char in_dir[64], out_dir[64], far_dir[64], scratch[32];
static bool has_landlock;

/* Run try() in a child behind that fence; 0 is what it should say. */
static void behind(const struct fence *f, int (*try)(void))
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		if (fence_enter(f)) {
			print_message("%s\n", err_msg());
			_exit(99);
		}
		_exit(try());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static const char *path(const char *dir, const char *name)
{
	static char paths[8][128];
	static unsigned at;
	char *p = paths[at++ % 8];

	snprintf(p, sizeof(paths[0]), "%s/%s", dir, name);
	return p;
}

/* 0 if it opens; else why not. */
static int opens(const char *file, int flags)
{
	int fd = open(file, flags | O_CLOEXEC, 0600);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static const struct fence *plain(void)
{
	static const char *read[] = { in_dir, "/no/such/path", NULL };
	static const char *write[] = { out_dir, NULL };
	static const struct fence f = { .read = read, .write = write };

	return &f;
}

static int try_reading(void)
{
	if (opens(path(in_dir, "file"), O_RDONLY) ||
	    opens(path(out_dir, "file"), O_RDONLY) ||
	    opens(path(in_dir, "."), O_RDONLY | O_DIRECTORY))
		return 1;
	if (opens(path(far_dir, "file"), O_RDONLY) != EACCES ||
	    opens("/etc/passwd", O_RDONLY) != EACCES)
		return 2;
	/* By no detour either. */
	if (opens(path(in_dir, "link"), O_RDONLY) != EACCES ||
	    opens(path(in_dir, "../far/file"), O_RDONLY) != EACCES)
		return 3;
	if (!link(path(far_dir, "file"), path(out_dir, "hard")) ||
	    !rename(path(far_dir, "file"), path(out_dir, "moved")))
		return 4;
	return 0;
}

static void only_what_is_named_can_be_read(void **state)
{
	(void)state;
	if (!has_landlock)
		skip();
	behind(plain(), try_reading);
}

static int try_writing(void)
{
	if (opens(path(out_dir, "new"), O_WRONLY | O_CREAT) ||
	    opens(path(out_dir, "file"), O_WRONLY | O_TRUNC) ||
	    mkdir(path(out_dir, "folder"), 0700) ||
	    rename(path(out_dir, "new"), path(out_dir, "folder/new")) ||
	    symlink("x", path(out_dir, "symlink")) ||
	    unlink(path(out_dir, "folder/new")) ||
	    rmdir(path(out_dir, "folder")) || unlink(path(out_dir, "symlink")))
		return 1;
	if (!opens(path(in_dir, "new"), O_WRONLY | O_CREAT) ||
	    !opens(path(in_dir, "file"), O_WRONLY) ||
	    !opens(path(far_dir, "new"), O_WRONLY | O_CREAT))
		return 2;
	if (!unlink(path(in_dir, "file")) || !unlink(path(far_dir, "file")) ||
	    !mkdir(path(far_dir, "folder"), 0700) ||
	    !symlink("x", path(in_dir, "symlink")) ||
	    !chown(path(far_dir, "file"), getuid(), getgid()))
		return 3;
	if (!mkfifo(path(out_dir, "fifo"), 0600))
		return 4;
	return opens("/dev/null", O_RDWR);
}

static void only_what_is_named_can_be_written(void **state)
{
	(void)state;
	if (!has_landlock)
		skip();
	behind(plain(), try_writing);
}

static void a_place_to_write_must_be_there(void **state)
{
	const char *write[] = { "/no/such/path", NULL };
	const struct fence f = { .write = write };
	int status;
	pid_t pid;

	(void)state;
	if (!has_landlock)
		skip();
	pid = fork();
	if (!pid) {
		if (fence_enter(&f) != ERR_SYSTEM)
			_exit(1);
		if (strcmp(err_msg(), "the sandbox: /no/such/path: No such "
				      "file or directory") != 0)
			_exit(2);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static int try_network(void)
{
	static const int families[] = { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK,
					AF_PACKET };
	size_t i;
	int fds[2], fd;

	for (i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		fd = socket(families[i], SOCK_DGRAM, 0);
		if (fd >= 0 || errno != EPERM)
			return 1;
	}
	if (!socketpair(AF_UNIX, SOCK_STREAM, 0, fds) || errno != EPERM)
		return 2;
	/* With one from before. */
	if (!listen(3, 1) || errno != EPERM)
		return 3;
	return 0;
}

static void there_is_no_network(void **state)
{
	struct fence f = *plain();
	struct sockaddr_in here = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0), keep = 3;

	(void)state;
	if (fd >= 0 && fd != 3) {
		dup2(fd, 3);
		close(fd);
	}
	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(3, (struct sockaddr *)&here, sizeof(here)), 0);
	f.fds = &keep;
	f.nr_fds = 1;
	behind(&f, try_network);
	close(3);
}

static int spawn(const char *program, const char *arg)
{
	const char *argv[] = { program, arg, NULL };
	pid_t pid;

	return proc_spawn(&pid, &(struct proc_spec){ .argv = argv })
		       ? -1
		       : proc_wait(pid, program);
}

static int try_nothing(void)
{
	return spawn("/bin/true", NULL) != -1 || spawn("true", NULL) != -1;
}

static int try_true(void)
{
	if (spawn("/bin/true", NULL))
		return 1;
	return has_landlock && spawn("/bin/false", NULL) != -1;
}

/* What was written has no more rights than what was there. */
static int try_own_program(void)
{
	const char *mine = path(out_dir, "program");
	FILE *f = fopen(mine, "we");

	if (!f || fputs("#!/bin/true\n", f) < 0 || fclose(f) ||
	    chmod(mine, 0700))
		return 1;
	return has_landlock && spawn(mine, NULL) != -1;
}

static void only_what_is_named_can_be_run(void **state)
{
	const char *exec[] = { "/bin/true", NULL };
	struct fence f = *plain();

	(void)state;
	behind(&f, try_nothing);
	f.exec = exec;
	behind(&f, try_true);
	behind(&f, try_own_program);
}

/* The variable is that; NULL: there is none. */
static bool is_set_to(const char *name, const char *wanted)
{
	const char *value = getenv(name);

	return value && wanted ? !strcmp(value, wanted) : value == wanted;
}

static int try_environment(void)
{
	char text[4096] = "";
	ssize_t n, i;
	int fd;

	if (!is_set_to("SECRET", NULL) || !is_set_to("KEPTX", NULL) ||
	    !is_set_to("KEP", NULL))
		return 1;
	if (!is_set_to("KEPT", "yes") || !is_set_to("ALSO_KEPT", "") ||
	    !is_set_to("PATH", "/usr/bin:/bin") || !is_set_to("LC_ALL", "C"))
		return 2;
	/* Gone, not only forgotten; a fence for /proc is in no way here. */
	fd = open("/proc/self/environ", O_RDONLY | O_CLOEXEC);
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	for (i = 0; i < n; i++)
		if (!strncmp(text + i, "HOME=", 5))
			return 3;
	return n < 0 ? 4 : 0;
}

static void the_environment_is_a_fixed_one(void **state)
{
	const char *env[] = { "KEPT", "ALSO_KEPT", NULL };
	const char *read[] = { "/proc", NULL };
	const struct fence f = { .env = env, .read = read };

	(void)state;
	setenv("SECRET", "s", 1);
	setenv("KEPT", "yes", 1);
	setenv("KEPTX", "no", 1);
	setenv("KEP", "no", 1);
	setenv("ALSO_KEPT", "", 1);
	behind(&f, try_environment);
}

static int try_descriptors(void)
{
	int fd;

	for (fd = 0; fd < 64; fd++) {
		bool open_now = fcntl(fd, F_GETFD) >= 0;

		if (open_now != (fd < 3 || fd == 7 || fd == 8 || fd == 20))
			return fd + 1;
	}
	return 0;
}

static void descriptors_are_those_named(void **state)
{
	const int keep[] = { 20, 7, 8, 7 };
	const struct fence f = { .fds = keep, .nr_fds = 4 };
	int fd;

	(void)state;
	for (fd = 3; fd < 30; fd++)
		assert_int_equal(dup2(STDERR_FILENO, fd), fd);
	behind(&f, try_descriptors);
	close_range(3, 29, 0);
}

static int try_limits(void)
{
	static const struct {
		int what;
		rlim_t wanted;
	} limits[] = {
		{ RLIMIT_CORE, 0 },
		{ RLIMIT_CPU, 50 },
		{ RLIMIT_FSIZE, 1000 },
		{ RLIMIT_NOFILE, 20 },
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
		{ RLIMIT_AS, 1 << 30 },
#endif
	};
	struct rlimit is;
	size_t i;

	for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		if (getrlimit((__rlimit_resource_t)limits[i].what, &is) ||
		    is.rlim_cur != limits[i].wanted ||
		    is.rlim_max != limits[i].wanted)
			return (int)i + 1;
	return 0;
}

static int enter_again(void)
{
	/* None of these is raised. */
	const struct fence more = { .cpu = 100,
				    .file_size = 2000,
				    .memory = (uint64_t)2 << 30,
				    .files = 40 };

	return fence_enter(&more) ? 90 : try_limits();
}

static void limits_are_lowered_and_never_raised(void **state)
{
	const struct fence f = {
		.cpu = 50, .file_size = 1000, .memory = 1 << 30, .files = 20
	};

	(void)state;
	behind(&f, try_limits);
	behind(&f, enter_again);
}

static int try_calls(void)
{
	if (!unshare(CLONE_NEWUSER) || errno != EPERM ||
	    !unshare(CLONE_FS | CLONE_NEWUSER) || errno != EPERM)
		return 1;
	if (!kill(getppid(), 0) || errno != EPERM)
		return 2;
	if (memfd_create("x", 0) >= 0 || errno != EPERM)
		return 3;
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	if (!ptrace(PTRACE_TRACEME, 0, NULL, NULL) || errno != EPERM)
		return 4;
#endif
	return 0;
}

static int in_namespace(void *arg)
{
	(void)arg;
	return 0;
}

static int try_namespace(void)
{
	static char stack[65536] __attribute__((aligned(16)));
	int flags = CLONE_NEWUSER | SIGCHLD;
	pid_t pid = clone(in_namespace, stack + sizeof(stack), flags, NULL);

	return pid >= 0 || errno != EPERM;
}

static void the_rest_of_the_kernel_is_closed(void **state)
{
	(void)state;
	behind(plain(), try_calls);
	behind(plain(), try_namespace);
}

static void *run_thread(void *arg)
{
	*(int *)arg = 7;
	/* Its own working folder, as unpacking has it. */
	if (unshare(CLONE_FS))
		return NULL;
	return opens(path(far_dir, "file"), O_RDONLY) ? arg : NULL;
}

static int try_thread(void)
{
	pthread_t thread;
	int done = 0;
	void *result;

	if (pthread_create(&thread, NULL, run_thread, &done) ||
	    pthread_join(thread, &result) || done != 7)
		return 1;
	return has_landlock && !result;
}

static void threads_are_behind_it_too(void **state)
{
	(void)state;
	behind(plain(), try_thread);
}

static void it_says_what_is_live(void **state)
{
	char *live = fence_live();

	(void)state;
	if (has_landlock)
		assert_true(strtol(live + strlen("landlock "), NULL, 10) > 0);
	assert_non_null(strstr(live, ", seccomp"));
	free(live);
}

static void write_file(const char *dir, const char *name)
{
	FILE *f = fopen(path(dir, name), "we");

	assert_non_null(f);
	fputs("text\n", f);
	fclose(f);
}

static int set_up(void **state)
{
	char *live = fence_live();

	(void)state;
	has_landlock = strncmp(live, "landlock none", 13) != 0;
	free(live);
	closefrom(3);
	strcpy(scratch, "/tmp/slugd-fence.XXXXXX");
	assert_non_null(mkdtemp(scratch));
	snprintf(in_dir, sizeof(in_dir), "%s/in", scratch);
	snprintf(out_dir, sizeof(out_dir), "%s/out", scratch);
	snprintf(far_dir, sizeof(far_dir), "%s/far", scratch);
	mkdir(in_dir, 0700);
	mkdir(out_dir, 0700);
	mkdir(far_dir, 0700);
	write_file(in_dir, "file");
	write_file(out_dir, "file");
	write_file(far_dir, "file");
	return symlink("../far/file", path(in_dir, "link"));
}

static int tear_down(void **state)
{
	const char *argv[] = { "rm", "-rf", scratch, NULL };
	pid_t pid;

	(void)state;
	return proc_spawn(&pid, &(struct proc_spec){ .argv = argv }) ||
	       proc_wait(pid, "rm");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_is_named_can_be_read),
		cmocka_unit_test(only_what_is_named_can_be_written),
		cmocka_unit_test(a_place_to_write_must_be_there),
		cmocka_unit_test(there_is_no_network),
		cmocka_unit_test(only_what_is_named_can_be_run),
		cmocka_unit_test(the_environment_is_a_fixed_one),
		cmocka_unit_test(descriptors_are_those_named),
		cmocka_unit_test(limits_are_lowered_and_never_raised),
		cmocka_unit_test(the_rest_of_the_kernel_is_closed),
		cmocka_unit_test(threads_are_behind_it_too),
		cmocka_unit_test(it_says_what_is_live),
	};

	return cmocka_run_group_tests_name("fence", tests, set_up, tear_down);
}
