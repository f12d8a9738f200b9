/* SPDX-License-Identifier: ISC */
#ifndef CHECKSUM_H
#define CHECKSUM_H

#include "ledger.h"

struct slugd;

/*
 * Have the checksum of s, "SHA256:" and digits, in s->checksum: computed
 * when it is first asked for, from all bytes of the slug, and kept in the
 * ledger. It stays NULL where the slug is gone, or damaged, which is logged.
 * Takes as long as reading the slug: not for the server's thread, nor for
 * a job of JOBS_LEDGER.
 */
void checksum_need(struct slugd *d, struct slug *s);

#endif
