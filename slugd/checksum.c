/* SPDX-License-Identifier: ISC */
#include "checksum.h"

#include <stdlib.h>
#include <unistd.h>

#include "digest.h"
#include "err.h"
#include "log.h"
#include "manifest.h"
#include "mem.h"
#include "slugd.h"

#define PIECE (64 << 10)

static int add_segment(struct digest *all, const char *store,
		       const struct segment *s, char *buf)
{
	ssize_t n;
	int fd, rc = segment_open(&fd, store, s);

	if (rc)
		return rc;
	while ((n = read(fd, buf, PIECE)) > 0)
		digest_add(all, buf, (size_t)n);
	if (n < 0)
		rc = err_sys("cannot read a segment");
	close(fd);
	return rc;
}

/* Caller frees *out. */
static int compute(char **out, const char *store, const char *uuid)
{
	unsigned char sum[DIGEST_SIZE];
	struct digest *all = digest_new();
	char *buf = xcalloc(PIECE, 1), hex[DIGEST_HEX];
	struct manifest m;
	size_t i;
	int rc = manifest_read(&m, store, uuid);

	for (i = 0; i < m.nr_segments && !rc; i++)
		rc = add_segment(all, store, &m.segments[i], buf);
	digest_end(all, sum);
	digest_hex(hex, sum);
	if (!rc)
		*out = xasprintf("SHA256:%s", hex);
	manifest_release(&m);
	digest_free(all);
	free(buf);
	return rc;
}

struct keep_call {
	struct ledger *writer;
	const struct slug *slug;
};

static int keep(void *arg)
{
	struct keep_call *call = arg;

	return ledger_slug_checksum(call->writer, call->slug->uuid,
				    call->slug->checksum);
}

void checksum_need(struct slugd *d, struct slug *s)
{
	struct keep_call call = { d->writer, s };
	int rc;

	if (s->checksum || !slugs_has(d->slugs, s->uuid))
		return;
	rc = compute(&s->checksum, d->dir, s->uuid);
	if (!rc)
		rc = jobs_call(d->jobs, JOBS_LEDGER, keep, &call);
	if (rc)
		log_line("checksum of slug %s: %s", s->uuid, err_msg());
}
