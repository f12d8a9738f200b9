/* SPDX-License-Identifier: ISC */
#ifndef IDS_H
#define IDS_H

/*
 * Ids: uuids in their text form (RFC 9562), made by libuuid.
 */
#define ID_SIZE 37

/* A fresh random one into buf (ID_SIZE bytes). */
void id_random(char *buf);

/*
 * The one that always stands for this text, among those of its kind
 * ("user", "body"), into buf.
 */
void id_of_text(char *buf, const char *kind, const char *text);

#endif
