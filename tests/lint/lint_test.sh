#!/usr/bin/env bash
# The linters find what they are for: each is shown a small tree with one fault and must name it.
set -euo pipefail
lint=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree() {  # an innocent tree in $work/tree
  rm -rf "$work/tree"
  mkdir -p "$work/tree"/{core/base,core/nn,parallel/comm,models,optim,launch,configs,tests,tools}
  cd "$work/tree"
  echo '[base](core/base)' > README.md
  for folder in core parallel models optim launch configs tests tools; do
    echo "# $folder" > "$folder/README.md"
  done
  printf '#include "core/base/b.h"\n' > core/nn/n.h
  printf 'int b();\n' > core/base/b.h
}
run() { bash "$lint/$1_test.sh" "$work/tree" >"$work/log" 2>&1; }
finds() {  # TEST PATTERN
  if run "$1"; then echo "FAILED: $1 finds nothing; wanted: $2" >&2; exit 1; fi
  grep -q -- "$2" "$work/log" || { echo "FAILED: $1: no \"$2\" in: $(cat "$work/log")" >&2; exit 1; }
}
tree
for test in layering sizes links planted; do
  run "$test" || { echo "FAILED: $test on an innocent tree: $(cat "$work/log")" >&2; exit 1; }
done

tree; printf '\n#include "core/nn/n.h"\n' > core/base/b.h
finds layering 'core/base/b.h:2: core/base may not include core/nn/n.h'
tree; echo '#include "launch/l.h"' > parallel/comm/c.cpp
finds layering 'parallel may not include launch/l.h'
tree; mkdir launch/cli; echo '#include <mpi.h>' > launch/cli/l.cpp
finds layering 'launch/cli/l.cpp:1: mpi.h is only for parallel/comm/mpi/'
tree; echo '#include "b.h"' > core/base/c.h
finds layering 'write the path from the root'
tree; mkdir core/new; echo '#include "core/base/b.h"' > core/new/n.h
finds layering 'core/new has no line in layers.txt'
tree; mkdir -p models/linear/a models/linear/b
echo '#include "models/linear/b/b.h"' > models/linear/a/a.h
echo '#include "models/linear/a/c.h"' > models/linear/b/b.h
finds layering 'cycle'
tree; mkdir -p models/linear; echo '#include "models/transformer/t.h"' > models/linear/l.h
finds layering 'models/linear may not include models/transformer/t.h'
tree; seq 601 > core/base/long.cpp
finds sizes 'core/base/long.cpp: 601 lines'
tree; seq 201 > core/base/long.h
finds sizes 'core/base/long.h: 201 lines'
tree; seq 41 > core/README.md
finds sizes 'core/README.md: 41 lines'
tree; rm optim/README.md
finds sizes 'optim/README.md: missing'
tree; echo '[gone](nn/gone.h#top)' >> core/README.md
finds links 'core/README.md:2: no such file: nn/gone.h'
tree; mkdir -p tests/planted
printf 'Something is wrong.\nTest: base\n\n--- a/core/base/b.h\n+++ b/core/base/b.h\n@@ -1 +1 @@\n-int c();\n+int d();\n' \
  > tests/planted/p.patch
finds planted 'tests/planted/p.patch: does not fit'
if command -v clang-format-14 >/dev/null; then
  tree; echo 'int   b( );' > core/base/b.h
  finds format 'core/base/b.h:1'
fi
echo "1 passed, 0 failed"
