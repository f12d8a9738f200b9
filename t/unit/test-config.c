/* SPDX-License-Identifier: ISC */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "err.h"
#include "mem.h"

static char path[] = "config-test-XXXXXX";

/* Read text as a slugd.ini. */
static int parse(struct config **out, const char *text)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	*out = NULL;
	return config_read(out, path);
}

static void defaults_are_the_designs(void **state)
{
	struct config *c;

	(void)state;
	assert_int_equal(parse(&c, ""), 0);
	assert_string_equal(c->platform, "Heroku");
	assert_string_equal(c->deploy_branches[0], "main");
	assert_string_equal(c->deploy_branches[1], "master");
	assert_null(c->deploy_branches[2]);
	assert_int_equal(c->max_config, 65536);
	assert_string_equal(c->compression, "zstd");
	assert_int_equal(c->level, 3);
	assert_int_equal(c->max_size, 500ULL << 20);
	assert_int_equal(c->max_tree, 2000ULL << 20);
	assert_string_equal(c->driver, "slugrun");
	assert_int_equal(c->port_first, 5100);
	assert_int_equal(c->port_last, 5999);
	assert_true(c->trial && c->own_uid && c->namespaces && c->seccomp &&
		    c->cgroups);
	assert_string_equal(c->check, "tcp");
	assert_int_equal(c->uid_first, 70000);
	assert_int_equal(c->uid_last, 79999);
	assert_int_equal(c->memory, 1ULL << 30);
	assert_string_equal(c->route, "auto");
	assert_string_equal(c->listen, "none");
	assert_int_equal(c->app_connections, 2000);
	assert_int_equal(c->source_connections, 500);
	assert_null(c->show);
	assert_int_equal(c->nr_addons, 0);
	config_free(c);
}

static void sample_is_the_defaults(void **state)
{
	struct config *c, *d;

	(void)state;
	assert_int_equal(config_read(&c, NULL), 0);
	assert_int_equal(parse(&d, ""), 0);
	assert_string_equal(c->platform, d->platform);
	assert_string_equal(c->deploy_branches[1], d->deploy_branches[1]);
	assert_string_equal(c->compression, d->compression);
	assert_string_equal(c->driver, d->driver);
	assert_null(c->show);
	assert_int_equal(c->max_config, d->max_config);
	assert_int_equal(c->push_wait, d->push_wait);
	assert_int_equal(c->level, d->level);
	assert_int_equal(c->max_size, d->max_size);
	assert_int_equal(c->max_tree, d->max_tree);
	assert_int_equal(c->max_blob, d->max_blob);
	assert_int_equal(c->max_entries, d->max_entries);
	assert_int_equal(c->max_depth, d->max_depth);
	assert_int_equal(c->max_time, d->max_time);
	assert_int_equal(c->threads, d->threads);
	assert_int_equal(c->keep, d->keep);
	assert_int_equal(c->keep_bytes, d->keep_bytes);
	assert_int_equal(c->port_first, d->port_first);
	assert_int_equal(c->port_last, d->port_last);
	assert_int_equal(c->timeout, d->timeout);
	assert_int_equal(c->grace, d->grace);
	assert_int_equal(c->trial, d->trial);
	assert_string_equal(c->check, d->check);
	assert_int_equal(c->release_timeout, d->release_timeout);
	assert_int_equal(c->own_uid, d->own_uid);
	assert_int_equal(c->uid_first, d->uid_first);
	assert_int_equal(c->uid_last, d->uid_last);
	assert_int_equal(c->namespaces, d->namespaces);
	assert_int_equal(c->seccomp, d->seccomp);
	assert_int_equal(c->cgroups, d->cgroups);
	assert_int_equal(c->memory, d->memory);
	assert_int_equal(c->max_processes, d->max_processes);
	assert_int_equal(c->max_files, d->max_files);
	assert_int_equal(c->log_size, d->log_size);
	assert_string_equal(c->route, d->route);
	assert_string_equal(c->listen, d->listen);
	assert_int_equal(c->nr_addons, 1);
	config_free(c);
	config_free(d);
}

static void sample_shows_every_key(void **state)
{
	char line[100];
	size_t i;

	(void)state;
	for (i = 0; config_key_name(i); i++) {
		snprintf(line, sizeof(line), "\n[%s]\n", config_key_section(i));
		assert_non_null(strstr(config_sample(), line));
		snprintf(line, sizeof(line), "\n%s = ", config_key_name(i));
		assert_non_null(strstr(config_sample(), line));
	}
	assert_true(i > 10);
	assert_null(config_key_section(i));
}

