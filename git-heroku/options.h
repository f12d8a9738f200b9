/* SPDX-License-Identifier: ISC */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stddef.h>

#include "heroku.h"

struct command;

/*
 * The options of all commands. Each has a key, by which a command says that
 * it takes it, and perhaps a letter, which two may share that no command
 * takes both of.
 */
struct option_def {
	char key;
	char letter;       /* -LETTER, beside --NAME; 0: none */
	const char *name;  /* without the dashes */
	const char *arg;   /* what its argument is called; NULL: none */
	const char *help;  /* one line */
	const char *words; /* what complete offers as arg; "" for nothing */
};

/* All of them; the last has the key 0. */
extern const struct option_def option_table[];

/*
 * Take the options out of argv, wherever they stand before a "--", into h,
 * and leave the rest (the command's name and its arguments) in h->args. The
 * keys of those that were given go into given (OPTIONS_SIZE bytes).
 * Errors: ERR_INVALID.
 */
#define OPTIONS_SIZE 32
int options_parse(struct heroku *h, char *given, int argc, char **argv);

/* "-n, --num NUM" for the help and the errors. Caller frees. */
char *option_text(const struct option_def *o);

/*
 * The option that word is, "-n" or "--num", to that command (NULL: not
 * known); NULL where it is none.
 */
const struct option_def *option_of_word(const char *word,
					const struct command *cmd);

/* The option with that key; it must be one. */
const struct option_def *option_by_key(char key);

#endif
