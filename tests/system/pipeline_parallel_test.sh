#!/usr/bin/env bash
# A model cut into stages under mpirun, from its configuration file: the numbers of one process with every
# schedule, runs that go on with other stages, what plan and trace say, eval and generate on many ranks.
. "$(dirname "$0")/common.sh"
export OMP_NUM_THREADS=1
config=$(cd "$(dirname "$0")/../.." && pwd)/configs/pipeline-parallel.yaml
cd "$work"
head -n 40 text.txt >valid.txt
job=("$config" data.train=text.txt data.valid=valid.txt run.steps=8 checkpoint.every=4)

train() {  # NAME RANKS OVERRIDES...
  local name=$1 n=$2
  shift 2
  mpi "$n" train "${job[@]}" run.dir="$name" "$@" 2>"$name.log" || fail "$name: $(tail -n 3 "$name.log")"
}
same_losses() {  # NAME
  paste <(losses one) <(losses "$1") |
    awk '{ d = $4 - $2; if (d < 0) d = -d; if (d > 2e-5 || $1 != $3) { print "step", $1, $2, $4; bad = 1 } }
         END { exit bad || NR != 8 }' || fail "losses of $1"
}

"$binary" train "${job[@]}" run.dir=one parallel.pipeline=1 run.sample_every=8 2>log || fail "one rank: $(tail -n 3 log)"
train two 2 run.sample_every=8 log.trace=1
train four 4
train turns 4 parallel.pipeline=4 parallel.schedule=1f1b parallel.work_conserving=true
train chunks 4 parallel.tensor=2 parallel.schedule=interleaved parallel.chunks=2 parallel.stages='[1,1,1,1]'
for name in two four turns chunks; do same_losses "$name"; done
cmp one/samples.txt two/samples.txt || fail "samples of two stages are others"
grep -q 'bubble predicted  measured' two.log || fail "no bubble after a run: $(tail -n 20 two.log)"
grep -q '"traceEvents"' two/trace.json || fail "no trace"
[ ! -e four/trace.json ] || fail "a trace that nobody asked for"

# It is there as soon as its steps are done, however the run ends.
"$binary" launch -n 2 train "${job[@]}" run.dir=stopped run.steps=100000 schedule.warmup=0 log.trace=2 2>stopped.log &
for _ in $(seq 300); do [ -e stopped/trace.json ] && break; sleep 0.05; done
kill -TERM $!
code=0
wait $! || code=$?
[ "$code" = 143 ] && grep -q '"name":"step 2"' stopped/trace.json || fail "trace of a stopped run: $(tail -n 3 stopped.log)"

# Every stage has written its weights; together they are a model directory like any other.
ls two/checkpoints/step-8 | grep -c '^model-0000[12]-of-00002.safetensors$' | grep -qx 2 || fail "files of two stages"
loss() { sed -n 's/.*"loss":\([0-9.e+-]*\).*/\1/p' "$1"; }
"$binary" eval two valid.txt --json >alone.json 2>log || fail "eval: $(cat log)"
mpi 2 eval two valid.txt --json >copies.json 2>log || fail "eval on two ranks: $(cat log)"
mpi 4 eval two valid.txt --json --pipeline 2 --tensor 2 >shared.json 2>log || fail "eval over stages: $(cat log)"
for file in copies shared; do
  [ "$(wc -l <$file.json)" = 1 ] || fail "$file: $(cat $file.json)"
  awk -v a="$(loss alone.json)" -v b="$(loss $file.json)" 'BEGIN { d = a - b; exit !(d < 1e-5 && d > -1e-5) }' ||
    fail "eval alone and $file: $(cat alone.json $file.json)"
done
"$binary" generate two "The " --greedy --tokens 12 >alone.txt 2>log || fail "generate: $(cat log)"
mpi 2 generate two "The " --greedy --tokens 12 --pipeline 2 >stages.txt 2>log || fail "generate over stages: $(cat log)"
cmp alone.txt stages.txt || fail "text of two stages is another"

