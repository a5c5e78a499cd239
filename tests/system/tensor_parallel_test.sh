#!/usr/bin/env bash
# A model shared by tensor ranks under mpirun, from its configuration file: the numbers of one process, runs
# that go on with another number of ranks, checkpoints that are plain model directories, and what is refused.
. "$(dirname "$0")/common.sh"
export OMP_NUM_THREADS=1
config=$(cd "$(dirname "$0")/../.." && pwd)/configs/tensor-parallel.yaml
cd "$work"
head -n 40 text.txt >valid.txt
job=("$config" data.train=text.txt data.valid=valid.txt run.steps=8 checkpoint.every=4)

# The run directory of N ranks is rN.
train() {  # N OVERRIDES...
  local n=$1
  shift
  mpi "$n" train "${job[@]}" run.dir="r$n" "$@" 2>log || fail "$n ranks: $(tail -n 3 log)"
}
# The largest difference between the numbers of two fp32 safetensors files; their headers are equal.
numbers() { od -An -v -tf4 -w4 -j $((8 + $(od -An -tu8 -N8 "$1"))) "$1"; }
distance() {
  paste <(numbers "$1") <(numbers "$2") |
    awk '{ d = $1 - $2; if (d < 0) d = -d; if (!(d <= most)) most = d } END { print (NR > 20000 ? most + 0 : "nan") }'
}
near() {  # WHAT LIMIT FILE FILE
  local got
  got=$(distance "$3" "$4")
  awk -v d="$got" -v most="$2" 'BEGIN { exit !(d == d + 0 && d <= most) }' || fail "$1: weights differ by $got"
}
peak() { sed -n 's/.*"peak_bytes":\([0-9]*\).*/\1/p' "$1" | tail -n 1; }

"$binary" train "${job[@]}" run.dir=r1 parallel.tensor=1 run.sample_every=8 2>log || fail "one rank: $(tail -n 3 log)"
train 2 run.sample_every=8
train 4 run.sample_every=0
train 3 run.sample_every=0 parallel.tensor=3
layout() { case $1 in 1 | 3) echo "parallel.tensor=$1" ;; *) echo parallel.tensor=2 ;; esac; }
for n in 1 2 3 4; do
  paste <(losses r1) <(losses "r$n") |
    awk '{ d = $4 - $2; if (d < 0) d = -d; if (d > 2e-5 || $1 != $3) { print "step", $1, $2, $4; bad = 1 } }
         END { exit bad || NR != 8 }' || fail "losses of $n ranks"
  near "$n ranks" 2e-5 {r1,"r$n"}/checkpoints/step-8/model.safetensors
  "$binary" plan "${job[@]}" "$(layout "$n")" -n "$n" --json >plan.json 2>log || fail "plan: $(cat log)"
  awk -v p="$(peak plan.json)" -v m="$(peak "r$n/metrics.jsonl")" \
    'BEGIN { d = p / m - 1; exit !(d < 0.03 && d > -0.03) }' ||
    fail "$n ranks: predicted $(peak plan.json), measured $(peak "r$n/metrics.jsonl") bytes"
done
# A rank of two holds less than one alone does, but more than half of it.
awk -v one="$(peak r1/metrics.jsonl)" -v two="$(peak r2/metrics.jsonl)" 'BEGIN { exit !(two < 0.75 * one && two > 0.4 * one) }' ||
  fail "memory of one rank and of two: $(peak r1/metrics.jsonl) $(peak r2/metrics.jsonl)"
grep -q 'step 8' r1/samples.txt && cmp r1/samples.txt r2/samples.txt || fail "samples of two ranks are others"

# What four ranks saved after step 4, others go on with.
rm -r r4/checkpoints/step-8 && cp -r r4 on1 && cp -r r4 on2
"$binary" train "${job[@]}" run.dir=on1 parallel.tensor=1 run.sample_every=0 2>log || fail "going on alone: $(tail -n 3 log)"
grep -q 'resumed after step 4' log || fail "one rank began anew"
mpi 2 train "${job[@]}" run.dir=on2 run.sample_every=0 2>log || fail "going on with 2 ranks: $(tail -n 3 log)"
grep -q 'resumed after step 4' log || fail "two ranks began anew"
for on in on1 on2; do near "$on" 2e-5 {r1,$on}/checkpoints/step-8/model.safetensors; done

