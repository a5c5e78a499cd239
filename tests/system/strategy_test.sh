#!/usr/bin/env bash
# A strategy: phases of cutting and tuning in one job; a killed one goes on with the same bits, on any number of ranks.
. "$(dirname "$0")/common.sh"
export OMP_NUM_THREADS=1
cd "$work"
loss() { "$binary" eval "$1" text.txt --json | sed -n 's/.*"loss":\([^,}]*\).*/\1/p'; }

"$binary" train job.yaml run.dir=dense 2>log || fail "train: $(cat log)"
sed -e 's/^model:.*/model: {from: dense}/' -e 's/^tokenizer:.*/tokenizer: {from: dense\/tokenizer}/' \
  -e 's/warmup: 5/warmup: 2/' job.yaml > smaller.yaml
cat >> smaller.yaml <<'YAML'
strategy:
  - {match: ["blocks.*.mlp.*"], method: svd, keep: 60%, steps: 8}
  - {match: ["blocks.*.mlp.*"], method: svd, keep: 36%, steps: 8}
  - {match: ["blocks.*.attn.*"], method: ttm, rank: 6, steps: 12}
YAML

# Every phase starts from what the one before it has become, and factors are cut further.
"$binary" train smaller.yaml run.dir=whole >out 2>err || fail "strategy: $(cat err)"
grep -q 'phase 2 of 3: svd, keep 0.36 of blocks.\*.mlp.\*, then 8 steps' err || fail "no phase: $(cat err)"
for phase in 1 2 3; do [ -e whole/phases/$phase/model/config.json ] || fail "no model of phase $phase"; done
ranks() { tr -d ' \n' < "$1/config.json" | grep -o '"rank":[0-9]*' | sort -u | tr '\n' ' '; }
[ "$(ranks whole/phases/1/model)" = '"rank":15 ' ] || fail "phase 1: $(ranks whole/phases/1/model)"
[ "$(ranks whole/phases/2/model)" = '"rank":9 ' ] || fail "phase 2: $(ranks whole/phases/2/model)"
[ -e whole/checkpoints/step-12 ] || fail "the last phase is not the run: $(ls whole/checkpoints)"
[ "$(grep -c '"kind"' whole/checkpoints/step-12/config.json)" = 8 ] || fail "not all layers are cut"
awk -v a="$(loss whole/phases/1/model)" -v b="$(loss whole/phases/1/run)" 'BEGIN { exit !(b < a) }' ||
  fail "tuning does not help"
"$binary" train smaller.yaml run.dir=whole >out 2>err || fail "a finished strategy: $(cat err)"
grep -q 'cut\|step 1/' out && fail "a finished strategy works again: $(cat out)"

# Killed in the second phase, it goes on with the same bits, on two ranks as on one.
same() { cmp whole/checkpoints/step-12/model.safetensors "$1/checkpoints/step-12/model.safetensors" || fail "$1 has other bits"; }
"$binary" train smaller.yaml run.dir=killed parallel.reduction=canonical >out 2>err || fail "$(cat err)"
mv killed whole2
cp -r whole2 killed
rm -rf killed/checkpoints killed/metrics.jsonl killed/phases/3 killed/phases/2/run/checkpoints/step-8
mkdir killed/phases/3 && mkdir killed/phases/3/model.tmp
"$binary" train smaller.yaml run.dir=killed parallel.reduction=canonical >out 2>err || fail "going on: $(cat err)"
cmp {whole2,killed}/checkpoints/step-12/model.safetensors || fail "a killed strategy has other bits"
mpi 2 train smaller.yaml run.dir=two parallel.reduction=canonical >out 2>err || fail "two ranks: $(cat err)"
cmp {whole2,two}/checkpoints/step-12/model.safetensors || fail "two ranks have other bits"

# A method that weighs errors takes statistics of the model as it has become, the same ones on any number of ranks.
weighed='strategy=[{match: ["blocks.*.mlp.*"], method: fwsvd, keep: 60%, steps: 3, examples: 8},
  {match: ["blocks.*.mlp.*"], method: whitened, keep: 36%, steps: 3, examples: 8}]'
"$binary" train smaller.yaml run.dir=weighed parallel.reduction=canonical "$weighed" >out 2>err || fail "weighed: $(cat err)"
cp -r weighed again
rm -rf again/checkpoints again/metrics.jsonl again/phases/2/model
mpi 2 train smaller.yaml run.dir=again parallel.reduction=canonical "$weighed" >out 2>err || fail "weighed, again: $(cat err)"
mpi 2 train smaller.yaml run.dir=both parallel.reduction=canonical "$weighed" >out 2>err || fail "weighed, two: $(cat err)"
for file in phases/{1,2}/statistics.safetensors phases/{1,2}/model/model.safetensors checkpoints/step-3/model.safetensors; do
  cmp weighed/$file again/$file && cmp weighed/$file both/$file || fail "$file has other bits"
