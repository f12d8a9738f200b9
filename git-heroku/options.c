/* SPDX-License-Identifier: ISC */
#include "options.h"

#include <getopt.h>
#include <string.h>

#include "err.h"
#include "mem.h"
#include "text.h"

const struct option_def option_table[] = {
	{ 'a', true, "app", "APP", "the app, by its name", "apps" },
	{ 'r', true, "remote", "REMOTE", "the app, by its git remote",
	  "remotes" },
	{ 'n', true, "num", "NUM", "how many releases; 15 unless given", "" },
	{ 'j', false, "json", NULL, "the data as JSON", "" },
	{ 's', true, "shell", NULL, "as a shell reads it back", "" },
	{ 'v', false, "values", NULL, "config vars with their values", "" },
	{ 'G', false, "config-only", NULL, "keep the code that runs", "" },
	{ 'C', false, "code-only", NULL, "keep the config vars of now", "" },
	{ 'c', false, "confirm", "APP", "the app's name, instead of asking",
	  "apps" },
	{ 'h', true, "help", NULL, "how to use the command", "" },
	{ 0, false, NULL, NULL, NULL, NULL },
};

#define NR_OPTIONS (sizeof(option_table) / sizeof(option_table[0]) - 1)

/* A long option's code where it has no letter: no character. */
#define LONG_ONLY 256

const struct option_def *option_by_key(char key)
{
	const struct option_def *o = option_table;

	while (o->key && o->key != key)
		o++;
	return o;
}

char *option_text(const struct option_def *o)
{
	char letter[] = { '-', o->key, ',', ' ', '\0' };

	return xasprintf("%s--%s%s%s", o->is_short ? letter : "", o->name,
			 o->arg ? " " : "", o->arg ? o->arg : "");
}

/* The same table in the two forms that getopt_long(3) wants. */
static void for_getopt(struct option *longs, char *shorts)
{
	size_t i;

	*shorts++ = ':';
	for (i = 0; i < NR_OPTIONS; i++) {
		const struct option_def *o = &option_table[i];

		longs[i] = (struct option){
			o->name, o->arg ? required_argument : no_argument, NULL,
			o->is_short ? o->key : LONG_ONLY + o->key
		};
		if (!o->is_short)
			continue;
		*shorts++ = o->key;
		if (o->arg)
			*shorts++ = ':';
	}
	longs[NR_OPTIONS] = (struct option){ 0 };
	*shorts = '\0';
}

static int take_only(struct heroku *h, const char *part)
{
	if (h->only && strcmp(h->only, part))
		return err_set(ERR_INVALID,
			       "--config-only and --code-only exclude each "
			       "other.");
	h->only = part;
	return 0;
}

static int take(struct heroku *h, char key, const char *value)
{
	switch (key) {
	case 'a':
		h->app = value;
		break;
	case 'r':
		h->remote = value;
		break;
	case 'c':
		h->confirm = value;
		break;
	case 'j':
		h->json = true;
		break;
	case 's':
		h->shell = true;
		break;
	case 'v':
		h->values = true;
		break;
	case 'G':
		return take_only(h, "config");
	case 'C':
		return take_only(h, "code");
	case 'h':
		h->help = true;
		break;
	case 'n':
		return err_prefix(text_parse_int(&h->num, value, 1, INT32_MAX),
				  "--num");
	default:
		break;
	}
	return 0;
}

/* What getopt_long(3) tripped over: word, or the letter optopt in it. */
static int wrong_option(int code, const char *word)
{
	const struct option_def *o = option_by_key((char)(optopt % LONG_ONLY));
	char letter[] = { '-', (char)optopt, '\0' };

	if (code == ':')
		return err_set(ERR_INVALID, "%s needs an argument", word);
	if (o->key)
		return err_set(ERR_INVALID, "--%s takes no argument", o->name);
	return err_set(ERR_INVALID, "There is no option %s.",
		       optopt ? letter : word);
}

int options_parse(struct heroku *h, char *given, int argc, char **argv)
{
	struct option longs[NR_OPTIONS + 1];
	char shorts[2 * NR_OPTIONS + 2], key;
	int code, rc = 0;

	for_getopt(longs, shorts);
	opterr = 0;
	while (!rc &&
	       (code = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		if (code == '?' || code == ':')
			return wrong_option(code, argv[optind - 1]);
		key = (char)(code % LONG_ONLY);
		rc = take(h, key, optarg);
		if (!strchr(given, key))
			given[strlen(given)] = key;
	}
	h->args = argv + optind;
	h->nr_args = argc - optind;
	return rc;
}
