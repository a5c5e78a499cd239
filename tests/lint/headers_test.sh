#!/usr/bin/env bash
# headers_test.sh COMPILER [ROOT]: every header compiles alone, without the precompiled ones that would
# hide what it does not include. COMPILER: a command line, flags included. TY_ABSENT: folders, joined by
# '|', whose library is not here.
compiler=$1
shift
. "$(dirname "$0")/common.sh"

mapfile -t headers < <(sources "${layers[@]}" | grep '\.h$' | grep -v -- '-inl\.h$' |
  grep -v -E "^(${TY_ABSENT:-none})/")
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# A header that is included where another one begins: the compiler then says nothing about its pragma.
printf '%s\n' "${headers[@]}" |
  xargs -P 2 -I {} sh -c "echo '#include \"{}\"' | $compiler -I . -fsyntax-only -x c++ - || echo 'FAILED: {}'" \
    >"$log" 2>&1
if grep -q '^FAILED' "$log"; then cat "$log" >&2; exit 1; fi
passed "${#headers[@]} headers"
