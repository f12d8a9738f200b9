/* SPDX-License-Identifier: ISC */
#include "etag.h"

#include <stdio.h>
#include <string.h>

#include "ids.h"

void etag_make(char *buf, const char *body)
{
	char id[ID_SIZE];

	id_of_text(id, "body", body);
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
