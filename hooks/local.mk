pkglibexec_PROGRAMS += hooks/pre-receive hooks/reference-transaction \
	hooks/post-receive
dist_man_MANS += hooks/slugd-hooks.5

hooks_cppflags = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
hooks_ldadd = common/libcommon.a $(JANSSON_LIBS) $(HTTP_PARSER_LIBS)

hooks_pre_receive_SOURCES = hooks/pre-receive.c hooks/hook.c hooks/hook.h \
	hooks/chain.c hooks/chain.h hooks/waiting.c hooks/waiting.h
hooks_pre_receive_CPPFLAGS = $(hooks_cppflags)
hooks_pre_receive_LDADD = $(hooks_ldadd)

hooks_reference_transaction_SOURCES = hooks/reference-transaction.c \
	hooks/hook.c hooks/hook.h \
	hooks/chain.c hooks/chain.h
hooks_reference_transaction_CPPFLAGS = $(hooks_cppflags)
hooks_reference_transaction_LDADD = $(hooks_ldadd)

hooks_post_receive_SOURCES = hooks/post-receive.c hooks/hook.c hooks/hook.h \
	hooks/chain.c hooks/chain.h hooks/waiting.c hooks/waiting.h
hooks_post_receive_CPPFLAGS = $(hooks_cppflags)
hooks_post_receive_LDADD = $(hooks_ldadd)
