#!/usr/bin/env bash
# launch --elastic: a run whose rank is killed goes on with those that are left, with the numbers of a run that
# was resumed by hand; a budget of restarts; a host file that changes; what is not started again.
. "$(dirname "$0")/common.sh"
export OMP_NUM_THREADS=1
cd "$work"
keys=(run.steps=150 schedule.warmup=0 model.layers=3 data.valid=null checkpoint.every=5 checkpoint.keep=100
  parallel.microbatches=2 parallel.pipeline=2)

process_of() {  # NAME RANK
  local process
  for process in $(pgrep -f "train job.yaml run.dir=$work/$1 "); do
    if tr '\0' '\n' <"/proc/$process/environ" | grep -qx "OMPI_COMM_WORLD_RANK=$2"; then echo "$process"; fi
  done
}
wait_for() {  # LOG PATTERN
  for _ in $(seq 600); do grep -q -- "$2" "$1" && return; sleep 0.05; done
  fail "no \"$2\" in $1: $(tail -n 5 "$1")"
}
start() {  # NAME LAUNCH-OPTIONS...
  local name=$1
  shift
  "$binary" launch --elastic "$@" train job.yaml run.dir="$work/$name" "${keys[@]}" "run.steps=$steps" >"$name.log" 2>&1 &
  job=$!
}
steps=150
now() { date +%s%N; }

start killed -n 4
wait_for killed.log 'step *12/'
kill -KILL "$(process_of killed 2)"
from=$(now)
wait_for killed.log 'resumed after step'
took=$((($(now) - from) / 1000000))
[ "$took" -lt 10000 ] || fail "goes on after $took ms"
wait "$job" || fail "killed: exit code $?: $(tail -n 5 killed.log)"
line='launch: signal 9 ended a process; going on after step [0-9]* with 3 ranks instead of 4 (parallel.data=3 parallel.tensor=1 parallel.pipeline=1 .*), restart 1 of 10; [0-9]* steps are lost'
grep -q "$line" killed.log || fail "no reason: $(grep launch: killed.log)"
! grep -q 'run the same command to go on' killed.log || fail "asks for what it does: $(grep launch: killed.log)"
# Three ranks cannot be divided into stages of two; three data ranks can.
step=$(sed -n 's/.*resumed after step \([0-9]*\) of.*/\1/p' killed.log)
cp -r killed byhand
for checkpoint in byhand/checkpoints/step-*; do
  [ "${checkpoint##*-}" -le "$step" ] || rm -r "$checkpoint"
done
mpi 3 train job.yaml run.dir=byhand "${keys[@]}" parallel.data=3 parallel.pipeline=1 2>log ||
  fail "by hand: $(tail -n 3 log)"
cmp <(losses killed) <(losses byhand) || fail "losses differ from a run resumed by hand"

# Every start loses a rank: the budget is kept, and the run stays resumable.
steps=1000000
start budget -n 3 --restarts 1
for round in 1 2; do
  if [ $round = 1 ]; then wait_for budget.log 'step *7/'; else wait_for budget.log 'resumed after step'; fi
  sleep 0.5
  kill -KILL "$(process_of budget 0)" 2>/dev/null || fail "round $round: no rank 0: $(tail -n 3 budget.log)"
done
code=0
wait "$job" || code=$?
[ "$code" = 75 ] && grep -q 'all 1 restarts are used up, run the same command to go on' budget.log ||
  fail "budget: exit code $code: $(grep launch: budget.log)"

# No layout of three ranks has batches of two sequences: the number that is said is the one that runs.
keys+=(data.batch=2)
start fewer -n 4
wait_for fewer.log 'step *7/'
kill -KILL "$(process_of fewer 3)"
wait_for fewer.log 'with 2 ranks instead of 4 (parallel.data=1'
wait_for fewer.log 'resumed after step'
# A second signal ends a job that was started again, though none of its ranks can save.
for rank in 0 1; do kill -STOP "$(process_of fewer $rank)"; done
kill -TERM "$job"
sleep 0.5
left=$(process_of fewer 0; process_of fewer 1)
kill -TERM "$job"
for _ in $(seq 80); do kill -0 "$job" 2>/dev/null || break; sleep 0.1; done
if kill -0 "$job" 2>/dev/null; then
  # shellcheck disable=SC2086
  kill -KILL $left
  fail "fewer: a second signal has not ended it after 8 s"
fi
wait "$job" || true
unset 'keys[-1]'

# More hosts, more ranks: saved and started again. A file that is missing for a moment has not changed.
echo 'localhost slots=1' >hosts
start grown --hostfile hosts
wait_for grown.log 'step *8/'
mv hosts away
sleep 2.5
kill -0 "$job" || fail "grown: ended without its host file: $(tail -n 3 grown.log)"
mv away hosts
sleep 1.5
! grep -q 'has changed' grown.log || fail "grown: $(grep launch: grown.log)"
echo 'localhost slots=2' >hosts
wait_for grown.log 'hosts has changed; going on after step [0-9]* with 2 ranks instead of 1'
wait_for grown.log 'resumed after step'
kill -TERM "$job"
code=0
wait "$job" || code=$?
[ "$code" = 143 ] || fail "grown: exit code $code: $(tail -n 3 grown.log)"

# What another start would not mend is not started again.
expect 78 'model.heads' "$binary" launch --elastic -n 2 train job.yaml run.dir="$work/none" model.heads=3
[ "$(grep -c 'launch:' "$work/err")" = 0 ] || fail "started again: $(cat "$work/err")"
expect 64 'restarts runs: want launch --elastic -n 4 train' "$binary" launch --elastic -n 2 eval run text.txt
printf 'localhost slots=0\n' >hosts
expect 65 'hosts:1: localhost has slots=0; want slots=1 or more' "$binary" launch --hostfile hosts train job.yaml
echo "1 passed, 0 failed"
