# SPDX-License-Identifier: ISC
EXTRA_DIST += contrib .ci/run
