/* SPDX-License-Identifier: ISC */
#include "sockets.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mem.h"
#include "text.h"

#define MAX_FDS     4096      /* of a process, that are looked at */
#define MAX_SHOWN   3         /* addresses */
#define ACCEPT_CONN 0x10000UL /* of a Unix socket that listens */

/* --- which processes --- */

struct task {
	pid_t pid, parent, session;
	bool ours;
};

struct tasks {
	struct task *v;
	size_t n;
};

/* Its parent and session, by proc(5)'s stat. */
static bool read_task(int proc, const char *pid, struct task *out)
{
	char *path = xasprintf("%s/stat", pid), text[512];
	int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	const char *rest;
	char *end;

	if (fd >= 0)
		close(fd);
	free(path);
	text[n > 0 ? n : 0] = '\0';
	/* Its name may have spaces and brackets; ") S PARENT GROUP SESSION". */
	rest = strrchr(text, ')');
	if (!rest || strlen(rest) < 5)
		return false;
	out->pid = (pid_t)strtol(pid, NULL, 10);
	out->parent = (pid_t)strtol(rest + 4, &end, 10);
	strtol(end, &end, 10);
	out->session = (pid_t)strtol(end, NULL, 10);
	return true;
}

static void read_tasks(struct tasks *t)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	struct task task = { .ours = false };

	/* cppcheck-suppress readdirCalled; no other thread has it */
	while (d && (e = readdir(d))) {
		if (*e->d_name < '1' || *e->d_name > '9' ||
		    !read_task(dirfd(d), e->d_name, &task))
			continue;
		t->v = xrealloc(t->v, t->n + 1, sizeof(*t->v));
		t->v[t->n++] = task;
	}
	if (d)
		closedir(d);
}

static bool is_of(const struct tasks *t, const struct task *task, pid_t pid)
{
	size_t i;

	if (task->pid == pid || task->session == pid)
		return true;
	for (i = 0; i < t->n; i++)
		if (t->v[i].ours && t->v[i].pid == task->parent)
			return true;
	return false;
}

/* Mark the process, its session, and what they started. */
static void mark(struct tasks *t, pid_t pid)
{
	bool more = true;
	size_t i;

	while (more) {
		more = false;
		for (i = 0; i < t->n; i++) {
			if (t->v[i].ours || !is_of(t, &t->v[i], pid))
				continue;
			t->v[i].ours = more = true;
		}
	}
}

/* --- which sockets they have --- */

struct inodes {
	unsigned long *v;
	size_t n;
};

/* False where the process cannot be looked into. */
static bool add_inodes(struct inodes *all, pid_t pid)
{
	char *path = xasprintf("/proc/%ld/fd", (long)pid), link[64];
	DIR *d = opendir(path);
	bool opened = d != NULL;
	struct dirent *e;
	ssize_t n;
	int i;

	free(path);
	/* cppcheck-suppress readdirCalled; no other thread has it */
	for (i = 0; d && i < MAX_FDS && (e = readdir(d)); i++) {
		n = readlinkat(dirfd(d), e->d_name, link, sizeof(link) - 1);
		link[n < 0 ? 0 : n] = '\0';
		if (strncmp(link, "socket:[", 8) != 0)
			continue;
		all->v = xrealloc(all->v, all->n + 1, sizeof(*all->v));
		all->v[all->n++] = strtoul(link + 8, NULL, 10);
	}
	if (d)
		closedir(d);
	return opened;
}

static bool has(const struct inodes *all, const char *word)
{
	unsigned long inode = strtoul(word, NULL, 10);
	size_t i;

	for (i = 0; i < all->n; i++)
		if (all->v[i] == inode)
			return true;
	return false;
}

/* --- where these listen --- */

struct found {
	uint16_t port; /* that is asked about */
	char *there;   /* an address with that port */
	char *list;    /* the others: "[::1]:3000, 127.0.0.1:80" */
	char *path;    /* of a Unix socket */
	unsigned nr_list;
	bool right; /* on that port, and where 127.0.0.1 is */
};

/* The line's words, at most n; how many there are. */
static size_t split(char *line, char **words, size_t n)
{
	char *save = NULL, *word = strtok_r(line, " \n", &save);
	size_t i = 0;

	for (; word && i < n; word = strtok_r(NULL, " \n", &save))
		words[i++] = word;
	return i;
}

