# Counting checks for the test scripts of this folder: check NAME COMMAND…, and finish at the end.
# shellcheck shell=bash

checks_passed=0 checks_failed=0 checks_skipped=0

# check NAME COMMAND…: passes when the command does; what it printed is shown when it does not.
check() {
  local name=$1 output; shift
  if output=$("$@" 2>&1); then
    echo "ok: $name"
    checks_passed=$((checks_passed + 1))
  else
    echo "FAILED: $name"
    printf '%s\n' "$output" | sed 's/^/    /' | tail -n 40
    checks_failed=$((checks_failed + 1))
  fi
}

# expect_exit CODE COMMAND…: true when the command ends with exactly that code; shows what it said otherwise.
expect_exit() {
  local wanted=$1 code=0 output; shift
  output=$("$@" 2>&1) || code=$?
  [[ $code == "$wanted" ]] && return 0
  printf 'exit %s, not %s:\n%s\n' "$code" "$wanted" "$output"
  return 1
}

# says TEXT COMMAND…: true when what the command prints, on either stream, has TEXT in it.
says() {
  local text=$1 output; shift
  output=$("$@" 2>&1) || true
  [[ $output == *"$text"* ]] && return 0
  printf 'no "%s" in:\n%s\n' "$text" "$output"
  return 1
}

# refuses TEXT COMMAND…: true when the command fails and says TEXT.
refuses() {
  local text=$1 output; shift
  if output=$("$@" 2>&1); then printf 'it did not refuse: %s\n' "$output"; return 1; fi
  [[ $output == *"$text"* ]] && return 0
  printf 'it said: %s\n' "$output"
  return 1
}

finish() {
  echo "$checks_passed passed, $checks_failed failed, $checks_skipped skipped"
  ((checks_failed == 0))
}