# Between own columns of all numbers too: svd layers in both factors, norms and positions by columns.
hidden=('linear=[{match: "blocks.*", kind: svd, rank: 8, layout: hidden}]' parallel.sequence=false run.sample_every=0)
"$binary" train "${job[@]}" "${hidden[@]}" run.dir=h1 parallel.tensor=1 2>log || fail "hidden, one rank: $(tail -n 3 log)"
mpi 4 train "${job[@]}" "${hidden[@]}" run.dir=h4 2>log || fail "hidden, 4 ranks: $(tail -n 3 log)"
near "hidden, 4 ranks" 2e-5 {h1,h4}/checkpoints/step-8/model.safetensors
rm -r h4/checkpoints/step-8 && cp -r h4 hon1 && cp -r h1 hon3 && rm -r hon3/checkpoints/step-8
split='linear=[{match: "blocks.*", kind: svd, rank: 8}]'
"$binary" train "${job[@]}" "${hidden[@]}" run.dir=hon1 parallel.tensor=1 2>log || fail "going on alone: $(tail -n 3 log)"
mpi 3 train "${job[@]}" "${hidden[@]}" run.dir=hon3 parallel.tensor=3 2>log || fail "going on hidden: $(tail -n 3 log)"
mpi 2 train "${job[@]}" "${hidden[@]}" run.dir=h4 "$split" parallel.sequence=true 2>log || fail "going on split: $(tail -n 3 log)"
for on in hon1 hon3 h4; do near "$on" 2e-5 {h1,$on}/checkpoints/step-8/model.safetensors; done

# Nothing in a checkpoint tells of ranks.
model=r4/checkpoints/step-4
loss() { sed -n 's/.*"loss":\([^,]*\),.*/\1/p' "$1" | sort -u; }
like() { awk -v a="$1" -v b="$2" -v t="$3" 'BEGIN { d = a - b; exit !(d <= t && d >= -t) }'; }
json "loss tokens" "$binary" eval $model valid.txt --sequence 24
wanted=$(loss out)
mpi 2 eval $model valid.txt --sequence 24 --json >out 2>err || fail "eval by two: $(cat err)"
like "$(loss out)" "$wanted" 1e-6 || fail "eval by two: $(loss out), alone $wanted"
for m in r1 r2; do
  "$binary" generate $m/checkpoints/step-8 "one and" --greedy --tokens 20 >$m.txt 2>err || fail "generate: $(cat err)"
done
cmp r1.txt r2.txt || fail "greedy text"
"$binary" export $model dense --dense >/dev/null 2>err || fail "export: $(cat err)"
json "loss" "$binary" eval dense valid.txt --sequence 24
like "$(loss out)" "$wanted" 1e-5 || fail "eval of the export: $(loss out), not $wanted"
"$binary" compress $model small --method svd --rank 4 --match blocks.0.mlp.down >/dev/null 2>err || fail "compress: $(cat err)"
json "loss" "$binary" eval small valid.txt --sequence 24

# Refused in one line by rank 0, before anything is created.
refused() {  # N PATTERN OVERRIDES...
  local n=$1 pattern=$2
  shift 2
  expect 78 "$pattern" mpi "$n" train "${job[@]}" run.dir=none "$@"
  [ "$(grep -c '^trainyard: ' err)" = 1 ] || fail "more than a line: $(cat err)"
  [ ! -e none ] || fail "$pattern: left $(find none)"
}
refused 2 'parallel.tensor: 2 ranks cannot share model.heads = 3 evenly; valid: 1, 3$' model.heads=3
refused 2 'parallel.tensor: 2 ranks cannot share model.inner = 27 evenly; valid: 1, 3, 9, 27$' model.inner=27 linear=[]
refused 2 'data.sequence: 21 tokens .* parallel.tensor = 2 ranks, as parallel.sequence wants; valid: 1, 3, 7, 21$' data.sequence=21
refused 3 'parallel: tp 2 x pp 1 = 2 does not divide the job.s 3 ranks, so parallel.data cannot fill what is left; change parallel.tensor'
refused 3 'parallel: dp 1 x tp 2 x pp 1 = 2 ranks, but the job has 3; change parallel.data, tensor' parallel.data=1
refused 4 'parallel.tensor: 4 ranks cannot share model.vocab = 2; want at most 2$' parallel.tensor=4 model.vocab=2 tokenizer.kind=chars
# Only the text tells that it has three ids: two characters and the end.
printf 'ab%.0s' $(seq 60) >two.txt
refused 4 'parallel.tensor: 4 ranks cannot share model.vocab = 3; want at most 3$' parallel.tensor=4 tokenizer.kind=chars \
  data.train=two.txt data.valid=null
echo "1 passed, 0 failed"
