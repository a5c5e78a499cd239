#!/usr/bin/env bash
# tokenizers_test.sh PROGRAM [STRINGS]: texts of every sort have the ids that the public tokenizers library
# gives them, for each kind of tokenizer. PYTHON: another one than that of tools/peers/setup.
set -euo pipefail
python=${PYTHON:-${TY_PEERS_ENV:-${XDG_CACHE_HOME:-$HOME/.cache}/trainyard-peers}/bin/python}
if ! "$python" -c 'import tokenizers' 2>/dev/null; then
  echo "skipped: $python has no tokenizers; run tools/peers/setup"
  exit 77
fi
program=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$python" "$here/tokenizer_cases.py" "$work" "${2:-50000}"
failed=0
for cases in "$work"/*.cases; do
  "$program" "${cases%.cases}" "$cases" || failed=$((failed + 1))
done
echo "$(($(ls "$work"/*.cases | wc -l) - failed)) passed, $failed failed"
[ "$failed" = 0 ]
