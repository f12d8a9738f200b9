/* SPDX-License-Identifier: ISC */
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "proc.h"

/* What a shell script prints. */
static int capture(char **out, size_t *len, const char *script,
		   struct proc_spec spec)
{
	const char *argv[] = { "sh", "-c", script, NULL };

	spec.argv = argv;
	return proc_capture(out, len, &spec);
}

static void assert_prints(const char *script, struct proc_spec spec,
			  const char *wanted)
{
	char *out = NULL;

	assert_int_equal(capture(&out, NULL, script, spec), 0);
	assert_string_equal(out, wanted);
	free(out);
}

static void output_comes_back_whole(void **state)
{
	char *out = NULL;
	size_t len = 0;

	(void)state;
	assert_int_equal(capture(&out, &len,
				 "head -c 300000 /dev/zero; echo noise >&2",
				 (struct proc_spec){ 0 }),
			 0);
	assert_int_equal(len, 300000);
	free(out);
}

static void how_it_ended_is_told(void **state)
{
	static const struct {
		const char *script;
		int code;
		const char *said;
	} cases[] = { { "echo oh >&2", 0, "oh\n" },
		      { "exit 1", 1, "" },
		      { "echo oh >&2; exit 128", 128, "oh\n" },
		      { "kill -9 $$", -1, "" } };
	char *out = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct proc_end end = { .code = 77 };

		capture(&out, NULL, cases[i].script,
			(struct proc_spec){ .end = &end });
		assert_int_equal(end.code, cases[i].code);
		assert_string_equal(end.said, cases[i].said);
		free(end.said);
		free(out);
		out = NULL;
	}
}

static void failure_says_what_the_child_said(void **state)
{
	char *out = NULL;
	const struct proc_spec none = { 0 };

	(void)state;
	assert_int_equal(capture(&out, NULL, "echo no way >&2; exit 3", none),
			 ERR_FAILED);
	assert_string_equal(err_msg(), "sh: no way");
	assert_int_equal(capture(&out, NULL, "exit 3", none), ERR_FAILED);
	assert_string_equal(err_msg(), "sh exited with 3");
	assert_int_equal(capture(&out, NULL, "kill -9 $$", none), ERR_FAILED);
	assert_string_equal(err_msg(), "sh was ended by signal 9");
	assert_null(out);
}

static void no_such_program_is_an_error(void **state)
{
	const char *argv[] = { "/no/such/program", NULL };
	const struct proc_spec spec = { .argv = argv };
	pid_t pid;

	(void)state;
	assert_int_equal(proc_spawn(&pid, &spec), ERR_SYSTEM);
	assert_non_null(strstr(err_msg(), "/no/such/program"));
}

static void environment_and_folder_are_the_specs(void **state)
{
	const char *env[] = { "A=b", "PATH=/usr/bin:/bin", NULL };

	(void)state;
	assert_prints("echo $A ${HOME-no}; pwd",
		      (struct proc_spec){ .env = env, .dir = "/usr" },
		      "b no\n/usr\n");
}

static void input_is_empty_unless_given(void **state)
{
	int p[2];

	(void)state;
	assert_prints("cat", (struct proc_spec){ 0 }, "");
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	assert_int_equal(write(p[1], "x", 1), 1);
	close(p[1]);
	assert_prints("cat", (struct proc_spec){ .in = p[0] }, "x");
	close(p[0]);
}

static void no_other_descriptor_goes_along(void **state)
{
	/* By what opens none itself. */
	static const char open_fds[] =
		"for i in 3 4 5 6 7 8 9; do "
		"test -e /proc/$$/fd/$i && printf $i; done; true";
	int fd;

	(void)state;
	closefrom(3); /* what this program was given itself */
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_prints(open_fds, (struct proc_spec){ 0 }, "");
	assert_prints(open_fds, (struct proc_spec){ .extra = fd }, "3");
	close(fd);
}

static void signals_are_a_fresh_programs(void **state)
{
	const struct proc_spec none = { 0 };
	sigset_t set, old;
	char *out = NULL;

	(void)state;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, &old);
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(capture(&out, NULL, "kill -TERM $$", none),
			 ERR_FAILED);
	assert_string_equal(err_msg(), "sh was ended by signal 15");
	assert_int_equal(capture(&out, NULL, "kill -PIPE $$", none),
			 ERR_FAILED);
	assert_string_equal(err_msg(), "sh was ended by signal 13");
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, &old, NULL);
}

static void session_and_group_are_its_own(void **state)
{
	const char *argv[] = { "sleep", "100", NULL };
	struct proc_spec spec = { .argv = argv, .session = true };
	pid_t pid = 0;

	(void)state;
	assert_int_equal(proc_spawn(&pid, &spec), 0);
	assert_int_equal(getsid(pid), pid);
	kill(pid, SIGKILL);
	assert_int_equal(proc_wait(pid, "sleep"), ERR_FAILED);
	spec.session = false;
	spec.group = true;
	assert_int_equal(proc_spawn(&pid, &spec), 0);
	assert_int_equal(getpgid(pid), pid);
	assert_int_not_equal(getsid(pid), pid);
	kill(-pid, SIGKILL);
	assert_int_equal(proc_wait(pid, "sleep"), ERR_FAILED);
}

static void helpers_lie_where_the_environment_says(void **state)
{
	char *path;

	(void)state;
	setenv("SLUGD_EXEC_PATH", "/x", 1);
	path = proc_helper("slugpack");
	assert_string_equal(path, "/x/slugpack");
	free(path);
	unsetenv("SLUGD_EXEC_PATH");
	path = proc_helper("slugpack");
	assert_string_equal(path, LIBEXECDIR "/slugpack");
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(output_comes_back_whole),
		cmocka_unit_test(how_it_ended_is_told),
		cmocka_unit_test(failure_says_what_the_child_said),
		cmocka_unit_test(no_such_program_is_an_error),
		cmocka_unit_test(environment_and_folder_are_the_specs),
		cmocka_unit_test(input_is_empty_unless_given),
		cmocka_unit_test(no_other_descriptor_goes_along),
		cmocka_unit_test(signals_are_a_fresh_programs),
		cmocka_unit_test(session_and_group_are_its_own),
		cmocka_unit_test(helpers_lie_where_the_environment_says),
	};

	return cmocka_run_group_tests_name("proc", tests, NULL, NULL);
}
