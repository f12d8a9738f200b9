/* SPDX-License-Identifier: ISC */
#include "procfile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "mem.h"
#include "names.h"
#include "text.h"

static int parse_line(json_t *types, char *line, int number)
{
	char *type = text_strip(line), *command;
	json_t *value;

	if (!*type || *type == '#')
		return 0;
	command = strchr(type, ':');
	if (!command)
		return err_set(ERR_INVALID,
			       "Procfile line %d: expected 'TYPE: COMMAND'",
			       number);
	*command++ = '\0';
	type = text_strip(type);
	command = text_strip(command);
	if (name_check_process_type(type))
		return err_prefix(ERR_INVALID, "Procfile line %d", number);
	if (!*command)
		return err_set(ERR_INVALID,
			       "Procfile line %d: no command for '%s'", number,
			       type);
	if (json_object_get(types, type))
		return err_set(ERR_INVALID,
			       "Procfile line %d: '%s' stands there twice",
			       number, type);
	value = json_string(command);
	if (!value)
		return err_set(ERR_INVALID,
			       "Procfile line %d: the command of '%s' is not "
			       "UTF-8",
			       number, type);
	json_object_set_new(types, type, value);
	return 0;
}

int procfile_parse(json_t **out, const char *text, size_t len)
{
	char *copy = NULL, *line, *next;
	json_t *types = json_object();
	size_t bom = text_bom(text, len);
	int number = 0, rc = 0;

	if (memchr(text, '\0', len)) {
		rc = err_set(ERR_INVALID, "Procfile: is not a text file");
		goto done;
	}
	copy = xstrndup(text + bom, len - bom);
	for (line = copy; line && !rc; line = next) {
		next = text_cut_line(line);
		rc = parse_line(types, line, ++number);
	}
	if (!rc) {
		*out = types;
		types = NULL;
	}
done:
	json_decref(types);
	free(copy);
	return rc;
}

char *procfile_names(const json_t *types)
{
	char *s = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&s, &len);
	const char *sep = "";
	void *it;

	if (!f)
		abort();
	for (it = json_object_iter((json_t *)(uintptr_t)types); it;
	     it = json_object_iter_next((json_t *)(uintptr_t)types, it)) {
		fprintf(f, "%s%s", sep, json_object_iter_key(it));
		sep = ", ";
	}
	if (!*sep)
		fputs("(none)", f);
	fclose(f);
	return s;
}
