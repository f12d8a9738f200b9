/* SPDX-License-Identifier: ISC */

/*
 * slugunpack: unpacks one slug. See slugunpack(8).
 *
 * It reads what strangers packed, so it gives up all rights but those to
 * read the store and to write beside the target before it looks at a byte of
 * that. Where it is started as root it may become the owner of the tree; it
 * keeps one capability then, to read a store that is not that one's.
 */
#include <getopt.h>
#include <grp.h>
#include <libgen.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "err.h"
#include "fence.h"
#include "log.h"
#include "mem.h"
#include "text.h"
#include "unpack.h"

/* Become uid for good, but for reading. */
static int become(uid_t uid)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct data[2] = { { 0 } };
	gid_t gid = (gid_t)uid;

	data[0].permitted = data[0].effective = 1U << CAP_DAC_READ_SEARCH;
	if (prctl(PR_SET_KEEPCAPS, 1) || setgroups(0, NULL) ||
	    setresgid(gid, gid, gid) || setresuid(uid, uid, uid) ||
	    syscall(SYS_capset, &header, data))
		return err_sys("cannot become uid %u", (unsigned)uid);
	return 0;
}

/*
 * Of the store only what slugs are made of, and limits that end what has
 * gone out of hand.
 */
static int enter_fence(const char *store, const char *target)
{
	char *segments = xasprintf("%s/segments", store);
	char *slugs = xasprintf("%s/slugs", store), *copy = xstrdup(target);
	const char *read[] = { segments, slugs, NULL };
	const char *write[] = { dirname(copy), NULL };
	const struct fence f = {
		.read = read,
		.write = write,
		.cpu = 3600,
		.file_size = (uint64_t)64 << 30,
		.memory = (uint64_t)4 << 30,
		.files = 1024,
	};
	int rc;

	/* Over a limit is an error in words. */
	signal(SIGXFSZ, SIG_IGN);
	rc = fence_enter(&f);
	free(copy);
	free(slugs);
	free(segments);
	return rc;
}

static const struct option options[] = {
	{ "base", required_argument, NULL, 'b' },
	{ "base-slug", required_argument, NULL, 's' },
	{ "spare", required_argument, NULL, 'p' },
	{ "threads", required_argument, NULL, 't' },
	{ "uid", required_argument, NULL, 'u' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static void usage(FILE *f)
{
	fputs("usage: slugunpack [--threads=N] [--uid=N]\n"
	      "                  [--base=TREE --base-slug=UUID [--spare=TREE]]"
	      "\n                  STORE UUID TARGET TIME\n",
	      f);
}

struct arguments {
	struct unpack order;
	int64_t threads, uid; /* -1: as it was started */
	bool help, wrong;
};

static int take_option(struct arguments *a, int option)
{
	switch (option) {
	case 'b':
		a->order.base = optarg;
		return 0;
	case 's':
		a->order.base_uuid = optarg;
		return 0;
	case 'p':
		a->order.spare = optarg;
		return 0;
	case 't':
		return text_parse_int(&a->threads, optarg, 1, 64);
	case 'u':
		return text_parse_int(&a->uid, optarg, 0, UINT32_MAX - 1);
	case 'h':
		a->help = true;
		return 0;
	default:
		a->wrong = true;
		return 0;
	}
}

static int parse(struct arguments *a, int argc, char **argv)
{
	int c, rc = 0;

	while (!rc && !a->wrong && !a->help &&
	       (c = getopt_long(argc, argv, "+", options, NULL)) != -1)
		rc = take_option(a, c);
	if (rc || a->wrong || a->help)
		return rc;
	a->wrong = argc - optind != 4 || !a->order.base != !a->order.base_uuid;
	if (a->wrong)
		return 0;
	a->order.store = argv[optind];
	a->order.uuid = argv[optind + 1];
	a->order.target = argv[optind + 2];
	a->order.threads = (unsigned)a->threads;
	return text_parse_int(&a->order.time, argv[optind + 3], 0, INT64_MAX);
}

int main(int argc, char **argv)
{
	struct arguments a = { .uid = -1 };
	int rc;

	log_init("slugunpack");
	rc = parse(&a, argc, argv);
	if (a.help || a.wrong) {
		usage(a.help ? stdout : stderr);
		return a.help ? 0 : 2;
	}
	if (!rc && a.uid >= 0)
		rc = become((uid_t)a.uid);
	/* Once nobody waits for it. A change of uid would undo this. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!rc)
		rc = enter_fence(a.order.store, a.order.target);
	if (!rc)
		rc = unpack_slug(&a.order);
	if (rc)
		fprintf(stderr, "slugunpack: %s\n", err_msg());
	return rc ? 1 : 0;
}
