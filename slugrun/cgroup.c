/* SPDX-License-Identifier: ISC */
#include "cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "err.h"
#include "mem.h"

#define TRIES   100 /* 10 ms each, until what was killed is gone */
#define ENTRIES 5   /* into a group that another slugrun removes meanwhile */

/* What the names of groups of slugruns begin with, see box_group(). */
#define OWN "slugrun."

/*
 * In version 2 a group whose processes are limited one by one has none of
 * its own: slugrun lives in this one beside theirs.
 */
#define LEAF "slugrun.leaf"

/* What is limited, and by which files. */
static const struct controller {
	const char *name;
	const char *limit[2]; /* of version 1, of version 2 */
	const char *swap[2];  /* that is not to make it more, if it is there */
} controllers[] = {
	{ "memory",
	  { "memory.limit_in_bytes", "memory.max" },
	  { "memory.memsw.limit_in_bytes", "memory.swap.max" } },
	{ "pids", { "pids.max", "pids.max" }, { NULL, NULL } },
};

#define NR_CONTROLLERS (sizeof(controllers) / sizeof(controllers[0]))

static bool has_word(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (; *list;
	     list += strcspn(list, ",") + (list[strcspn(list, ",")] == ','))
		if (!strncmp(list, word, len) &&
		    (list[len] == ',' || !list[len]))
			return true;
	return false;
}

/* The path of our group: of controller in version 1, or NULL: version 2. */
static char *own_path(const char *controller)
{
	FILE *f = fopen("/proc/self/cgroup", "re");
	char *line = NULL, *list, *path, *found = NULL;
	size_t size = 0;

	while (f && !found && getline(&line, &size, f) > 0) {
		line[strcspn(line, "\n")] = '\0';
		list = strchr(line, ':');
		path = list ? strchr(list + 1, ':') : NULL;
		if (!path)
			continue;
		*path++ = '\0';
		if (controller ? has_word(list + 1, controller) : !list[1])
			found = xstrdup(path);
	}
	free(line);
	if (f)
		fclose(f);
	return found;
}

/*
 * Where that path is in the file system: a mount of it, or of a group above
 * it, in a line of proc(5)'s mountinfo.
 */
static char *mounted_at(char *line, const char *controller, const char *path)
{
	char root[4096], at[4096], type[32], options[4096];
	char *rest = strstr(line, " - ");
	size_t len;

	if (!rest || sscanf(line, "%*d %*d %*s %4095s %4095s", root, at) != 2 ||
	    sscanf(rest, " - %31s %*s %4095s", type, options) != 2 ||
	    strcmp(type, controller ? "cgroup" : "cgroup2") != 0 ||
	    (controller && !has_word(options, controller)))
		return NULL;
	len = strcmp(root, "/") ? strlen(root) : 0;
	if (strncmp(path, root, len) != 0 || (path[len] && path[len] != '/'))
		return NULL;
	return xasprintf("%s%s", at, strcmp(path + len, "/") ? path + len : "");
}

static char *find_folder(const char *controller)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char *path = own_path(controller), *line = NULL, *found = NULL;
	size_t size = 0;

	while (f && path && !found && getline(&line, &size, f) > 0)
		found = mounted_at(line, controller, path);
	free(line);
	free(path);
	if (f)
		fclose(f);
	return found;
}

static int put(const char *folder, const char *file, const char *text)
{
	char *path = xasprintf("%s/%s", folder, file);
	int fd = open(path, O_WRONLY | O_CLOEXEC), rc = -1;

	if (fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text))
		rc = 0;
	if (fd >= 0)
		close(fd);
	free(path);
	return rc;
}

static FILE *open_file(const char *folder, const char *file)
{
	char *path = xasprintf("%s/%s", folder, file);
	FILE *f = fopen(path, "re");

	free(path);
	return f;
}

/* Is the controller one of those in a file of version 2? */
static bool lists(const char *folder, const char *file, const char *controller)
{
	FILE *f = open_file(folder, file);
	char word[64];
	bool found = false;

	while (f && !found && fscanf(f, "%63s", word) == 1)
		found = !strcmp(word, controller);
	if (f)
		fclose(f);
	return found;
}

/* Where groups of version 2 are made, if they can be; NULL: nowhere. */
static char *home_of_two(void)
{
	char *folder = find_folder(NULL);
	char *slash = folder ? strrchr(folder, '/') : NULL;

	if (slash && !strcmp(slash + 1, LEAF))
		*slash = '\0';
	return folder;
}

