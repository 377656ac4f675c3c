#include "lib/cnpg/canary.h"

namespace truenas::cnpg {

std::string_view canary_script() {
  // POSIX sh, coreutils and PostgreSQL's own programs: all that an operand image is sure to have. The data
  // directory, its mode and the umask are those of the operator (facts 6); the socket and logs lie on
  // scratch.
  return R"sh(set -u
umask 077
volume=${CANARY_VOLUME:-/var/lib/postgresql/data}
scratch=${CANARY_SCRATCH:-/controller}
pgdata=$volume/pgdata
say() { printf 'canary: %s %s\n' "$1" "$2"; }
fail() {
  say "$1" "failed: $2"
  say verdict "failed $1"
  exit 1
}
try() {
  stage=$1
  shift
  if ! "$@" >"$scratch/out" 2>&1; then
    fail "$stage" "$(grep -v '^$' "$scratch/out" | tail -n 3 | tr '\n' ' ')"
  fi
}
if ! command -v initdb >/dev/null 2>&1; then
  for bin in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin; do
    [ -x "$bin/initdb" ] && PATH=$bin:$PATH
  done
fi
start() {
  if ! pg_ctl -D "$pgdata" -s -w -t 120 -l "$scratch/server.log" \
    -o "-c listen_addresses='' -c unix_socket_directories=$scratch -c shared_buffers=16MB" start \
    >"$scratch/out" 2>&1; then
    fail start "$(tail -n 3 "$scratch/server.log" | tr '\n' ' ')"
  fi
  say start ok
}
ask() { psql -X -A -t -v ON_ERROR_STOP=1 -h "$scratch" -U postgres -d postgres -c "$1"; }
stop() {
  try stop pg_ctl -D "$pgdata" -w -t 120 -m fast stop
  say stop ok
}
mkdir -p "$scratch" || fail identity "the scratch directory cannot be made"
me=$(id -u)
id -un >/dev/null 2>&1 || fail identity "uid $me has no name in the image: peer authentication would fail"
say identity "$me:$(id -g)"
say root "$(stat -c '%u:%g %a' "$volume")"

if [ -e "$pgdata/PG_VERSION" ]; then
  say round 2
  try reread chmod 0700 "$pgdata"
  owner=$(stat -c '%u:%g' "$pgdata")
  say owner "$owner"
  [ "${owner%%:*}" = "$me" ] || fail owner "the data directory belongs to $owner, not to uid $me"
  start
  [ "$(ask 'SELECT sum(n) FROM canary' 2>&1)" = 500500 ] || fail reread "the rows written before are not there"
  say reread ok
  stop
  say verdict passed
  exit 0
fi

say round 1
try create touch "$volume/.canary"
say create ok
owner=$(stat -c '%u:%g' "$volume/.canary")
say owner "$owner"
[ "${owner%%:*}" = "$me" ] || fail owner "a file made by uid $me belongs to $owner"
try link ln "$volume/.canary" "$volume/.canary-2"
try link mv "$volume/.canary-2" "$volume/.canary-3"
say link ok
try sync dd if=/dev/zero of="$volume/.canary" bs=8192 count=64 conv=fsync,notrunc
say sync ok
rm -f "$volume/.canary" "$volume/.canary-3"
try initdb initdb -D "$pgdata" -U postgres --auth-local=trust --auth-host=reject --encoding=UTF8 --locale=C
# A set-group-ID bit comes from a parent that fsGroup has changed: PostgreSQL does not mind it.
mode=$(stat -c '%a' "$pgdata")
case $mode in
700 | 2700) ;;
*) fail mode "the data directory gets mode $mode, not 700" ;;
esac
say initdb ok
start
try query ask 'SELECT 1'
try query ask 'CREATE TABLE canary AS SELECT n FROM generate_series(1, 1000) AS n'
try query ask 'CHECKPOINT'
say query ok
stop
say verdict passed
)sh";
}

}  // namespace truenas::cnpg
