# Sourced by the scripts beside it: headlines with elapsed time, and the repository's root.

root=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
cd -- "$root"

if [[ -t 1 ]]; then
  bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'
else
  bold='' dim='' plain=''
fi

headline() {
  printf '\n%s== %s%s\n' "$bold" "$*" "$plain"
}

# step HEADLINE COMMAND…: runs the command and says how long it took. A command that fails ends the
# script with its own exit status. The command may be a function: it ends at the first thing that fails in
# it, which bash sees to only in a subshell whose status nothing but `$?` looks at.
step() {
  local title=$1 started=$SECONDS status
  shift
  headline "$title"
  set +e
  (
    set -e
    "$@"
  ) </dev/null
  status=$?
  set -e
  if ((status != 0)); then
    printf '%s== %s: failed with status %d after %d s%s\n' \
      "$bold" "$title" "$status" $((SECONDS - started)) "$plain" >&2
    exit "$status"
  fi
  printf '%s(%d s)%s\n' "$dim" $((SECONDS - started)) "$plain"
}
