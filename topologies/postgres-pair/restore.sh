#!/bin/sh
# The base backup is put in place and the archived log played on it, up to the instant before
# the damage (ASSIZE_DAMAGED_AT), or to its end.
. "$(dirname "$0")/lib.sh"
now() { date +%s.%N; }
took() { echo "$1 $(echo "$(now) $2" | awk '{printf "%.3f", $1 - $2}')"; }

begun=$(now)
from=$archive/$(basename "$ASSIZE_BACKUP").base
[ -d "$from" ] || { echo "there is no backup $ASSIZE_BACKUP" >&2; exit 1; }
# What is not yet in the archive is there as soon as the server changes to a new segment.
sql "select pg_switch_wal()" >/dev/null 2>&1 || true
sleep 1
took find "$begun"

begun=$(now)
held
rm -rf "$data"
$as cp -a "$from" "$data"
took fetch "$begun"

begun=$(now)
configure
# PostgreSQL wants it with a blank.
at=$(echo "${ASSIZE_DAMAGED_AT:-}" | sed 's/T/ /; s/Z$/+00/')
cat >>"$data/postgresql.conf" <<CONF
restore_command = 'cp $archive/%f %p'
recovery_target_action = promote
${at:+recovery_target_time = '$at'}
${at:+recovery_target_inclusive = off}
CONF
touch "$data/recovery.signal"
released
tries=0
until [ "$(sql 'select pg_is_in_recovery()' 2>/dev/null)" = f ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 600 ] || { echo "still in recovery after 60 s" >&2; exit 75; }
    sleep 0.1
done
took load "$begun"
