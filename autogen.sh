#!/bin/sh
# SPDX-License-Identifier: ISC
# Make ./configure from a checkout.
set -e
cd "$(dirname "$0")"
mkdir -p build-aux
exec autoreconf --install --warnings=all,no-portability
