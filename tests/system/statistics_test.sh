#!/usr/bin/env bash
# statistics, and the methods of compress that use them, as users run them: texts and labels, ranks, refusals.
. "$(dirname "$0")/common.sh"
cd "$work"
export OMP_NUM_THREADS=1
head -60 text.txt > few.txt
"$binary" train job.yaml run.dir=run 2>log || fail "train: $(cat log)"

# One file beside the model, by one line of results; every kind.
json 'file bytes layers examples loss loss_name data_hash pass_seconds peak_bytes' \
  "$binary" statistics run --data few.txt --kind fisher,gram,inputs
grep -q '"layers":8,.*"loss_name":"cross entropy"' out || fail "$(cat out)"
grep -q 'statistics  batch' err || fail "no progress: $(cat err)"
made=run/checkpoints/step-30.statistics.safetensors
[ -e "$made" ] || fail "not beside the model"
json 'kind' "$binary" inspect "$made"
grep -q '"blocks.1.mlp.down.gram"' out || fail "$(cat out)"
says 'of 2 layers over 5 examples  cross entropy' \
  "$binary" statistics run --data few.txt --match 'blocks.*.mlp.up' --examples 5 --sequence 8 --out few.safetensors
"$binary" eval run few.txt >/dev/null || fail "a checkpoint with statistics is refused"
# What a file had and a new one has not, and weights of another model, are said.
cp "$made" kinds.st
"$binary" statistics run --data few.txt --examples 2 --out kinds.st >out 2>err || fail "$(cat err)"
grep -q 'kinds.st: its gram, inputs will be gone' err || fail "nothing is said of lost kinds: $(cat err)"
"$binary" compress run first --method fwsvd --rank 8 >out 2>err || fail "$(cat err)"
! grep -q warning err || fail "a warning of a model's own statistics: $(cat err)"
"$binary" compress first again --method fwsvd --rank 3 --statistics "$made" >out 2>err || fail "$(cat err)"
grep -q 'warning: .*step-30.statistics.safetensors was taken of other files than those in first' err || fail "no warning: $(cat err)"

# Ranks and threads: the same bytes if canonical, the same loss otherwise.
for n in 1 2 4; do
  for threads in 1 2; do
    OMP_NUM_THREADS=$threads mpi $n statistics run --data few.txt --kind fisher,gram,inputs --batch 2 \
      --reduction canonical --out "$n-$threads.st" >out 2>err || fail "$n ranks: $(cat err)"
    cmp 1-1.st "$n-$threads.st" || fail "other bits on $n ranks of $threads threads"
  done
done
expect 78 'divided over 1, 2 or 4 ranks, got 3' mpi 3 statistics run --data few.txt --reduction canonical
mpi 3 statistics run --data few.txt --out three.st --json >out 2>err || fail "3 ranks: $(cat err)"
[ "$(wc -l < out)" = 1 ] || fail "each rank prints: $(cat out)"

# Every method with them; its table has the errors that they tell.
for method in fwsvd tfwsvd tfwsvd_gradient whitened asvd fwttm scaled_fwttm; do
  says 'by Fisher *of outputs' "$binary" compress run $method --method $method --keep 50%
  "$binary" eval $method few.txt >/dev/null 2>err || fail "$method: $(cat err)"
done
json 'relative_error fisher_error output_error' "$binary" compress run --method svd --keep 50% --dry-run \
  --statistics "$made"
fisher() { sed 's/"fisher_error":/\n&/g' out | sed -n 's/"fisher_error":\([^,}]*\).*/\1/p' | awk '{ s += $1 } END { print s }'; }
plain=$(fisher)
json 'fisher_error' "$binary" compress run --method tfwsvd --keep 50% --dry-run
awk -v a="$(fisher)" -v b="$plain" 'BEGIN { exit !(a < b) }' || fail "tfwsvd $(fisher), svd $plain"
says '  8 layers' "$binary" compress run --method fwsvd --axis both --rank 3 --match 'blocks.*' --dry-run

# Ranks by sensitivity: one share of all layers together.
for method in svd fwsvd whitened; do
  json 'spec' "$binary" compress run --method $method --keep 40% --allocate sensitivity --dry-run
  sed 's/"parameters_after":/\n&/g' out | sed -n 's/"parameters_after":\([0-9]*\).*/\1/p' | head -4 |
    awk '{ s += $1 } END { exit !(s <= 0.4 * 16384 && s > 0.38 * 16384) }' || fail "$method: not 40 %: $(cat out)"
done

