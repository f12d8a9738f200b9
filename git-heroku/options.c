/* SPDX-License-Identifier: ISC */
#include "options.h"

#include <getopt.h>
#include <string.h>

#include "command.h"
#include "err.h"
#include "mem.h"
#include "text.h"

const struct option_def option_table[] = {
	{ 'a', 'a', "app", "APP", "the app, by its name", "apps" },
	{ 'r', 'r', "remote", "REMOTE", "the app, by its git remote",
	  "remotes" },
	{ 'n', 'n', "num", "NUM", "how many; else 15 releases, or 100 lines",
	  "" },
	{ 'j', 0, "json", NULL, "the data as JSON", "" },
	{ 's', 's', "shell", NULL, "as a shell reads it back", "" },
	{ 'v', 0, "values", NULL, "config vars with their values", "" },
	{ 'G', 0, "config-only", NULL, "keep the code that runs", "" },
	{ 'C', 0, "code-only", NULL, "keep the config vars of now", "" },
	{ 'p', 'p', "ps", "DYNO", "of a process type, or one process alone",
	  "dynos" },
	{ 'S', 's', "source", "SOURCE", "what app prints, or heroku, alone",
	  "sources" },
	{ 't', 't', "tail", NULL, "go on with what is logged from now on", "" },
	{ 'e', 'e', "env", "VARS", "further variables: A=1;B=2", "" },
	{ 'z', 's', "size", "SIZE", "how large the process is; there is 1X",
	  "" },
	{ 'Y', 0, "type", "TYPE", "what the process is listed as", "" },
	{ 'T', 0, "no-tty", NULL, "no terminal, also where there is one", "" },
	{ 'x', 'x', "exit-code", NULL, "exit as the command does; always so",
	  "" },
	{ 'c', 0, "confirm", "APP", "the app's name, instead of asking",
	  "apps" },
	{ 'h', 'h', "help", NULL, "how to use the command", "" },
	{ 'V', 0, "version", NULL, "print the version", "" },
	{ 0, 0, NULL, NULL, NULL, NULL },
};

#define NR_OPTIONS (sizeof(option_table) / sizeof(option_table[0]) - 1)

#define MAX_NUM 1000000 /* what slugd takes, of lines of a log */

/* A long option's code, its key added: no character. */
#define LONG 256

const struct option_def *option_by_key(char key)
{
	const struct option_def *o = option_table;

	while (o->key && o->key != key)
		o++;
	return o;
}

/*
 * The option with that letter: where two have it, that of the command (which
 * may be NULL), else the first.
 */
static const struct option_def *by_letter(char letter,
					  const struct command *cmd)
{
	const struct option_def *o, *found = NULL;

	for (o = option_table; o->key; o++)
		if (o->letter == letter &&
		    (!found || (cmd && strchr(cmd->options, o->key))))
			found = o;
	return found;
}

const struct option_def *option_of_word(const char *word,
					const struct command *cmd)
{
	const struct option_def *o = option_table;

	if (word[0] == '-' && word[1] && word[1] != '-' && !word[2])
		return by_letter(word[1], cmd);
	if (strncmp(word, "--", 2) != 0)
		return NULL;
	while (o->key && strcmp(o->name, word + 2) != 0)
		o++;
	return o->key ? o : NULL;
}

/* The command that argv names: its first word that belongs to no option. */
static const struct command *command_of(int argc, char **argv)
{
	const struct option_def *o;
	int i;

	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--"))
			continue;
		if (argv[i][0] != '-')
			return command_find(argv[i]);
		o = option_of_word(argv[i], NULL);
		i += o && o->arg;
	}
	return NULL;
}

char *option_text(const struct option_def *o)
{
	char letter[] = { '-', o->letter, ',', ' ', '\0' };

	return xasprintf("%s--%s%s%s", o->letter ? letter : "", o->name,
			 o->arg ? " " : "", o->arg ? o->arg : "");
}

/* The same table in the two forms that getopt_long(3) wants. */
static void for_getopt(const struct command *cmd, struct option *longs,
		       char *shorts)
{
	size_t i;

	/* The arguments as they come, or the options out of them. */
	if (cmd && cmd->takes_command)
		*shorts++ = '-';
	*shorts++ = ':';
	for (i = 0; i < NR_OPTIONS; i++) {
		const struct option_def *o = &option_table[i];

		longs[i] = (struct option){ o->name,
					    o->arg ? required_argument
						   : no_argument,
					    NULL, LONG + o->key };
		if (!o->letter || by_letter(o->letter, cmd) != o)
			continue;
		*shorts++ = o->letter;
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
	case 'V':
		h->version = true;
		break;
	case 'p':
		h->ps = value;
		break;
	case 'S':
		h->source = value;
		break;
	case 't':
		h->tail = true;
		break;
	case 'e':
		h->env = value;
		break;
	case 'z':
		h->size = value;
		break;
	case 'Y':
		h->type = value;
		break;
	case 'T':
		h->no_tty = true;
		break;
	case 'n':
		return err_prefix(text_parse_int(&h->num, value, 1, MAX_NUM),
				  "--num");
	default:
		break;
	}
	return 0;
}

/* The option of a code that getopt_long(3) gave; NULL: none. */
static const struct option_def *by_code(int code, const struct command *cmd)
{
	const struct option_def *o;

	if (code < LONG)
		return by_letter((char)code, cmd);
	o = option_by_key((char)(code - LONG));
	return o->key ? o : NULL;
}

/* What getopt_long(3) tripped over: word, or the letter optopt in it. */
static int wrong_option(int code, const char *word, const struct command *cmd)
{
	const struct option_def *o = optopt ? by_code(optopt, cmd) : NULL;
	char letter[] = { '-', (char)optopt, '\0' };

	if (code == ':')
		return err_set(ERR_INVALID, "%s needs an argument", word);
	if (o)
		return err_set(ERR_INVALID, "--%s takes no argument", o->name);
	return err_set(ERR_INVALID, "There is no option %s.",
		       optopt ? letter : word);
}

int options_parse(struct heroku *h, char *given, int argc, char **argv)
{
	const struct command *cmd = command_of(argc, argv);
	struct option longs[NR_OPTIONS + 1];
	const struct option_def *o;
	char shorts[2 * NR_OPTIONS + 3], *name = NULL;
	int code, rc = 0;

	for_getopt(cmd, longs, shorts);
	opterr = 0;
	while (!rc &&
	       (code = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		if (code == 1 && name) {
			optind--;
			break;
		}
		if (code == 1) {
			name = optarg;
			continue;
		}
		o = strchr("?:", code) ? NULL : by_code(code, cmd);
		if (!o)
			return wrong_option(code, argv[optind - 1], cmd);
		rc = take(h, o->key, optarg);
		if (!strchr(given, o->key))
			given[strlen(given)] = o->key;
	}
	/* Where it was not moved to its arguments, the command's name. */
	if (name)
		argv[--optind] = name;
	h->args = argv + optind;
	h->nr_args = argc - optind;
	return rc;
}
