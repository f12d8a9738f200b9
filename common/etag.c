/* SPDX-License-Identifier: ISC */
#include "etag.h"

#include <stdio.h>
#include <string.h>
#include <uuid/uuid.h>

void etag_make(char *buf, const char *body)
{
	/* A namespace of its own, for ids made of bodies. */
	static const uuid_t bodies = { 0x0e, 0x64, 0xc2, 0x7b, 0x9a, 0x15,
				       0x4d, 0x83, 0xa1, 0xf7, 0x5c, 0x2e,
				       0x88, 0x3b, 0xd6, 0x40 };
	char id[UUID_STR_LEN];
	uuid_t uuid;

	uuid_generate_sha1(uuid, bodies, body, strlen(body));
	uuid_unparse_lower(uuid, id);
	snprintf(buf, ETAG_SIZE, "\"%s\"", id);
}

bool etag_is_in(const char *list, const char *etag)
{
	size_t len = strlen(etag);

	if (!strcmp(list, "*"))
		return true;
	while (*list) {
		list += strspn(list, " \t,");
		if (!strncmp(list, "W/", 2))
			list += 2;
		if (!strncmp(list, etag, len) && strchr(" \t,", list[len]))
			return true;
		list += strcspn(list, ",");
	}
	return false;
}
