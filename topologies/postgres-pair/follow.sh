#!/bin/sh
# This replica follows the primary at ASSIZE_PRIMARY_HOST and _PORT, the way through the network:
# `follow.sh [sync]`; with `sync` that primary waits for its standby from now on.
# A standby that has followed nobody else yet only takes the other way; all others have been
# somewhere else since, and are cloned anew.
. "$(dirname "$0")/lib.sh"
if [ ! -e "$ASSIZE_FOLDER/follows" ] && [ "$(sql 'select pg_is_in_recovery()')" = t ]; then
    point "$ASSIZE_PRIMARY_HOST" "$ASSIZE_PRIMARY_PORT"
    $as "$bin/pg_ctl" -D "$data" reload >&2
else
    held
    clone "$ASSIZE_PRIMARY_HOST" "$ASSIZE_PRIMARY_PORT"
    released
fi
touch "$ASSIZE_FOLDER/follows"
if [ "${1:-async}" = sync ]; then
    host=$ASSIZE_PRIMARY_HOST
    port=$ASSIZE_PRIMARY_PORT
    sql "alter system set synchronous_standby_names = '*'"
    sql "select pg_reload_conf()" >&2
fi
