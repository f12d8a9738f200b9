/* SPDX-License-Identifier: ISC */
#ifndef BOX_SETTINGS_H
#define BOX_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * What "slugrun-box exec" is told, in a file without a name that is its
 * descriptor 3: the environment ("A=b", each ended by a NUL), an empty
 * string, and the settings as a JSON object. Nothing of it is ever in an
 * argument list.
 *
 * Once it is read the file becomes the report of what runs in the box, for
 * the supervisor, which has it open, too: BOX_REPORT alone where the command
 * begins without an init, else a struct box_report. The app's user does not
 * get at it (box_become()).
 */
struct release;

#define BOX_FD 3

struct box_settings {
	char *command;
	char *tree;   /* the release's folder; absolute, as the next two */
	char *run;    /* the process's own folder, where all it writes goes */
	char *mask;   /* slugd's folder, which it does not see; NULL: none */
	char *cgroup; /* the name of its control groups; NULL: none */
	char **hide;  /* further paths that it does not see; ends with NULL */
	char **show;  /* paths that it sees all the same */
	char *tty;    /* set later: its terminal's path; NULL: none */
	int64_t uid;  /* whose process it becomes; -1: ours */
	int64_t mark; /* see strays.h; 0: none */
	bool namespaces, seccomp;
	int64_t memory;                   /* bytes; 0: no limit */
	int64_t max_processes, max_files; /* 0: no limit */
	char **env; /* with room for three further ones; ends with NULL */
	char *text; /* that env points into */
};

#define BOX_REPORT "\0report" /* no environment begins so */

/* How its command ended: waitid(2)'s si_code (0: it runs) and si_status. */
struct box_end {
	int32_t code, status;
};

struct box_report {
	char magic[8];
	int64_t pid; /* of its init */
	struct box_end end;
};

/*
 * Append the settings to the file of the environment, at whose beginning
 * the child will read. Errors: ERR_SYSTEM.
 */
int box_settings_write(int fd, const struct release *r, const char *run,
		       const char *command, const char *cgroup, int64_t mark);

/*
 * Read all from fd, and empty it for the report. To be released in any case.
 * Errors: ERR_SYSTEM, ERR_INVALID.
 */
int box_settings_read(struct box_settings *s, int fd);

/* Free what s holds. */
void box_settings_release(struct box_settings *s);

/* Set a variable of its environment ("HOME", "/app"), once for each room. */
void box_settings_set(struct box_settings *s, const char *key,
		      const char *value);

#endif
