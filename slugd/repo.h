/* SPDX-License-Identifier: ISC */
#ifndef REPO_H
#define REPO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * The bare repository of an app, as seen from slugd and slugctl: refs,
 * reflogs, hooks and settings, never an object. git does the work where it
 * is more than reading a file.
 */

/*
 * Run git on the repository, with no settings but its own; args end with
 * NULL. Output and errors as proc_capture().
 */
int repo_git_bytes(const char *path, char **out, size_t *len,
		   const char *const *args);

/* The same with what few need. */
struct repo_git {
	const char *path;
	const char *const *args;
	const char *in; /* its standard input; NULL: none */
	size_t in_len;
	const char *const *env; /* a few more, "A=b", up to NULL; or NULL */
	bool env_is_all;        /* they are all that git has */
	struct proc_end *end;   /* how it ended; NULL: not needed */
};

int repo_git_run(const struct repo_git *g, char **out, size_t *len);

/*
 * Ask git what it answers by an exit status of 1 where it is not so, as
 * git config --get does of a key that is not there: *yes, and its output.
 * Errors: where git could not tell, be it by a signal, by another status, or
 * because something that it could not read is on its standard error.
 */
int repo_git_ask(const char *path, bool *yes, char **out,
		 const char *const *args);

#define REPO_ASK(path, yes, out, ...)                                          \
 repo_git_ask(path, yes, out, (const char *const[]){ __VA_ARGS__, NULL })

#define REPO_GIT(path, out, ...)                                               \
 repo_git_bytes(path, out, NULL, (const char *const[]){ __VA_ARGS__, NULL })

/* Remove a repository that repo_adopt() made just now. */
void repo_remove(const char *path);

/*
 * Is ref at oid (all zeros: is it not there)? Into *yes.
 * Errors: ERR_FAILED where git could not tell.
 */
int repo_ref_is_at(const char *path, const char *ref, const char *oid,
		   bool *yes);

/* The object id of ref, all zeros where it is not there, into *tip. */
int repo_ref_tip(const char *path, const char *ref, char **tip);

/* Whose the repository's own settings say it is, into *out; caller frees. */
int repo_app(const char *path, char **out);

/*
 * The commit that a revision names, as 40 digits, into *out (caller frees);
 * that of the first of the branches (ends with NULL) which is there.
 * Errors: ERR_NOTFOUND where git says so; else git could not tell.
 */
int repo_commit(const char *path, const char *rev, char **out);
int repo_tip(const char *path, char *const *branches, char **out);

/*
 * The names of the folders below objects/ that the quarantine fills ("pack",
 * "de"), into *names: a blank behind each. Caller frees.
 */
int repo_quarantine_folders(const char *quarantine, char **names);

/*
 * Make a moved ref durable: the folders of the ref, of its reflog and of the
 * objects that came (folders as above; NULL: the whole file system).
 */
int repo_sync(const char *path, const char *ref, const char *folders);

/* Point refs/releases/vN at the commit. */
int repo_keep(const char *path, int64_t version, const char *commit);

/*
 * The same for many, as len bytes of "update REF COMMIT" lines for
 * git-update-ref(1): all of them, or none.
 */
int repo_keep_all(const char *path, const char *updates, size_t len);

/* The versions that refs/releases/ has, a line each. Caller frees. */
int repo_kept(const char *path, char **out);

/* A git-receive-pack that does nothing until slugd lets it. */
struct repo_waiter {
	pid_t pid;
	char *quarantine; /* its folder, or the repository's objects/ */
};

/*
 * After a crash: remove *.lock files and quarantine folders, but for those
 * of the n waiters. False where there are some, and a process that works in
 * the repository, whose they may be, and that is not below one of the
 * waiters, who have no lock; nothing is removed then. Not to be called while
 * slugd's own git works there.
 */
bool repo_sweep(const char *path, const struct repo_waiter *v, size_t n);

/*
 * Is dir a folder of objects that a push to the repository may name: below
 * its objects/, that folder itself, or an alternate that was recorded when
 * the repository was adopted? Follows no link out of it.
 */
bool repo_owns_objects(const char *path, const char *dir);

#endif