static void an_addon_has_plans_and_vars(void **state)
{
	const struct config_addon *a;
	struct config *c;

	(void)state;
	assert_int_equal(parse(&c, "[addon cache]\n"
				   "plans = free:0, 100:15 ,pro:4.50\n"
				   "provider = static\n"
				   "config.CACHE_URL = host:1\n"),
			 0);
	a = config_addon(c, "cache");
	assert_non_null(a);
	assert_null(config_addon(c, "other"));
	assert_int_equal(a->nr_plans, 3);
	assert_string_equal(config_plan(a, NULL)->name, "free");
	assert_int_equal(config_plan(a, "100")->price, 1500);
	assert_int_equal(config_plan(a, "pro")->price, 450);
	assert_null(config_plan(a, "none"));
	assert_string_equal(json_str(a->vars, "CACHE_URL", ""), "host:1");
	config_free(c);
}

static void deploy_branches_make_deploy_refs(void **state)
{
	struct config *c;

	(void)state;
	assert_int_equal(parse(&c, "[slugd]\ndeploy_branches = live  x\n"), 0);
	assert_true(config_is_deploy_ref(c, "refs/heads/live"));
	assert_true(config_is_deploy_ref(c, "refs/heads/x"));
	assert_false(config_is_deploy_ref(c, "refs/heads/main"));
	assert_false(config_is_deploy_ref(c, "refs/tags/live"));
	assert_false(config_is_deploy_ref(c, "refs/heads/live/x"));
	config_free(c);
}

static void quotes_protect(void **state)
{
	struct config *c;

	(void)state;
	assert_int_equal(parse(&c, "[slugd]\nplatform = \"A ; B\"\n"), 0);
	assert_string_equal(c->platform, "A ; B");
	config_free(c);
	assert_int_equal(parse(&c, "[slugd]\nplatform = \" A \" ; note\n"), 0);
	assert_string_equal(c->platform, " A ");
	config_free(c);
	assert_int_equal(parse(&c, "[slugd]\nplatform = A;B ; note\n"), 0);
	assert_string_equal(c->platform, "A;B");
	config_free(c);
}

static void other_peoples_files_read(void **state)
{
	struct config *c;

	(void)state;
	assert_int_equal(parse(&c, "\xef\xbb\xbf; BOM\n[slugd]\r\n"
				   "platform = A\r\n\r\n  ; note\r\n"
				   "[slug]\r\nlevel: 9\r\ncompression: gzip\r\n"
				   "[slugd]\r\n"
				   "push_wait=1"),
			 0);
	assert_string_equal(c->platform, "A");
	assert_int_equal(c->level, 9);
	assert_int_equal(c->push_wait, 1);
	config_free(c);
}