/* Let groups in home have the controllers that it has. Are any on now? */
static bool turn_on(const char *home)
{
	bool any = false;
	char *text;
	size_t i;

	for (i = 0; i < NR_CONTROLLERS; i++) {
		text = xasprintf("+%s", controllers[i].name);
		if (lists(home, "cgroup.controllers", controllers[i].name) &&
		    !put(home, "cgroup.subtree_control", text))
			any = true;
		free(text);
	}
	return any;
}

/* Is nobody else in the group? */
static bool is_alone(const char *group)
{
	FILE *f = open_file(group, "cgroup.procs");
	bool alone = f;
	char line[32];

	while (f && fgets(line, sizeof(line), f))
		alone = alone && strtol(line, NULL, 10) == getpid();
	if (f)
		fclose(f);
	return alone;
}

/* Only the root has no type, and processes beside limited groups. */
static bool is_root(const char *group)
{
	FILE *f = open_file(group, "cgroup.type");

	if (f)
		fclose(f);
	return !f;
}

/* Go to the leaf of home, where that helps. */
static void enter_leaf(const char *home)
{
	char *leaf = xasprintf("%s/" LEAF, home);

	if ((!mkdir(leaf, 0755) || errno == EEXIST) &&
	    !put(leaf, "cgroup.procs", "0") && !turn_on(home)) {
		put(home, "cgroup.procs", "0");
		rmdir(leaf);
	}
	free(leaf);
}

/* Go into a group of our own below home, or into its leaf. NULL: none. */
static char *enter_own(const char *home, const char *name)
{
	char *group = xasprintf("%s/%s", home, name);
	int i;

	/* One that is empty may be swept before we are in it. */
	for (i = 0; i < ENTRIES; i++)
		if ((!mkdir(group, 0755) || errno == EEXIST) &&
		    !put(group, "cgroup.procs", "0"))
			break;
	if (i < ENTRIES)
		enter_leaf(group);
	else
		str_replace(&group, NULL);
	return group;
}

char *cgroup_prepare(const char *own)
{
	char *home = home_of_two(), *group = NULL;

	if (home && is_root(home))
		turn_on(home);
	else if (home && is_alone(home)) {
		enter_leaf(home);
		return home;
	}
	if (home && own)
		group = enter_own(home, own);
	free(home);
	return group;
}

/* A process that was waited for is in it for a moment more. */
static void rmdir_soon(const char *group)
{
	static const struct timespec moment = { 0, 1000000 };
	int i;

	for (i = 0; i < TRIES && rmdir(group) && errno == EBUSY; i++)
		nanosleep(&moment, NULL);
}

/* Groups of slugruns that were killed; the kernel keeps those in use. */
static void sweep_own(const char *home)
{
	DIR *d = opendir(home);
	struct dirent *e;

	/* cppcheck-suppress readdirCalled; no other thread has it */
	while (d && (e = readdir(d)))
		if (!strncmp(e->d_name, OWN, strlen(OWN)) &&
		    strcmp(e->d_name, LEAF) != 0 &&
		    unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR)) {
			/* It has processes. */
		}
	if (d)
		closedir(d);
}

void cgroup_leave(const char *group, const char *own)
{
	char *home = group ? xstrdup(group) : NULL;
	char *leaf = xasprintf("%s/" LEAF, group ? group : "");
	char *slash = home ? strrchr(home, '/') : NULL;

	if (slash && !strcmp(slash + 1, own)) {
		*slash = '\0';
		if (!put(home, "cgroup.procs", "0")) {
			rmdir_soon(leaf);
			rmdir_soon(group);
			sweep_own(home);
		}
	}
	free(leaf);
	free(home);
}

/*
 * The folder in which groups for this controller can be made, and the
 * version; NULL: none.
 */
static char *home_of(const struct controller *c, int *version)
{
	char *folder = find_folder(c->name);

	*version = 1;
	if (!folder) {
		*version = 2;
		folder = home_of_two();
		if (folder &&
		    !lists(folder, "cgroup.subtree_control", c->name)) {
			free(folder);
			folder = NULL;
		}
	}
	if (folder && access(folder, W_OK)) {
		free(folder);
		folder = NULL;
	}
	return folder;
}

