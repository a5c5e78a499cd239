#!/usr/bin/env bash
# A rank that hangs is named by the others within max(10 s, 10 steps) + 2 s, and the job ends with nothing
# left behind; one that only stutters is waited for, and so is long work of one rank between steps.
. "$(dirname "$0")/common.sh"
export OMP_NUM_THREADS=1
cd "$work"

start() {  # NAME RANKS ARGUMENTS...: a job that has taken steps; its process in $job
  local name=$1 ranks=$2
  shift 2
  "$binary" launch -n "$ranks" train job.yaml run.dir="$work/$name" run.steps=10000000 checkpoint.every=1000000 \
    schedule.warmup=0 data.valid=null model.dropout=0 log.every=20 "$@" >"$name.log" 2>&1 &
  job=$!
  for _ in $(seq 600); do grep -q 'step *100/' "$name.log" && return; sleep 0.1; done
  fail "$name: no steps: $(cat "$name.log")"
}
process_of() {  # NAME RANK
  local process
  for process in $(pgrep -f "train job.yaml run.dir=$work/$1 "); do
    if tr '\0' '\n' <"/proc/$process/environ" | grep -qx "OMPI_COMM_WORLD_RANK=$2"; then echo "$process"; fi
  done
}
now() { date +%s%N; }

names() {  # NAME RANKS LATE SPEAKER OTHERS
  local name=$1 code=0 from took
  start "$name" "$2"
  kill -STOP "$(process_of "$name" "$3")"
  from=$(now)
  until grep -q 'is late' "$name.log"; do
    [ $(($(now) - from)) -lt 60000000000 ] || fail "$name: nobody is named: $(cat "$name.log")"
    sleep 0.05
  done
  took=$((($(now) - from) / 1000000))
  wait "$job" || code=$?
  [ "$code" = 75 ] || fail "$name: exit code $code: $(cat "$name.log")"
  [ "$took" -le 12000 ] && [ "$took" -ge 8000 ] || fail "$name: named after $took ms"
  grep -qE "^trainyard: \[rank $4 step [0-9]*\] rank $3 is late: $5 in all_reduce of .* among $2 ranks, for 9.0 s" \
    "$name.log" || fail "$name: $(cat "$name.log")"
  [ "$(grep -c 'is late' "$name.log")" = 1 ] || fail "$name: said more than once: $(cat "$name.log")"
  ! pgrep -f "run.dir=$work/$name" >left || fail "$name: left behind: $(cat left)"
}
names two 2 1 0 'rank 0 waits'
# The others need not be in the same call: what the late rank has sent before may let one of them go on.
names three 3 1 0 '(ranks 0 and 2 wait|rank [02] waits)'
names root 3 0 1 '(ranks 1 and 2 wait|rank [12] waits)'

# Five seconds are a stutter.
start stutter 2
late=$(process_of stutter 1)
kill -STOP "$late"
sleep 5
kill -CONT "$late"
before=$(tail -n 1 stutter.log)
for _ in $(seq 200); do [ "$(tail -n 1 stutter.log)" != "$before" ] && break; sleep 0.1; done
[ "$(tail -n 1 stutter.log)" != "$before" ] || fail "stutter: no step after it: $before"
! grep -q late stutter.log || fail "$(cat stutter.log)"
kill -TERM "$job"
code=0; wait "$job" || code=$?
[ "$code" = 143 ] || fail "stutter: exit code $code: $(cat stutter.log)"
echo "1 passed, 0 failed"
