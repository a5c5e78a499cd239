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
# bf16 with sharded optimizer state: the gathered weights are saved, and a run goes on from them to the same bits.
cd "$work"
sharded=(train job.yaml run.dir=sharded precision.compute=bf16 parallel.zero=1)
mpi 2 "${sharded[@]}" 2>log || fail "bf16 and zero: $(tail -n 3 log)"
wanted=$(weights sharded)
rm -r sharded/checkpoints/step-{25,30}
mpi 2 "${sharded[@]}" 2>log && grep -q 'resumed after step 20' log || fail "going on: $(tail -n 3 log)"
[ "$(weights sharded)" = "$wanted" ] || fail "bf16 and zero: other weights after going on from step 20"
echo "1 passed, 0 failed"
