#!/usr/bin/env bash
# sizes_test.sh [ROOT]: no source over 600 lines; a header over 200 is in large_headers.txt with its
# reason; READMEs of top-level directories stay within 40 lines, generated parts apart.
. "$(dirname "$0")/common.sh"

bad=0
complain() { echo "$*" >&2; bad=1; }
large=tests/lint/large_headers.txt  # of the tree that is looked at
[ -f "$large" ] || large=/dev/null
listed() { grep -q "^$1: ..*" "$large"; }
mapfile -t files < <(sources "${layers[@]}" tests tools)
while read -r lines file; do
  [ "$file" != total ] || continue
  [ "$lines" -le 600 ] || complain "$file: $lines lines; at most 600: split it by ideas"
  [[ $file != *.h ]] || [ "$lines" -le 200 ] || listed "$file" ||
    complain "$file: $lines lines; a header over 200 needs a reason in tests/lint/large_headers.txt"
done < <(wc -l "${files[@]}")
while IFS=: read -r file _; do
  [[ -z $file || $file == \#* ]] && continue
  [ -f "$file" ] && [ "$(wc -l < "$file")" -gt 200 ] ||
    complain "$large: $file is not over 200 lines any more; remove the line"
done < "$large"
for folder in "${layers[@]}" configs tests tools; do
  file=$folder/README.md
  [ -f "$file" ] || { complain "$file: missing; say what lives here, what must not, how to add one"; continue; }
  lines=$(sed '/<!-- generated/,$d' "$file" | wc -l)
  [ "$lines" -le 40 ] || complain "$file: $lines lines; at most 40: move details beside what they document"
done
[ "$bad" = 0 ] || { echo "FAILED: sizes" >&2; exit 1; }
passed "${#files[@]} files"
