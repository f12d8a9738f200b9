/* SPDX-License-Identifier: ISC */
#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/*
 * How things read on a screen: times, sizes, table cells and text that came
 * from outside. Forms are those of Heroku's client of the releases article.
 */

#define TEXT_TIME_SIZE 40

/* "2015-05-07T09:00:00Z" into buf (TEXT_TIME_SIZE bytes). */
void text_iso(char *buf, int64_t when);

/*
 * Seconds since 1970 from "2015-05-07T09:00:00Z" into *when.
 * Errors: ERR_INVALID.
 */
int text_parse_iso(int64_t *when, const char *s);

/*
 * "5 seconds ago", "1 minute ago", "3 hours ago" under 24 hours, else the
 * reader's zone's "2010-09-12 15:32:17 -0700"; into buf (TEXT_TIME_SIZE
 * bytes). A time that lies ahead reads "0 seconds ago".
 */
void text_when(char *buf, int64_t when, int64_t now);

/*
 * "8.3MB", "412.0K", as Heroku's slug compiler prints a size: bytes under
 * 1 KiB as "512B", then K, MB and GB with one decimal. Caller frees.
 */
char *text_size(uint64_t bytes);

/*
 * A copy of s fit for a terminal: C0, DEL, C1 controls, bidirectional
 * overrides and bytes that are not UTF-8 become \xNN. Caller frees.
 */
char *text_escape(const char *s);

/*
 * s as one word of a shell's command: as it is, or in single quotes where it
 * has other characters than letters, digits and _-./:@%+, or none. Caller
 * frees.
 */
char *text_shell_word(const char *s);

/*
 * As text_escape(), and cut to max characters, the last two of which are
 * ".." where something was cut. Caller frees.
 */
char *text_cell(const char *s, size_t max);

/* s without blanks at both ends: cut in place, and borrowed from s. */
char *text_strip(char *s);

/*
 * The length of the byte order mark that editors of some systems put in
 * front of UTF-8: 3, or 0 where the len bytes of s begin with none.
 */
size_t text_bom(const char *s, size_t len);

/*
 * Cut the line that begins at s off the rest of the text, in place, and
 * return where the next one begins, or NULL. A line ends with LF, CR LF, or
 * with CR alone.
 */
char *text_cut_line(char *s);

/* Is s UTF-8 (RFC 3629)? */
bool text_is_utf8(const char *s);

/* Characters (not bytes) of s, which is UTF-8. */
size_t text_width(const char *s);

/*
 * Where the character after the first n of s begins, or its end; s is UTF-8.
 */
const char *text_skip(const char *s, size_t n);

/* s to f, with blanks behind it up to width characters. */
void text_pad(FILE *f, const char *s, size_t width);

/*
 * A number of bytes from "64K", "500M", "2G" or plain "512" into *bytes.
 * Errors: ERR_INVALID.
 */
int text_parse_size(uint64_t *bytes, const char *s);

/*
 * A whole number from min to max into *out.
 * Errors: ERR_INVALID, with a message that says what was expected.
 */
int text_parse_int(int64_t *out, const char *s, int64_t min, int64_t max);

#endif
