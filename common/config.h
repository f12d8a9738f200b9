/* SPDX-License-Identifier: ISC */
#ifndef CONFIG_H
#define CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "json.h"

/*
 * slugd.ini: the file is read by libinih, and each key is a row of one
 * table in config.c, which knows its section, type, default and meaning.
 * Every key has a default. See slugd.ini(5).
 */

/* One plan of an add-on; the price is in cents a month. */
struct config_plan {
	char *name;
	int64_t price;
};

/* A section [addon NAME]. */
struct config_addon {
	char *name;
	struct config_plan *plans; /* the first is the default */
	size_t nr_plans;
	char *provider;  /* "static", or "exec:" and a program's path */
	json_t *vars;    /* {"KEY": "value"} that the provider gives */
	char *file;      /* where further ones came from; NULL: nowhere */
	int64_t timeout; /* seconds that the program may take */
};

struct config {
	/* [slugd] */
	char *platform;
	char **deploy_branches; /* ends with NULL */
	uint64_t max_config;    /* bytes of keys and values of one app */
	int64_t push_wait;      /* seconds a push waits for another */
	/* [slug] */
	char *compression; /* "zstd", "gzip" */
	int64_t level;
	uint64_t max_size; /* bytes, packed */
	uint64_t max_tree; /* bytes, unpacked */
	uint64_t max_blob; /* bytes */
	int64_t max_entries;
	int64_t max_depth;
	int64_t max_time;    /* seconds */
	int64_t threads;     /* that pack a slug; 0: one a processor */
	int64_t keep;        /* slugs of an app; 0: all */
	uint64_t keep_bytes; /* as they are stored, of an app; 0: no limit */
	/* [launch] */
	char *driver; /* "slugrun", "none" */
	uint16_t port_first, port_last;
	int64_t timeout; /* seconds until a web process must answer */
	int64_t grace;   /* seconds between SIGTERM and SIGKILL */
	bool trial;      /* start a pushed release before its ref moves */
	char *check;     /* "tcp", or the path of a request */
	int64_t release_timeout; /* seconds for a release command */
	bool own_uid;            /* a uid for each app, where slugd is root */
	int64_t uid_first, uid_last;
	bool namespaces, seccomp, cgroups;
	uint64_t memory;       /* bytes, of a process and its children */
	int64_t max_processes; /* the same; 0: no limit */
	int64_t max_files;     /* open in one process; 0: as it comes */
	uint64_t log_size;     /* bytes, of an app's log */
	char **show; /* paths that boxes do not hide; ends with NULL */
	/* [route] */
	char *route;  /* "auto", "haproxy", "direct" */
	char *listen; /* "none", or ADDRESS:PORT */
	int64_t app_connections, source_connections; /* at a time */
	/* [addon NAME] */
	struct config_addon *addons;
	size_t nr_addons;
};

/*
 * Read the file at path into *out (config_free()). A path of NULL gives the
 * sample, that is, the defaults and the add-on that it shows.
 * Errors: ERR_INVALID with "PATH:LINE: what is wrong"; ERR_SYSTEM.
 */
int config_read(struct config **out, const char *path);

/* A mistake of the file: "PATH:LINE: what is wrong". */
typedef void (*config_mistake_fn)(void *ctx, const char *line);

/*
 * As config_read(), but goes on behind a mistake, and tells fn (unless NULL)
 * of each, in the order of lines. The error is the first one.
 */
int config_check(struct config **out, const char *path, config_mistake_fn fn,
		 void *ctx);

/* Free c; it may be NULL. */
void config_free(struct config *c);

/* The text of the sample slugd.ini, with every key at its default. */
const char *config_sample(void);

/* The add-on service of that name, or NULL; borrowed. */
const struct config_addon *config_addon(const struct config *c,
					const char *name);

/* The plan of that name, or the first where name is NULL; NULL if none. */
const struct config_plan *config_plan(const struct config_addon *a,
				      const char *name);

/* Is ref "refs/heads/BRANCH" with a deploy branch? */
bool config_is_deploy_ref(const struct config *c, const char *ref);

/* The table of keys, as a test reads it: i-th row or NULL past the end. */
const char *config_key_section(size_t i);
const char *config_key_name(size_t i);

#endif