"$binary" inspect chunks/checkpoints/step-8 >inspect.txt 2>log || fail "inspect: $(cat log)"
grep -q 'written by *4 ranks: 2 tensor x 2 pipeline' inspect.txt || fail "inspect: $(head -n 5 inspect.txt)"

# What two stages saved after step 4, others go on with.
rm -r two/checkpoints/step-8
for on in alone turns_of_three tensor; do cp -r two "on_$on"; done
"$binary" train "${job[@]}" run.dir=on_alone parallel.pipeline=1 2>log || fail "going on alone: $(tail -n 3 log)"
grep -q 'resumed after step 4' log || fail "one rank began anew"
train on_turns_of_three 3 parallel.pipeline=3 parallel.schedule=gpipe
train on_tensor 2 parallel.pipeline=1 parallel.tensor=2 parallel.recompute=none
for on in on_alone on_turns_of_three on_tensor; do same_losses "$on"; done

refused() {  # TEXT OVERRIDES...
  local text=$1 code=0
  shift
  mpi 2 train "${job[@]}" run.dir=none "$@" >log 2>&1 || code=$?
  [ "$code" = 78 ] && grep -q "$text" log || fail "want 78 and \"$text\", got $code: $(head -n 3 log)"
}
refused 'parallel.microbatches: 3 cannot be interleaved over parallel.pipeline = 2 stages; want a multiple of 2' \
  parallel.schedule=interleaved parallel.microbatches=3
refused 'parallel.stages: 2 numbers that add up to 5; want 2 .* that add up to model.layers = 4' parallel.stages='[3,2]'
refused 'parallel.microbatches: 12 are more than the 8 sequences of a data rank' parallel.pipeline=1 \
  parallel.microbatches=12
refused 'parallel.chunks: 2 of a stage want schedule: interleaved, got varuna' parallel.chunks=2
[ ! -e none ] || fail "a refused job left a directory"

"$binary" plan schedule --name varuna --stages 4 --microbatches 5 >chart 2>log || fail "plan schedule: $(cat log)"
grep -qx 'S3 -- -- F1 F2 F3 R1 B1 .1 R2 B2 .2 R3 B3 .3 F4 F5 -- R4 B4 .4 R5 B5 .5 -- -- -- --' chart ||
  fail "chart: $(cat chart)"
"$binary" plan schedule --name 1f1b --stages 3 --microbatches 4 --text >program.txt
"$binary" plan schedule --file program.txt --json --svg chart.svg >schedule.json 2>log || fail "plan of a file: $(cat log)"
grep -q '"ticks":18.0' schedule.json && grep -q '</svg>' chart.svg || fail "schedule: $(cut -c 1-300 schedule.json)"
# What blocks take, measured, and a plan that goes by it.
mpi 2 bench profile "${job[@]}" --json --steps 2 >profile.json 2>log || fail "bench profile: $(cat log)"
grep -q '"name":"blocks.3","recompute_seconds":' profile.json || fail "profile: $(cat profile.json)"
"$binary" plan "${job[@]}" -n 2 --profile profile.json >plan.txt 2>log || fail "plan of a profile: $(cat log)"
grep -q '^S2 -*F.*B' plan.txt || fail "no chart: $(cat plan.txt)"
"$binary" plan "${job[@]}" -n 4 --search >search.txt 2>log || fail "plan --search: $(cat log)"
grep -q '^best  parallel.data=' search.txt || fail "search: $(cat search.txt)"

sed -i 's/^F1 F2 F3 B1/F1 F2 F3 F4 B1/; s/B1 F4 B2/B1 B2/' program.txt  # stage 1 runs ahead
train from_file 3 parallel.pipeline=3 parallel.schedule=./program.txt
same_losses from_file
refused 'parallel.schedule: .*program.txt is for 3 stages, 4 micro-batches and 1 chunks; the job has 2, 4' \
  parallel.schedule=./program.txt
refused 'parallel.schedule: got varunaa; want one of gpipe, 1f1b, interleaved, varuna, or a path' \
  parallel.schedule=varunaa
echo "1 passed, 0 failed"
