#!/usr/bin/env bash
# format_test.sh [ROOT]: every C++ file is as clang-format 14 writes it. Other versions differ in details.
. "$(dirname "$0")/common.sh"

format=$(command -v clang-format-14 || command -v clang-format || true)
if [ -z "$format" ]; then
  echo "skipped: clang-format is absent; tools/check installs it"
  exit 77
fi
version=$("$format" --version)
if [[ $version != *"version 14."* ]]; then
  echo "skipped: $format is not version 14: $version; tools/check installs clang-format-14"
  exit 77
fi
mapfile -t files < <(sources "${layers[@]}" tests tools)
printf '%s\0' "${files[@]}" | xargs -0 -P 2 -n 40 "$format" --dry-run -Werror ||
  { echo "FAILED: run clang-format -i on the files above" >&2; exit 1; }
passed "${#files[@]} files"
