#!/usr/bin/env bash
# The binary under mpirun: 1, 2, 3 and 4 ranks give the same losses.
. "$(dirname "$0")/common.sh"
export OMP_NUM_THREADS=1

"$binary" train "$work/job.yaml" run.dir="$work/one" 2>/dev/null || fail "one rank"
for n in 2 3 4; do
  for zero in 0 1; do
    mpi "$n" train "$work/job.yaml" run.dir="$work/r$n-$zero" parallel.zero=$zero 2>"$work/log" ||
      fail "$n ranks: $(tail -n 3 "$work/log")"
    paste <(losses "$work/one") <(losses "$work/r$n-$zero") |
      awk -v n="$n" '{ d = $4 / $2 - 1; if (d < 0) d = -d; if (d > 1e-5 || $1 != $3) { print "step", $1, $2, $4; bad = 1 } }
           END { exit bad || NR != 30 }' || fail "losses of $n ranks, zero $zero"
  done
done
echo "1 passed, 0 failed"
