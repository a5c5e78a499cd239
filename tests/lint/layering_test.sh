#!/usr/bin/env bash
# layering_test.sh [ROOT]: #includes keep to layers.txt, and neither folders nor headers form a cycle.
. "$(dirname "$0")/common.sh"

edges=$(mktemp)
trap 'rm -f "$edges" "$edges.log"' EXIT
mapfile -t files < <(sources "${layers[@]}")
awk -v edges="$edges" -f "$lint/layering.awk" "$lint/layers.txt" "${files[@]}" ||
  { echo "FAILED: includes against the order of the layers" >&2; exit 1; }
tsort "$edges" >/dev/null 2>"$edges.log" ||
  { echo "FAILED: a cycle of includes:" >&2; sed 's/^tsort: //' "$edges.log" >&2; exit 1; }
passed "${#files[@]} files"