done

# LPAF: pruned in training by first-order scores, then cut by an SVD that those weigh; killed in the middle of pruning.
lpaf='strategy=[{match: ["blocks.*.mlp.*"], method: first_order, keep: 30%, steps: 20},
  {match: ["blocks.*.mlp.*"], method: lpaf, keep: 40%, steps: 4}]'
"$binary" train smaller.yaml run.dir=lpaf checkpoint.every=5 "$lpaf" >out 2>err || fail "lpaf: $(cat err)"
grep -q 'pruned to 30 % *svd rank 10' out || fail "not cut: $(cat out)"
says 'blocks.0.mlp.up *32 x 128 *pruned to 30 % ' "$binary" inspect lpaf/phases/1/run --spectrum
json 'sparsity' "$binary" inspect lpaf/phases/1/run --spectrum
grep -q '"sparsity":0.69995' out || fail "not 70 % are masked: $(cat out)"
grep -q '"end"' lpaf/phases/1/run/checkpoints/step-20/config.json && fail "the schedule would begin anew"
cp -r lpaf lpaf2
rm -rf lpaf2/checkpoints lpaf2/metrics.jsonl lpaf2/phases/2 lpaf2/phases/1/run/checkpoints/step-{15,20}
"$binary" train smaller.yaml run.dir=lpaf2 checkpoint.every=5 "$lpaf" >out 2>err || fail "lpaf, again: $(cat err)"
for file in phases/1/run/checkpoints/step-20/model.safetensors phases/2/model/model.safetensors checkpoints/step-4/model.safetensors; do
  cmp {lpaf,lpaf2}/$file || fail "lpaf: $file has other bits"
done
# Mixed ranks: factors in whose place the pruned weight is drawn for 7 of 10 steps, and is gone then.
"$binary" train smaller.yaml run.dir=mixed checkpoint.every=5 "${lpaf/method: lpaf, keep: 40%, steps: 4/method: lpaf_mixed, keep: 40%, steps: 10}" \
  >out 2>err || fail "mixed: $(cat err)"
grep -q '"mix": *"draw"' mixed/checkpoints/step-5/config.json || fail "nothing is drawn: $(cat mixed/checkpoints/step-5/config.json)"
grep -q guide mixed/checkpoints/step-10/config.json && fail "the pruned weights stayed"
"$binary" eval mixed text.txt >out 2>err || fail "mixed: $(cat err)"
# What later phases cannot do is said before the first one works.
wrong() {  # PATTERN STRATEGY [KEY=VALUE]
  expect 78 "$1" "$binary" train smaller.yaml run.dir=wrong "strategy=[{match: [\"*.mlp.*\"], method: svd, keep: 60%, steps: 9}, $2]" ${3:+"$3"}
  [ ! -e wrong ] || fail "$1: the first phase has begun"
}
wrong 'strategy\[1\]: method: lpaf wants layers that a phase before it has pruned' '{match: ["*.mlp.*"], method: lpaf, keep: 40%, steps: 9}'
wrong 'strategy\[1\]: .*first_order: want .*keep' '{match: ["*.mlp.*"], method: first_order, rank: 4, steps: 9}'
wrong 'strategy\[1\]: method: first_order gathers scores' '{match: ["*.mlp.*"], method: first_order, keep: 40%, steps: 9}' precision.compute=fp16
wrong "data.sequence: 999 is longer than the model's context" '{match: ["*.mlp.*"], method: svd, keep: 40%, steps: 9}' data.sequence=999
# So is what the ranks cannot.
expect 78 'parallel.zero: 1 cuts factors into shares' mpi 2 train smaller.yaml run.dir=wrong parallel.zero=1 optim.factor_steps=bounded
expect 78 'data.batch: 1 sequences are fewer than the 2 data ranks' mpi 2 train smaller.yaml run.dir=wrong data.batch=1
[ ! -e wrong ] || fail "the first phase has begun on ranks that cannot tune: $(find wrong)"
expect 64 'blocks.0.mlp.up: dense, but lpaf wants layers that were trained as pruned ones' "$binary" compress dense none --method lpaf --keep 40%
expect 64 'steps: missing; --method first_order wants the steps' "$binary" compress dense none --method first_order --keep 40%
expect 64 'steps: means nothing to --method svd' "$binary" compress dense none --method svd --keep 40% --steps 9

