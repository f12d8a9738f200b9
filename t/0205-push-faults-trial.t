#!/bin/sh
# SPDX-License-Identifier: ISC
# The same as t/0201, with releases that are launched, and tried before.
driver=slugrun
export driver
exec sh "$(dirname "$0")/0201-push-faults.t"