# Further cuts of factors: in two steps as in one.
"$binary" compress run svd8 --method svd --rank 8 >out 2>err && "$binary" compress svd8 svd4 --method svd --rank 4 >out 2>err &&
  "$binary" compress run once --method svd --rank 4 >out 2>err || fail "$(cat err)"
loss() { "$binary" eval "$1" few.txt --json | sed -n 's/.*"loss":\([^,}]*\).*/\1/p'; }
awk -v a="$(loss svd4)" -v b="$(loss once)" 'BEGIN { d = a - b; exit !(d < 1e-4 && d > -1e-4) }' ||
  fail "two steps: $(loss svd4), one: $(loss once)"
says 'ranks \[4, 4\]' "$binary" compress fwttm ttm4 --method ttm --rank 4

# Labels: the columns of the run's job.
awk 'BEGIN { print "sentence\tlabel"; for (i = 0; i < 60; i++) print (i % 3 ? "one two" : "three") " and " i % 7 "\t" i % 2 }' > train.tsv
cat > task.yaml <<YAML
schema: 1
run: {name: task, dir: labels, seed: 1, steps: 4}
model: {family: bert, layers: 2, width: 32, heads: 2, context: 32}
tokenizer: {kind: wordpiece, vocab: 300}
task: {kind: classification}
data: {train: train.tsv, dataset: sst2, sequence: 16, batch: 8}
YAML
"$binary" train task.yaml 2>log || fail "classification: $(tail -3 log)"
json 'layers examples' "$binary" statistics labels --data train.tsv --kind fisher,gram
grep -q '"examples":60,.*"layers":10' out || fail "$(cat out)"
"$binary" compress labels cut --method fwsvd --keep 50% --match 'blocks.*' >out 2>err || fail "$(cat err)"

# What adapters say: weights for a cut beside them, or with them added in, and scores of heads and channels.
of_run=run/checkpoints/step-30
sed -e "s|^model:.*|model: {from: $of_run}|" -e "s|^tokenizer:.*|tokenizer: {from: $of_run}|" job.yaml > more.yaml
"$binary" train more.yaml run.dir=tuned run.steps=6 schedule.warmup=1 checkpoint.every=6 \
  'adapters=[{match: "*.mlp.*", kind: lora, rank: 3}, {match: "*.attn.qkv", kind: lora, rank: 2, parts: [q, v]}]' \
  2>log || fail "adapters: $(tail -3 log)"
says 'blocks.1.mlp *128 channels .* ..$' "$binary" statistics tuned --data few.txt --kind lora,gram
told=tuned/checkpoints/step-6.statistics.safetensors
says 'blocks.0.attn *2 heads ' "$binary" inspect "$told"
json 'groups path scores' "$binary" inspect "$told"
for n in 1 2; do
  mpi $n statistics tuned --data few.txt --kind lora --reduction canonical --out "$n.st" >out 2>err || fail "$n ranks: $(cat err)"
done
cmp 1.st 2.st || fail "importances: other bits on 2 ranks"
"$binary" compress tuned beside --method lora_svd --rank 6 --keep-adapters >out 2>err || fail "$(cat err)"
grep -q 'dense + lora rank 3 *svd rank 6 + lora rank 3 ' out || fail "not kept: $(cat out)"
"$binary" train more.yaml run.dir=mended run.steps=6 schedule.warmup=1 checkpoint.every=6 model.from=beside 2>log || fail "on from kept adapters: $(tail -3 log)"
near_to() { awk -v a="$1" -v b="$2" -v t="$3" 'BEGIN { d = a - b; exit !(a != "" && b != "" && d <= t && d >= -t) }'; }
for from in beside mended; do
  "$binary" compress $from $from-folded --method lora_svd --rank 9 --statistics "$told" >out 2>err || fail "$(cat err)"
  near_to "$("$binary" eval $from few.txt --json | sed -n 's/.*"loss":\([^,}]*\).*/\1/p')" \
    "$("$binary" eval $from-folded few.txt --json | sed -n 's/.*"loss":\([^,}]*\).*/\1/p')" 1e-4 || fail "folding of $from is not exact"
done
says 'search\|svd rank' "$binary" compress tuned --search svd,lora_svd --keep 50% --keep-adapters --dry-run
# What is kept is no part of the share: adapters alone have a tenth of the weights.
says 'svd rank' "$binary" compress tuned --search svd --keep 12% --keep-adapters --dry-run

