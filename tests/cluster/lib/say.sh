# Messages. Standard output belongs to the caller's answer, so everything here goes to standard error.
# shellcheck shell=bash

say() { printf '%s\n' "$*" >&2; }

# die MESSAGE [HINT...]
die() {
  printf 'error: %s\n' "$1" >&2
  shift
  local hint
  for hint in "$@"; do printf '  %s\n' "$hint" >&2; done
  exit 1
}

# step NAME COMMAND...: runs the command and says how long it took.
step() {
  local name=$1 began=$EPOCHREALTIME took
  shift
  "$@"
  took=$(((${EPOCHREALTIME/./} - ${began/./}) / 100000))
  printf '%-46s %3d.%d s\n' "$name" $((took / 10)) $((took % 10)) >&2
}

# wait_until SECONDS WHAT COMMAND...: repeats the command until it works; after that time, fails and says what was missing.
wait_until() {
  local limit=$1 what=$2 end
  shift 2
  end=$((SECONDS + limit))
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < end)) || die "$what did not happen within $limit s" "logs: ${logs:-}"
    sleep 0.2
  done
}
