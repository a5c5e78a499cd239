#!/usr/bin/env bash
# SIGKILL at random moments of a two-rank run, then resume: the same losses and the same weights, bit for
# bit, as a run that was never interrupted. SIGTERM saves and exits 143. A damaged checkpoint is passed
# over with a warning.
. "$(dirname "$0")/common.sh"
export OMP_NUM_THREADS=1

job=("$work/job.yaml" run.steps=1200 checkpoint.every=20 parallel.zero=1 log.every=1)

mpi 2 train "${job[@]}" run.dir="$work/whole" 2>"$work/whole.log" ||
  fail "the uninterrupted run: $(tail -n 3 "$work/whole.log")"

# Two of the five kills wait for a save to begin, the others for a random moment.
for kill in 1 2 3 4 5; do
  setsid mpirun -n 2 --oversubscribe --bind-to none --mca mpi_yield_when_idle 1 "$binary" \
    train "${job[@]}" run.dir="$work/killed" >"$work/killed.log" 2>&1 &
  launcher=$!
  # A loaded machine may take long to start; a first checkpoint must be there for the next run to find.
  for i in $(seq 1 6000); do
    grep -qs "step .*/1200" "$work/killed.log" &&
      compgen -G "$work/killed/checkpoints/step-*[0-9]" >/dev/null && break
    sleep 0.01
  done
  if [ $((kill % 2)) = 0 ]; then
    for i in $(seq 1 20000); do compgen -G "$work/killed/checkpoints/*.tmp" >/dev/null && break; done
  else
    sleep "0.$((RANDOM % 4))$((RANDOM % 10))"
  fi
  pkill -9 -f "run.dir=$work/killed" || fail "kill $kill came too late: $(tail -n 1 "$work/killed.log")"
  wait "$launcher" 2>/dev/null || true
  if [ "$kill" -gt 1 ] && ! grep -q "resumed after step" "$work/killed.log"; then
    fail "no resume before kill $kill: $(cat "$work/killed.log")"
  fi
done
mpi 2 train "${job[@]}" run.dir="$work/killed" 2>"$work/killed.log" ||
  fail "the last resume: $(tail -n 3 "$work/killed.log")"
for file in model optimizer-0 optimizer-1; do
  cmp "$work/whole/checkpoints/step-1200/$file.safetensors" \
    "$work/killed/checkpoints/step-1200/$file.safetensors" || fail "$file differs after five kills"
done
diff <(losses "$work/whole") <(losses "$work/killed") || fail "losses differ after five kills"

# Another number of ranks goes on from the same files.
mpi 2 train "$work/job.yaml" parallel.zero=1 run.dir="$work/other" 2>/dev/null || fail "two ranks"
rm -r "$work/other/checkpoints/step-30"
mpi 3 train "$work/job.yaml" run.dir="$work/other" parallel.zero=0 2>"$work/other.log" ||
  fail "three ranks: $(tail -n 3 "$work/other.log")"
grep -q "resumed after step 25" "$work/other.log" || fail "three ranks did not resume"

# One flipped byte: the checkpoint before it is used, and the loss of steps is said.
printf 'X' | dd of="$work/other/checkpoints/step-30/model.safetensors" bs=1 seek=5000 conv=notrunc 2>/dev/null
"$binary" train "$work/job.yaml" run.dir="$work/other" 2>"$work/damaged.log" || fail "one rank after damage"
grep -q "warning: passed over damaged checkpoints.*step 30.*5 steps are lost" "$work/damaged.log" ||
  fail "no warning: $(cat "$work/damaged.log")"

# Zero steps save the initial weights, and the run goes on from them as if it had begun there.
"$binary" train "$work/job.yaml" run.dir="$work/zero" run.steps=0 schedule.warmup=0 2>"$work/zero.log" ||
  fail "zero steps: $(tail -n 3 "$work/zero.log")"
[ -e "$work/zero/checkpoints/step-0/model.safetensors" ] || fail "zero steps saved no weights"
for run in zero straight; do
  "$binary" train "$work/job.yaml" run.dir="$work/$run" 2>"$work/zero.log" || fail "$run: $(tail -n 3 "$work/zero.log")"
done
[ "$(weights "$work/zero")" = "$(weights "$work/straight")" ] || fail "weights differ after a save at step 0"

# A polite stop.
"$binary" train "$work/job.yaml" run.dir="$work/stopped" run.steps=100000 2>"$work/stopped.log" &
job=$!
for i in $(seq 1 200); do grep -q "step .*5/100000" "$work/stopped.log" && break; sleep 0.05; done
[ "$(cat "/proc/$job/comm")" = trainyard ] || fail "ps and pkill know it as $(cat "/proc/$job/comm")"
kill -TERM "$job"
code=0; wait "$job" || code=$?
[ "$code" = 143 ] || fail "SIGTERM gave exit code $code: $(tail -n 3 "$work/stopped.log")"
grep -q "stopped on request" "$work/stopped.log" || fail "no word about the stop"
ls "$work/stopped/checkpoints" | grep -q step- || fail "no checkpoint after the stop"
echo "1 passed, 0 failed"
