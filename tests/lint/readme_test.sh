#!/usr/bin/env bash
# readme_test.sh BINARY README...: every ```sh block of these files runs, line by line, in a scratch copy
# of what a user has (configs and README.md) with the binary on the PATH.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
export PATH="$(dirname "$1"):$PATH" OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
shift
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

blocks=0
for readme in "$@"; do
  work="$scratch/$(dirname "$readme")"
  mkdir -p "$work"
  cp -r "$root/configs" "$root/README.md" "$work"
  awk -v stem="$work/block" '
    /^```/ { inside = $0 == "```sh"; if (inside) file = sprintf("%s%02d.sh", stem, ++n); next }
    inside { print > file }' "$root/$readme"
  for block in "$work"/block*.sh; do
    [ -e "$block" ] || { echo "FAILED: $readme has no sh block" >&2; exit 1; }
    (cd "$work" && bash -e -o pipefail -x "$block") >"$work/out" 2>"$work/err" || {
      echo "FAILED: a command of $readme:" >&2
      tail -n 5 "$work/out" "$work/err" >&2
      exit 1
    }
    blocks=$((blocks + 1))
  done
done
echo "1 passed, 0 failed ($blocks blocks)"