/* "0100007F:0BB8" of proc_net(5), whose words are in the machine's order. */
static bool read_address(char *text, char *out, size_t size, uint16_t *port)
{
	char *colon = strchr(text, ':'), word[9] = "";
	uint32_t a[4] = { 0 };
	size_t len, i;

	if (!colon)
		return false;
	*port = (uint16_t)strtoul(colon + 1, NULL, 16);
	len = (size_t)(colon - text) / 8;
	for (i = 0; i < len && i < 4; i++) {
		memcpy(word, text + 8 * i, 8);
		a[i] = (uint32_t)strtoul(word, NULL, 16);
	}
	return inet_ntop(len == 4 ? AF_INET6 : AF_INET, a, out,
			 (socklen_t)size);
}

static void note(struct found *f, char *text)
{
	static const char *const right[] = { "127.0.0.1", "0.0.0.0",
					     "::", "::ffff:127.0.0.1" };
	char address[INET6_ADDRSTRLEN], *shown;
	uint16_t port;
	size_t i;

	if (!read_address(text, address, sizeof(address), &port))
		return;
	shown = xasprintf(strchr(address, ':') ? "[%s]:%u" : "%s:%u", address,
			  port);
	for (i = 0; port == f->port && i < sizeof(right) / sizeof(*right); i++)
		f->right = f->right || !strcmp(address, right[i]);
	if (port == f->port)
		str_replace(&f->there, xstrdup(shown));
	else if (f->nr_list++ < MAX_SHOWN)
		str_replace(&f->list,
			    xasprintf("%s%s%s", f->list ? f->list : "",
				      f->list ? ", " : "", shown));
	free(shown);
}

static void look_tcp(struct found *f, const struct inodes *all, pid_t pid,
		     const char *file)
{
	enum { LOCAL = 1, STATE = 3, INODE = 9, FIELDS };
	char *path = xasprintf("/proc/%ld/net/%s", (long)pid, file);
	char line[512], *words[FIELDS];
	FILE *in = fopen(path, "re");

	free(path);
	while (in && fgets(line, sizeof(line), in))
		if (split(line, words, FIELDS) == FIELDS &&
		    strtoul(words[STATE], NULL, 16) == TCP_LISTEN &&
		    has(all, words[INODE]))
			note(f, words[LOCAL]);
	if (in)
		fclose(in);
}

static void look_unix(struct found *f, const struct inodes *all, pid_t pid)
{
	enum { FLAGS = 3, INODE = 6, PATH, FIELDS };
	char *path = xasprintf("/proc/%ld/net/unix", (long)pid);
	char line[512], *words[FIELDS];
	FILE *in = fopen(path, "re");

	free(path);
	while (in && fgets(line, sizeof(line), in))
		if (split(line, words, FIELDS) == FIELDS &&
		    (strtoul(words[FLAGS], NULL, 16) & ACCEPT_CONN) &&
		    has(all, words[INODE]))
			str_replace(&f->path, text_cell(words[PATH], 60));
	if (in)
		fclose(in);
}

/* In words; caller frees. */
static char *tell(const struct found *f)
{
	if (f->there && !f->right)
		return xasprintf("it listens on %s, not on 127.0.0.1",
				 f->there);
	if (f->there)
		return xasprintf("it listens on %s", f->there);
	if (f->list)
		return xasprintf("it listens on %s%s", f->list,
				 f->nr_list > MAX_SHOWN ? " and others" : "");
	if (f->path)
		return xasprintf("it listens on the Unix socket %s alone",
				 f->path);
	return xstrdup("it listens on no port");
}

/*
 * The sockets of all that are ours. False where one that may listen cannot be
 * looked into; the first of several may be the init of a box, which does not.
 */
static bool read_inodes(struct inodes *all, const struct tasks *t, pid_t first)
{
	bool any = false, each = true;
	size_t i;

	for (i = 0; i < t->n; i++) {
		if (!t->v[i].ours)
			continue;
		if (add_inodes(all, t->v[i].pid))
			any = true;
		else if (t->v[i].pid != first)
			each = false;
	}
	return any && each;
}

char *sockets_describe(pid_t pid, uint16_t port)
{
	struct tasks tasks = { .n = 0 };
	struct inodes all = { .n = 0 };
	struct found f = { .port = port };
	char *text = NULL;
	bool seen;

	read_tasks(&tasks);
	mark(&tasks, pid);
	seen = read_inodes(&all, &tasks, pid);
	look_tcp(&f, &all, pid, "tcp");
	look_tcp(&f, &all, pid, "tcp6");
	look_unix(&f, &all, pid);
	if (seen || f.there || f.list || f.path)
		text = tell(&f);
	free(f.there);
	free(f.list);
	free(f.path);
	free(all.v);
	free(tasks.v);
	return text;
}