# The spectrum of a model.
says 'blocks.1.mlp.down *128 x 32 *svd rank 4 .* 4$' "$binary" inspect svd4 --spectrum
json 'spectrum path energy rank_90 stable_rank numerical_rank singular_values' "$binary" inspect run --spectrum
# With inputs and the loss without a part of it: the groups are all of the energy, and the last costs least.
json 'inputs_rank_90 group_test groups loss' "$binary" inspect run --spectrum --statistics "$made" \
  --data text.txt --groups 4 --sequence 16 --svg spectrum.svg
sed 's/.*"group_test"://; s/{"energy":/\n&/g' out | sed -n 's/^{"energy":\([^,]*\),"loss":\([^}]*\)}.*/\1 \2/p' |
  awk '{ energy += $1; loss[NR] = $2 }
    END { exit !(NR == 4 && energy > 0.999999 && energy < 1.000001 && loss[1] > loss[4]) }' ||
  fail "group test: $(cat out)"
[ "$(grep -c '<rect' spectrum.svg)" = 4 ] && [ "$(grep -c '<polyline' spectrum.svg)" = 17 ] || fail "$(grep -c polyline spectrum.svg) curves"
loss=$("$binary" eval run text.txt --sequence 16 --json | sed -n 's/.*"loss":\([^,}]*\).*/\1/p')
"$binary" inspect run --spectrum --data text.txt --groups 1 --sequence 16 >out 2>err || fail "$(cat err)"
grep -q "loss of the whole model ${loss:0:5}" out || fail "other loss than $loss: $(cat out)"

# Errors: one line, nothing written.
"$binary" train job.yaml run.dir=other run.steps=1 schedule.warmup=0 model.width=16 2>log &&
  "$binary" statistics other --data few.txt --out wide.st >/dev/null 2>err || fail "$(cat log err)"
bad() { local code=$1 pattern=$2; shift 2; expect "$code" "$pattern" "$binary" "$@"; [ "$(wc -l < err)" = 1 ] || fail "$(cat err)"; }
bad 64 'data: missing; want the file' statistics run
bad 64 'out: few.txt exists and holds no statistics; name another file' statistics run --data few.txt --out few.txt
bad 64 'fisher: means nothing without --kind fisher' statistics run --data few.txt --kind gram --fisher batches
bad 64 'axis: means nothing to --search svd,ttm' compress run x --search svd,ttm --keep 50% --axis out
bad 64 'out: run is a directory' statistics run --data few.txt --out run
grep -q zero few.txt || fail "a text was written over"
expect 64 'compress: does its work in one process; run it without mpirun' mpi 2 compress run x --method svd --rank 3
bad 64 'kind: got fishes; want a list of strings out of fisher, gram, inputs, lora' statistics run --data few.txt --kind fishes
bad 64 '"\*.mpl" matches no linear layer that statistics are taken of' statistics run --data few.txt --match '*.mpl'
bad 64 "context is 32, want no more" statistics run --data few.txt --sequence 64
"$binary" export run plain >out 2>err || fail "$(cat err)"
bad 64 'wants fisher; make it with: trainyard statistics plain --data FILE --kind fisher' compress plain x --method fwsvd --rank 3
bad 65 'few.safetensors: has no gram of blocks.0.mlp.up' compress run x --method whitened --rank 3 --statistics few.safetensors
bad 65 'model.safetensors: holds no statistics' compress run x --method fwsvd --rank 3 --statistics once/model.safetensors
bad 65 'are the statistics of another model' compress run x --method fwsvd --rank 3 --statistics wide.st
bad 64 'fwttm has no bound on its error' compress run x --method fwttm --error 10%
bad 64 'axis: means nothing to --method svd' compress run x --method svd --rank 3 --axis out
bad 64 'sensitivity wants layers of one rank each: --method svd or fwsvd' compress run x --method ttm --keep 50% --allocate sensitivity
bad 64 'keep-adapters: none of the layers has one; the first is blocks.0.mlp.up, dense' compress run x --method svd --rank 3 --keep-adapters
bad 64 'wants lora; make it with: trainyard statistics plain --data FILE --kind lora' compress plain x --method lora_svd --rank 3
bad 64 'none of the layers can have lora; blocks.0.attn.qkv is dense' statistics run --data few.txt --kind lora --out x
bad 64 'svg: is of --spectrum' inspect run --svg x
bad 64 'groups: is of --data' inspect run --spectrum --groups 3
bad 64 'sensitivity divides --keep SHARE' compress run x --method svd --rank 3 --allocate sensitivity
[ ! -e x ] || fail "refused commands left files"
echo "1 passed, 0 failed"
