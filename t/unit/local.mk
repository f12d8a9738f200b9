# SPDX-License-Identifier: ISC
# Unit tests of common/: each program is one t/unit/test-NOUN.c, and
# t/0010-unit.t runs them.

if HAVE_CMOCKA
check_PROGRAMS += t/unit/test-err
endif

unit_cppflags = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS) $(JANSSON_CFLAGS)
unit_ldadd = common/libcommon.a $(CMOCKA_LIBS) $(INIH_LIBS) $(JANSSON_LIBS) \
	$(MHD_LIBS) $(UUID_LIBS) $(HTTP_PARSER_LIBS)

t_unit_test_err_SOURCES = t/unit/test-err.c
t_unit_test_err_CPPFLAGS = $(unit_cppflags)
t_unit_test_err_LDADD = $(unit_ldadd)
