/* SPDX-License-Identifier: ISC */
#ifndef UNIT_H
#define UNIT_H

/*
 * cmocka wants these in front of its header. A unit test is one program for
 * one noun of common/; the names of its functions are its claims.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