static const struct {
	const char *text, *message;
} mistakes[] = {
	{ "[slugd]\n\nx = 1\n", ":3: unknown key 'x' in [slugd]" },
	{ "[slugx]\nx = 1\n", ":1: unknown section [slugx]" },
	{ "level = 3\n", ":1: 'level' stands before the first [section]" },
	{ "[slug]\nplatform = A\n", ":2: unknown key 'platform' in [slug]" },
	{ "[slugd]\nnonsense\n", ":2: neither [section] nor 'key = value'" },
	{ "[slugd\n", ":1: neither [section] nor 'key = value'" },
	{ "[slugd]\nplatform =\n", ":2: platform: has no value" },
	{ "[slugd]\ndeploy_branches =\n", ":2: deploy_branches: has no value" },
	{ "[slugd]\nmax_config = big\n",
	  ":2: max_config: 'big' is not a size such as 64K or 500M" },
	{ "[slug]\nlevel = 20\n",
	  ":2: level: '20' is not a number from 1 to 19" },
	{ "[slug]\nlevel = 10\ncompression = gzip\n",
	  ":2: level: gzip has no level over 9" },
	{ "[slug]\ncompression = gzip\n\nlevel = 19\n",
	  ":4: level: gzip has no level over 9" },
	{ "[slug]\ncompression = lzma\n",
	  ":2: compression: 'lzma' is none of: zstd gzip" },
	{ "[slug]\nlevel = 3\nlevel = 3\n", ":3: level stands there twice" },
	{ "[launch]\nports = 80\n",
	  ":2: ports: '80' is not a range such as 5100-5999" },
	{ "[launch]\nports = 9-8\n",
	  ":2: ports: '9-8' is not a range such as 5100-5999" },
	{ "[launch]\nports = 1-70000\n",
	  ":2: ports: '1-70000' is not a range such as 5100-5999" },
	{ "[launch]\nuids = 1-4294967296\n",
	  ":2: uids: '1-4294967296' is not a range such as 70000-79999" },
	{ "[launch]\nuids = 0-9\n",
	  ":2: uids: '0-9' is not a range such as 70000-79999" },
	{ "[launch]\ntrial = yes\n", ":2: trial: 'yes' is none of: on off" },
	{ "[launch]\ncheck = health\n",
	  ":2: check: 'health' is neither tcp nor a path such as /health" },
	{ "[launch]\ncheck = /a b\n",
	  ":2: check: '/a b' is neither tcp nor a path such as /health" },
	{ "[launch]\nshow = /opt x\n",
	  ":2: show: 'x' is no absolute path, and not none" },
	{ "[route]\ndriver = nginx\n",
	  ":2: driver: 'nginx' is none of: auto haproxy direct" },
	{ "[route]\nlisten = 80\n",
	  ":2: listen: '80' is neither none nor ADDRESS:PORT such as "
	  "0.0.0.0:80" },
	{ "[route]\nlisten = a.example:80\n",
	  ":2: listen: 'a.example:80' is neither none nor ADDRESS:PORT such "
	  "as 0.0.0.0:80" },
	{ "[launch]\ndriver = slugrun ;none\nports = 0-9\n", ":3: ports" },
	{ "[slugd]\nplatform = \"A\n", ":2: the quotes are not closed" },
	{ "[slugd]\nplatform = \"A\" B\n", ":2: the quotes are not closed" },
	{ "[slugd]\nplatform = A\n  B\n", ":3: line begins with a blank" },
	{ "[slugd]\n platform = A\n", ":2: line begins with a blank" },
	{ "[addon ]\nplans = a:0\n", ":1: [addon ] has no name" },
	{ "[addon A]\nplans = a:0\n", ":1: [addon A]: a name is of" },
	{ "[addon a]\nplans = a\n",
	  ":2: plans: 'a' is not a plan such as free:0" },
	{ "[addon a]\nplans = a:x\n", ":2: plans: 'x' is not a price" },
	{ "[addon a]\nplans = a:-1\n", ":2: plans: '-1' is not a price" },
	{ "[addon a]\nplans = a:nan\n", ":2: plans: 'nan' is not a price" },
	{ "[addon a]\nplans = a b:1\n",
	  ":2: plans: 'a b' is not a plan's name" },
	{ "[addon a]\nplans = a:0, a:1\n", ":2: plans: plan 'a' twice" },
	{ "[addon a]\nplans =\n", ":2: plans: has no value" },
	{ "[addon a]\nplans = a:0\nplans = b:0\n",
	  ":3: plans stands there twice" },
	{ "[addon a]\nplans = a:0\nprovider = magic\n",
	  ":3: provider: 'magic' is neither static nor exec:/a/program" },
	{ "[addon a]\nplans = a:0\nx = 1\n",
	  ":3: unknown key 'x' in [addon a]" },
	{ "[addon a]\nplans = a:0\nconfig.A-B = 1\n",
	  ":3: config.A-B: config var 'A-B'" },
	{ "[addon a]\nplans = a:0\nconfig.A = 1\nconfig.A = 2\n",
	  ":4: config.A: stands there twice" },
	{ "[addon a]\nplans = a:0\nconfig.A = \xff\n",
	  ":3: config.A: is not UTF-8" },
	{ "[addon a]\nplans = a:0\n[addon b]\nplans = a:0\n"
	  "[addon a]\nprovider = static\n",
	  ":5: [addon a] stands there twice" },
	{ "[addon a]\nprovider = static\n", ":1: [addon a] has no plans" },
	{ "[addon a]\n[slug]\n", ":1: [addon a] has no plans" },
	{ "[slugx]\n", ":1: unknown section [slugx]" },
};

static void every_mistake_has_its_line(void **state)
{
	struct config *c;
	char wanted[200];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		if (parse(&c, mistakes[i].text) != ERR_INVALID)
			fail_msg("taken: %s", mistakes[i].text);
		assert_null(c);
		snprintf(wanted, sizeof(wanted), "%s%s", path,
			 mistakes[i].message);
		if (strncmp(err_msg(), wanted, strlen(wanted)) != 0)
			fail_msg("'%s' is not '%s'", err_msg(), wanted);
	}
}

