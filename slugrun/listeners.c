/* SPDX-License-Identifier: ISC */
#include "listeners.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct found {
	struct listener *v;
	size_t n;
};

static void note(struct found *f, int64_t uid, uint64_t inode)
{
	if (f->n < LISTENERS_MAX)
		f->v[f->n++] = (struct listener){ uid, inode };
}

/* --- by sock_diag(7), which looks at listening sockets alone --- */

/* Would a connection to 127.0.0.1 go there? */
static bool takes_loopback(const struct inet_diag_msg *m)
{
	const uint32_t here = htonl(INADDR_LOOPBACK), mapped = htonl(0xffff);
	const uint32_t *a = m->id.idiag_src;

	if (m->idiag_family == AF_INET)
		return !a[0] || a[0] == here;
	return !a[0] && !a[1] &&
	       ((!a[2] && !a[3]) || (a[2] == mapped && a[3] == here));
}

static bool ask(int fd, int family, uint16_t port)
{
	struct {
		struct nlmsghdr head;
		struct inet_diag_req_v2 order;
	} q = { .head = { .nlmsg_len = sizeof(q),
			  .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			  .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.order = { .sdiag_family = (uint8_t)family,
			   .sdiag_protocol = IPPROTO_TCP,
			   .idiag_states = 1U << TCP_LISTEN } };

	q.order.id.idiag_sport = htons(port);
	return send(fd, &q, sizeof(q), 0) == (ssize_t)sizeof(q);
}

/* Those of one family; false where the kernel does not say. */
static bool ask_listeners(int fd, int family, uint16_t port, struct found *f)
{
	_Alignas(struct nlmsghdr) char buf[16384];
	const struct inet_diag_msg *m;
	const struct nlmsghdr *h;
	int n;

	if (!ask(fd, family, port))
		return false;
	while ((n = (int)recv(fd, buf, sizeof(buf), 0)) > 0) {
		for (h = (const void *)buf; NLMSG_OK(h, (unsigned)n);
		     h = NLMSG_NEXT(h, n)) {
			if (h->nlmsg_type != SOCK_DIAG_BY_FAMILY)
				return h->nlmsg_type == NLMSG_DONE;
			m = NLMSG_DATA(h);
			if (ntohs(m->id.idiag_sport) == port &&
			    takes_loopback(m))
				note(f, m->idiag_uid, m->idiag_inode);
		}
	}
	return false;
}

/* --- from /proc, for a kernel that has no such thing --- */

/* The same in the form of proc_net(5). */
static bool text_takes_loopback(const char *address)
{
	const uint32_t here = htonl(INADDR_LOOPBACK), mapped = htonl(0xffff);
	char mine[33];

	if (!address[strspn(address, "0")])
		return true;
	if (strlen(address) == 8)
		snprintf(mine, sizeof(mine), "%08X", here);
	else
		snprintf(mine, sizeof(mine), "%016X%08X%08X", 0, mapped, here);
	return !strcmp(address, mine);
}

/* In that file, which takes milliseconds where the machine has much memory. */
static void read_listeners(const char *path, uint16_t port, struct found *found)
{
	enum { LOCAL = 1, STATE = 3, UID = 7, INODE = 9, FIELDS };
	FILE *f = fopen(path, "re");
	char line[512], *words[FIELDS], *save, *colon;
	size_t n;

	while (f && fgets(line, sizeof(line), f)) {
		save = NULL;
		words[0] = strtok_r(line, " \n", &save);
		for (n = 0; n + 1 < FIELDS && words[n]; n++)
			words[n + 1] = strtok_r(NULL, " \n", &save);
		if (n + 1 < FIELDS || !words[n])
			continue;
		colon = strchr(words[LOCAL], ':');
		if (!colon || strtoul(colon + 1, NULL, 16) != port ||
		    strtoul(words[STATE], NULL, 16) != TCP_LISTEN)
			continue;
		*colon = '\0';
		if (!text_takes_loopback(words[LOCAL]))
			continue;
		note(found, strtoll(words[UID], NULL, 10),
		     strtoull(words[INODE], NULL, 10));
	}
	if (f)
		fclose(f);
}

size_t listeners_find(struct listener v[LISTENERS_MAX], uint16_t port)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	struct found f = { v, 0 };
	bool asked = fd >= 0 && ask_listeners(fd, AF_INET, port, &f) &&
		     ask_listeners(fd, AF_INET6, port, &f);

	if (fd >= 0)
		close(fd);
	if (asked)
		return f.n;
	f.n = 0;
	read_listeners("/proc/self/net/tcp", port, &f);
	read_listeners("/proc/self/net/tcp6", port, &f);
	return f.n;
}
