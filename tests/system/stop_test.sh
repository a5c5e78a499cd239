#!/usr/bin/env bash
# A job that is asked to stop saves on every rank, however long a step is: each signal to `launch`, and to
# plain mpirun the one that it hands on. What ends otherwise says so in one line.
. "$(dirname "$0")/common.sh"
export OMP_NUM_THREADS=1
cd "$work"

# Steps of about a second or more.
slow=(train job.yaml run.steps=1000 model.width=256 model.layers=4 model.context=64 data.sequence=64 data.batch=64 \
  tokenizer.kind=bytes checkpoint.every=0 data.valid=null model.dropout=0)
await() {  # PATTERN FILE PROCESS
  for _ in $(seq 1200); do
    grep -q "$1" "$2" && return
    kill -0 "$3" 2>/dev/null || break
    sleep 0.1
  done
  fail "no \"$1\" in: $(cat "$2")"
}
newest() { find "$1/checkpoints" -name 'step-*' | sed 's/.*step-//' | sort -n | tail -n 1; }
logged() { sed -n 's/.*"step":\([0-9]*\),.*/\1/p' "$1/metrics.jsonl" | tail -n 1; }

stops() {  # NAME CODE COMMAND...: signal $signal to the command in mid-step saves the step that was under way
  local name=$1 wanted=$2 code=0
  shift 2
  "$@" "${slow[@]}" run.dir="$name" >"$name.log" 2>&1 &
  local job=$! log=$name.log
  await 'step  *2/1000' "$log" "$job"
  sleep 0.3
  kill "-$signal" "$job"
  wait "$job" || code=$?
  [ "$code" = "$wanted" ] || fail "$name: exit code $code, wanted $wanted: $(cat "$log")"
  grep -q 'stopped on request after step' "$log" || fail "$name: $(cat "$log")"
  [ "$(newest "$name")" = "$(logged "$name")" ] || fail "$name: steps were lost: $(newest "$name") of $(logged "$name")"
  [ "$(newest "$name")" -ge 3 ] || fail "$name: the step under way was dropped"
}
signal=TERM stops term 143 "$binary" launch -n 2
signal=INT stops int 130 "$binary" launch -n 2
signal=HUP stops hup 129 "$binary" launch -n 2
signal=USR1 stops usr1 143 mpirun -n 2 --oversubscribe --bind-to none --mca mpi_yield_when_idle 1 "$binary"
signal=HUP stops alone 129 "$binary"
"$binary" launch -n 2 "${slow[@]}" run.dir=term run.steps=$(($(newest term) + 1)) schedule.warmup=2 2>log || fail "resume: $(cat log)"
grep -q 'resumed after step' log || fail "no resume: $(cat log)"

# The second signal is not polite any more.
"$binary" launch -n 2 "${slow[@]}" data.batch=512 run.dir=twice >twice.log 2>&1 &
job=$!
await 'step  *1/1000' twice.log "$job"
kill -TERM "$job"
await 'a second signal ends the job' twice.log "$job"
kill -TERM "$job"
SECONDS=0 code=0
wait "$job" || code=$?
[ "$code" = 143 ] && [ "$SECONDS" -le 5 ] || fail "second signal: exit code $code after $SECONDS s"
! grep -q 'stopped on request' twice.log || fail "the second signal was as polite as the first"

# Under nohup a hang-up changes nothing.
(trap '' HUP; exec "$binary" train job.yaml run.dir=nohup run.steps=300 2>nohup.log) &
job=$!
await 'step  *5/' nohup.log "$job"
kill -HUP "$job"
wait "$job" || fail "a hang-up under nohup: $(tail -n 2 nohup.log)"