# The examples, with fewer steps.
"$binary" train job.yaml run.dir=deep run.steps=10 model.layers=12 model.width=16 2>log || fail "train: $(cat log)"
for file in "$(dirname "$0")"/../../configs/smaller/*.yaml; do
  name=$(basename "$file" .yaml)
  [ "$name" != lpaf ] || continue  # of a classifier: tasks_test.sh
  sed -e 's/steps: [0-9]*}/steps: 3}/' -e 's/warmup: [0-9]*/warmup: 1/' "$file" > "$name.yaml"
  "$binary" train "$name.yaml" model.from=deep tokenizer.from=deep/tokenizer data.train=text.txt data.valid=text.txt \
    data.sequence=16 run.dir="$name" checkpoint.every=0 2>log || fail "$name: $(tail -n 3 log)"
  [ -e "$name/checkpoints/step-3" ] || fail "$name: no model of its last phase"
done

# A strategy may begin with a run, a single job names a checkpoint.
"$binary" config check smaller.yaml >out 2>err || fail "a run to begin with: $(cat err)"
expect 78 'model.from: .*dense is a run; name a checkpoint of it, as in .*dense/checkpoints/step-30' "$binary" config check smaller.yaml \
  strategy=[]
expect 78 'model.from: .*dense is a run; name a checkpoint' "$binary" train smaller.yaml strategy=[] run.dir=none

# One line for what cannot be.
bad() { local pattern=$1; shift; expect 78 "$pattern" "$binary" config check smaller.yaml "$@"; }
bad 'strategy: makes a trained model smaller; state model.from' model.from=null 'model.vocab=300'
bad 'strategy\[0\].keep: 2 of rank, keep and error are stated; want one' \
  'strategy=[{match: ["*"], method: svd, keep: 50%, rank: 3, steps: 9}]'
bad 'strategy\[0\].steps: 1 are fewer than schedule.warmup = 2' \
  'strategy=[{match: ["*"], method: svd, keep: 50%, steps: 1}]'
expect 78 'strategy\[0\]: statistics: none of the layers can have lora; blocks.0.mlp.up is dense' "$binary" train smaller.yaml \
  run.dir=none 'strategy=[{match: ["blocks.*.mlp.*"], method: lora_svd, keep: 50%, steps: 9}]'
"$binary" train smaller.yaml run.dir=none 'strategy=[{match: ["blocks.*.mlp.*"], method: asvd, keep: 50%, steps: 3, examples: 4}]' \
  >out 2>err || fail "another method after that: $(cat err)"
expect 78 'strategy\[0\]: match: "nothing" matches no linear layer' "$binary" train smaller.yaml run.dir=nothing \
  'strategy=[{match: ["nothing"], method: svd, keep: 50%, steps: 9}]'
# A pattern of a later phase is looked at before the first one works.
expect 78 'strategy\[1\]: match: "nothing" matches no linear layer' "$binary" train smaller.yaml run.dir=later \
  'strategy=[{match: ["*"], method: svd, keep: 50%, steps: 3}, {match: ["nothing"], method: svd, keep: 50%, steps: 3}]'
[ ! -e later ] || fail "the first phase has begun: $(find later)"
# What was cut is not taken for what the job says now; more steps are no other request.
expect 78 'strategy\[2\]: .*whole/phases/3/model was cut by other values: rank 6 -> 5; keep them' "$binary" train smaller.yaml run.dir=whole \
  'strategy=[{match: ["blocks.*.mlp.*"], method: svd, keep: 60%, steps: 8}, {match: ["blocks.*.mlp.*"], method: svd, keep: 36%, steps: 8},
  {match: ["blocks.*.attn.*"], method: ttm, rank: 5, steps: 12}]'
"$binary" train smaller.yaml run.dir=whole \
  'strategy=[{match: ["blocks.*.mlp.*"], method: svd, keep: 60%, steps: 8}, {match: ["blocks.*.mlp.*"], method: svd, keep: 36%, steps: 8},
  {match: ["blocks.*.attn.*"], method: ttm, rank: 6, steps: 14}]' >out 2>err || fail "more steps: $(cat err)"
[ -e whole/checkpoints/step-14 ] || fail "no more steps: $(cat err)"
grep -q 'all 8 steps are done; raise strategy\[0\].steps to go on' err || fail "phase 1 is done: $(cat err)"
