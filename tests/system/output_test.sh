#!/usr/bin/env bash
# Streams that cannot be written: a result that does not arrive is exit code 74, whatever made it; progress
# that nobody can read costs neither the job nor its exit code.
. "$(dirname "$0")/common.sh"
export OMP_NUM_THREADS=1
cd "$work"

"$binary" train job.yaml run.steps=5 2>log || fail "the run itself: $(cat log)"
no_room() { expect 74 'stdout: cannot write the result: No space left on device' sh -c "$binary $* >/dev/full"; }
no_room --help
no_room plan job.yaml
no_room plan job.yaml --json
no_room config keys
no_room config show job.yaml
no_room eval run text.txt --json
no_room generate run one --tokens 2
no_room inspect run
no_room inspect run --json
no_room data tokenize text.txt ids.bin --kind bytes
no_room export run model
no_room compress run small --method svd --rank 2 --dry-run
no_room bench linear --in 4,8 --out 8,6 --rank 3 --tokens 20 --steps 1
no_room launch -n 2 --dry-run train job.yaml
no_room doctor
expect 74 'stdout: cannot write the result' sh -c "$binary config keys >&-"
# A shell's `| head`.
code=0
"$binary" config keys | head -n 1 >out || code=${PIPESTATUS[0]}
{ [ "$code" = 0 ] || [ "$code" = 141 ]; } && [ "$(wc -l < out)" = 1 ] || fail "head: exit code $code: $(cat out)"

goes_on() {  # a train command with its stderr, as the shell runs it
  rm -rf lost
  local code=0
  sh -c "$binary train job.yaml run.dir=lost $1" || code=$?
  [ "$code" = 0 ] && [ -e lost/checkpoints/step-30/manifest.json ] || fail "train $1: exit code $code"
}
goes_on '2>/dev/full'
goes_on '2>&-'
sh -c "($binary train job.yaml run.dir=piped 2>&1; echo \$? >code) | head -n 1" >out
[ "$(cat code)" = 0 ] || fail "train 2>&1 | head: exit code $(cat code)"
# A reader that sleeps: 64 KiB of lines are in the pipe, the job does not wait for more.
mkfifo pipe
sleep 100 <pipe &
sleeper=$!
timeout 60 "$binary" train job.yaml run.dir=unread run.steps=2000 checkpoint.every=0 2>pipe ||
  fail "a reader that sleeps holds the job up"
kill "$sleeper"
code=0; sh -c "$binary config check nowhere.yaml 2>/dev/full" || code=$?
[ "$code" = 78 ] || fail "an error line without room changed the exit code to $code"

# The limit on the size of files is a failed save like any other.
code=0; (ulimit -f 100; "$binary" train job.yaml run.dir=limited >out 2>log) || code=$?
[ "$code" = 74 ] || fail "ulimit -f: exit code $code"
grep -q 'error: step 5 was not saved: .*File too large; raise the limit on file size (ulimit -f)' log ||
  fail "no word about the limit: $(cat log)"
echo "1 passed, 0 failed"