# A reader that goes away, and a rank that is killed.
sh -c "($binary launch -n 2 train job.yaml run.dir=piped 2>&1; echo \$? >code) | head -n 1" >out
[ "$(cat code)" = 0 ] || fail "launch 2>&1 | head: exit code $(cat code)"
"$binary" launch -n 2 "${slow[@]}" run.dir="$work/killed" >killed.log 2>&1 &
job=$!
await 'step  *1/1000' killed.log "$job"
pkill -9 -n -f "run.dir=$work/killed"
code=0; wait "$job" || code=$?
[ "$code" = 137 ] || fail "a killed rank: exit code $code: $(cat killed.log)"
grep -q '^trainyard: launch: signal 9 (Killed) has ended a process of the job' killed.log ||
  fail "$(cat killed.log)"

code=0
OMPI_MCA_plm=nonsense "$binary" launch -n 2 train job.yaml run.dir=none 2>mpirun.log || code=$?
grep -q "^trainyard: launch: mpirun ended with exit code $code; to hear why, run what .launch --dry-run. prints" mpirun.log ||
  fail "mpirun itself: exit code $code: $(cat mpirun.log)"

# The same command right after mpirun was killed: its ranks take a second or two to go.
mpirun -n 2 --oversubscribe --bind-to none --mca mpi_yield_when_idle 1 "$binary" train job.yaml run.dir=orphans \
  run.steps=100000 schedule.warmup=0 checkpoint.every=100 >orphans.log 2>&1 &
job=$!
await 'step *200/' orphans.log "$job"
kill -KILL "$job"
"$binary" train job.yaml run.dir=orphans run.steps=100000 schedule.warmup=0 >again.log 2>&1 &
again=$!
await 'resumed after step' again.log "$again"
grep -q 'orphans: waiting for process [0-9]* on .* to let go of this run' again.log || fail "$(cat again.log)"
kill -TERM "$again"
code=0; wait "$again" || code=$?
[ "$code" = 143 ] || fail "a run after the end of mpirun: exit code $code: $(tail -n 2 again.log)"

# An error that all ranks have is one line; so is that of one rank alone.
one_line() { [ "$(wc -l < err)" = 1 ] || fail "not one line: $(cat err)"; }
expect 78 'optim.lr: got x' "$binary" launch -n 4 train job.yaml optim.lr=x run.dir=bad
one_line
expect 78 'matches no linear layer' "$binary" launch -n 4 train job.yaml run.dir=bad 'linear=[{match: "x", kind: dense}]'
one_line
expect 74 'nowhere.txt' "$binary" launch -n 4 train job.yaml run.dir=bad data.train=nowhere.txt
one_line
printf '#!/bin/sh\n[ "$OMPI_COMM_WORLD_RANK" = 1 ] && set -- "$@" optim.lr=x\nexec "$0.real" "$@"\n' > wrapped
chmod +x wrapped && ln -s "$binary" wrapped.real
expect 78 'rank 1\] command line: optim.lr: got x' mpirun -q -n 3 --oversubscribe "$work/wrapped" train job.yaml run.dir=bad
one_line
# Ranks that were started with different jobs: the key, and both values.
expect 78 'ranks 0 and 1 were given different jobs: "  lr: 0.01" and "  lr: 0.5"' mpirun -q --oversubscribe \
  -n 1 "$binary" train job.yaml run.dir=bad : -n 1 "$binary" train job.yaml run.dir=bad optim.lr=0.5
one_line
[ ! -e bad ] || fail "a refused job made its run directory"

# Saves that fail: the run goes on, and ends after three in a row. What was saved before is whole.
"$binary" train job.yaml run.dir=full run.steps=5 2>log || fail "$(cat log)"
expect 74 '3 checkpoints in a row could not be saved' \
  bash -c "ulimit -f 48; exec '$binary' train job.yaml run.dir=full run.steps=30"
[ "$(grep -c '^error: step [0-9]* was not saved' err)" = 3 ] || fail "not said each time: $(cat err)"
[ "$(ls full/checkpoints)" = step-5 ] || fail "left behind: $(ls full/checkpoints)"
"$binary" train job.yaml run.dir=full run.steps=30 2>log && grep -q 'resumed after step 5' log || fail "$(cat log)"
echo "1 passed, 0 failed"
