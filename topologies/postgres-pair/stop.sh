#!/bin/sh
. "$(dirname "$0")/lib.sh"
rm -f "$hold"
$as "$bin/pg_ctl" -D "$data" -m fast -w stop >&2
