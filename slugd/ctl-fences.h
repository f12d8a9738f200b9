/* SPDX-License-Identifier: ISC */
#ifndef CTL_FENCES_H
#define CTL_FENCES_H

#include "ctl.h"

/*
 * Print a line on what fences the apps of slugd's folder: what slugd.ini
 * wants and this machine has, and why the rest is not there. It is tried
 * out, with the rights of slugd.
 */
void ctl_show_fences(const struct ctl *ctl);

#endif
