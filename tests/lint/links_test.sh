#!/usr/bin/env bash
# links_test.sh [ROOT]: what a Markdown page links to within the tree exists. Web addresses are not asked.
. "$(dirname "$0")/common.sh"

bad=0 count=0
while IFS=: read -r page line target; do
  target=${target#](}
  target=${target%)}
  target=${target%%#*}
  case $target in '' | http://* | https://*) continue ;; esac
  count=$((count + 1))
  [ -e "$(dirname "$page")/$target" ] || { echo "$page:$line: no such file: $target" >&2; bad=1; }
done < <(find README.md "${layers[@]}" configs tests tools -name '*.md' -exec grep -HnoE '\]\([^) ]+\)' {} +)
[ "$bad" = 0 ] && [ "$count" -gt 0 ] || { echo "FAILED: links" >&2; exit 1; }
passed "$count links"
