/* SPDX-License-Identifier: ISC */
#ifndef DOTENV_H
#define DOTENV_H

#include <stddef.h>

#include "json.h"

/*
 * Config vars as text, the form that .env files have:
 *
 *	# a comment
 *	KEY=value
 *	export KEY="two\nlines, with \"quotes\""
 *	KEY='as it stands, over
 *	several lines'
 *	KEY='it'\''s the way a shell would have it'
 *
 * An unquoted value ends with its line, blanks at both ends not counted, or
 * at " #"; a line ends with LF, CR LF or CR. In double quotes \n, \r, \t, \", \\ and \$ stand for a character.
 * A byte order mark in front is passed over.
 */

/*
 * The pairs of len bytes of text, {"KEY": "value"}, into *out (caller's
 * reference); of a key that stands there twice the last one counts.
 * Errors: ERR_INVALID, with "line N: ...".
 */
int dotenv_parse(json_t **out, const char *text, size_t len);

#endif