/* home and version: home_of() c. */
static int enter(const struct controller *c, const char *home, int version,
		 const char *name, int64_t limit)
{
	char *group, *text;
	int rc = 0, v = version - 1;

	if (!home)
		return 0;
	group = xasprintf("%s/%s", home, name);
	text = xasprintf("%" PRId64, limit);
	/* A file system that is read-only all the same, and the like. */
	if (mkdir(group, 0755) && errno != EEXIST)
		goto done;
	if (limit && put(group, c->limit[v], text))
		rc = err_sys("%s/%s", group, c->limit[v]);
	if (limit && c->swap[v])
		put(group, c->swap[v], v ? "0" : text);
	/*
	 * As the one thread that we are: to move a process the kernel waits
	 * for a grace period of RCU, 10 ms and more.
	 */
	if (!rc && put(group, version == 1 ? "tasks" : "cgroup.procs", "0"))
		rc = err_sys("%s", group);
done:
	free(text);
	free(group);
	return rc;
}

int cgroup_enter(const char *name, int64_t memory, int64_t max_processes)
{
	char *home[NR_CONTROLLERS];
	int version[NR_CONTROLLERS], rc = 0;
	size_t i;

	/* All of them first: in version 2 the first one moves us. */
	for (i = 0; i < NR_CONTROLLERS; i++)
		home[i] = home_of(&controllers[i], &version[i]);
	if (memory)
		rc = enter(&controllers[0], home[0], version[0], name, memory);
	/* That of processes always: by it all of them can be found. Its init
	   and who starts it are in there, too. */
	if (!rc)
		rc = enter(&controllers[1], home[1], version[1], name,
			   max_processes ? max_processes + 2 : 0);
	for (i = 0; i < NR_CONTROLLERS; i++)
		free(home[i]);
	return rc;
}

bool cgroup_was_full(const char *name)
{
	static const char *const events[] = { "memory.oom_control",
					      "memory.events" };
	char *home, *group, word[64], n[64] = "0";
	int version;
	FILE *f;

	home = home_of(&controllers[0], &version);
	if (!home)
		return false;
	group = xasprintf("%s/%s", home, name);
	f = open_file(group, events[version - 1]);
	while (f && fscanf(f, "%63s %63s", word, n) == 2 &&
	       strcmp(word, "oom_kill") != 0)
		strcpy(n, "0");
	if (f)
		fclose(f);
	free(group);
	free(home);
	return strtoll(n, NULL, 10) > 0;
}

static void kill_all(const char *group)
{
	FILE *f = open_file(group, "cgroup.procs");
	char word[32];
	pid_t pid;

	while (f && fscanf(f, "%31s", word) == 1) {
		pid = (pid_t)strtol(word, NULL, 10);
		if (pid > 1)
			kill(pid, SIGKILL);
	}
	if (f)
		fclose(f);
}

static void remove_group(const char *home, const char *name)
{
	static const struct timespec moment = { 0, 10000000 };
	char *group = xasprintf("%s/%s", home, name);
	int i;

	for (i = 0; i < TRIES && rmdir(group) && errno == EBUSY; i++) {
		kill_all(group);
		nanosleep(&moment, NULL);
	}
	free(group);
}

static void remove_all(const char *home, const char *prefix)
{
	DIR *d = opendir(home);
	struct dirent *e;

	/* cppcheck-suppress readdirCalled; no other thread has it */
	while (d && (e = readdir(d)))
		if (!strncmp(e->d_name, prefix, strlen(prefix)))
			remove_group(home, e->d_name);
	if (d)
		closedir(d);
}

/* Call end for name in the home of each controller that has one. */
static void in_each_home(void (*end)(const char *home, const char *name),
			 const char *name)
{
	size_t i;
	int version;
	char *home;

	for (i = 0; i < NR_CONTROLLERS; i++) {
		home = home_of(&controllers[i], &version);
		if (home)
			end(home, name);
		free(home);
	}
}

void cgroup_remove(const char *name)
{
	in_each_home(remove_group, name);
}

void cgroup_remove_all(const char *prefix)
{
	in_each_home(remove_all, prefix);
}

char *cgroup_live(void)
{
	char *text = NULL, *home, *group;
	int version;
	size_t i;

	for (i = 0; i < NR_CONTROLLERS; i++) {
		home = home_of(&controllers[i], &version);
		group = home ? xasprintf("%s/slugrun-try-%ld", home,
					 (long)getpid())
			     : NULL;
		if (group && !mkdir(group, 0755)) {
			rmdir(group);
			str_replace(&text,
				    text ? xasprintf("%s %s", text,
						     controllers[i].name)
					 : xasprintf("v%d %s", version,
						     controllers[i].name));
		}
		free(group);
		free(home);
	}
	return text;
}

char *cgroup_try(void)
{
	char *home = home_of_two();
	char *group =
		home ? xasprintf("%s/slugrun-try-%ld", home, (long)getpid())
		     : NULL;

	if (group && mkdir(group, 0755))
		str_replace(&group, NULL);
	free(home);
	return group;
}