static void note(void *ctx, const char *line)
{
	char **all = ctx, *old = *all;

	/* The path is the same in each. */
	*all = xasprintf("%s%s\n", old, line + strlen(path));
	free(old);
}

static void all_mistakes_are_told_of(void **state)
{
	char long_one[300], *text, *all = xstrdup("");
	struct config *c = NULL;
	FILE *f = fopen(path, "we");

	(void)state;
	memset(long_one, 'x', sizeof(long_one));
	long_one[sizeof(long_one) - 1] = '\0';
	text = xasprintf("[slugd\n"
			 "[slug]\nlevel = 20\nmax_depth = 5\nlevel = 3\n"
			 "nonsense\n%s\n max_tree = 5\n"
			 "[slugx]\nx = 1\ny = 2\n"
			 "[addon A]\nplans = a:0\n"
			 "[addon a]\nprovider = magic\nx = 1\n"
			 "[addon b]\nplans = a:x\n"
			 "[launch]\nports = \"80\nnothing",
			 long_one);
	fputs(text, f);
	fclose(f);
	assert_int_equal(config_check(&c, path, note, &all), ERR_INVALID);
	assert_null(c);
	assert_string_equal(
		all,
		":1: neither [section] nor 'key = value'\n"
		":3: level: '20' is not a number from 1 to 19\n"
		":5: level stands there twice\n"
		":6: neither [section] nor 'key = value'\n"
		":7: line is longer than 198 bytes\n"
		":8: line begins with a blank\n"
		":9: unknown section [slugx]\n"
		":12: [addon A]: a name is of lower-case letters, digits and "
		"dashes\n"
		":15: provider: 'magic' is neither static nor "
		"exec:/a/program\n"
		":16: unknown key 'x' in [addon a]\n"
		":14: [addon a] has no plans\n"
		":18: plans: 'x' is not a price\n"
		":20: the quotes are not closed\n"
		":21: neither [section] nor 'key = value'\n");
	assert_non_null(strstr(err_msg(), ":1: neither"));
	free(all);
	free(text);
	/* None: nothing is told, and it is read. */
	assert_int_equal(parse(&c, "[slug]\nlevel = 4\n"), 0);
	config_free(c);
	c = NULL;
	assert_int_equal(config_check(&c, path, note, NULL), 0);
	assert_int_equal(c->level, 4);
	config_free(c);
}

static void long_lines_are_refused_not_cut(void **state)
{
	char text[600], big[300];
	struct config *c;

	(void)state;
	memset(big, 'x', sizeof(big));
	big[185] = '\0';
	snprintf(text, sizeof(text), "[slugd]\nplatform = %s\n", big);
	assert_int_equal(parse(&c, text), 0);
	assert_int_equal(strlen(c->platform), 185);
	config_free(c);
	memset(big, 'x', sizeof(big));
	big[250] = '\0';
	snprintf(text, sizeof(text), "[slugd]\n\nplatform = %s\n", big);
	assert_int_equal(parse(&c, text), ERR_INVALID);
	assert_non_null(strstr(err_msg(), ":3: line is longer than"));
	snprintf(text, sizeof(text), "[slugd]\n; %s\n", big);
	assert_int_equal(parse(&c, text), ERR_INVALID);
	big[60] = '\0';
	snprintf(text, sizeof(text), "[addon %s]\nplans = a:0\n", big);
	assert_int_equal(parse(&c, text), ERR_INVALID);
	assert_non_null(strstr(err_msg(), ":1: section is longer than"));
}

static void an_absent_file_is_an_error(void **state)
{
	struct config *c = NULL;

	(void)state;
	assert_int_equal(config_read(&c, "/no/such/slugd.ini"), ERR_SYSTEM);
	assert_non_null(strstr(err_msg(), "/no/such/slugd.ini: No such"));
	config_free(NULL);
}

static int make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 || close(fd);
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_the_designs),
		cmocka_unit_test(sample_is_the_defaults),
		cmocka_unit_test(sample_shows_every_key),
		cmocka_unit_test(an_addon_has_plans_and_vars),
		cmocka_unit_test(deploy_branches_make_deploy_refs),
		cmocka_unit_test(quotes_protect),
		cmocka_unit_test(other_peoples_files_read),
		cmocka_unit_test(every_mistake_has_its_line),
		cmocka_unit_test(all_mistakes_are_told_of),
		cmocka_unit_test(long_lines_are_refused_not_cut),
		cmocka_unit_test(an_absent_file_is_an_error),
	};

	return cmocka_run_group_tests_name("config", tests, make_file,
					   remove_file);
}
