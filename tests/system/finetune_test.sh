#!/usr/bin/env bash
# Fine-tuning as its users run it: parameters that are frozen or have a learning rate of their own, through
# saving, resuming, thawing and other layouts.
. "$(dirname "$0")/common.sh"
export OMP_NUM_THREADS=1
cd "$work"
number() { grep -o "\"$1\":[-+.e0-9]*" out | head -n 1 | cut -d: -f2; }
tensor() {  # RUN STEP NAME: a hash of its numbers
  "$binary" inspect "$1/checkpoints/step-$2" --json >/dev/null || fail "inspect $1 step $2"
  python3 - "$1/checkpoints/step-$2" "$3" <<'PY'
import glob, hashlib, json, struct, sys
for file in glob.glob(sys.argv[1] + "/model*.safetensors"):
    data = open(file, "rb").read()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    if sys.argv[2] in header:
        first, last = header[sys.argv[2]]["data_offsets"]
        print(hashlib.sha256(data[8 + size + first:8 + size + last]).hexdigest())
PY
}

base=(job.yaml tokenizer.kind=bytes model.dropout=0 run.steps=6 checkpoint.every=2 checkpoint.keep=9
  schedule.warmup=2 data.batch=4 log.every=1)
"$binary" train "${base[@]}" run.dir=first 2>log || fail "the first training: $(cat log)"
tune=("${base[@]}" model.from=first/checkpoints/step-6 'optim.freeze=["embeddings.*", "blocks.0.*"]'
  'optim.rules=[{match: "*.mlp.*", lr: 1e-3}, {match: "blocks.1.norm*", weight_decay: 0.5}]')

# What is trained is counted apart, and said before the first step.
json 'parameters trained updates' "$binary" plan "${tune[@]}"
[ "$(number trained)" -lt "$(number parameters)" ] || fail "trained: $(cat out)"
memory=$(number optimizer_bytes)
[ "$memory" -lt "$((9 * $(number trained)))" ] || fail "optimizer memory $memory: $(cat out)"
"$binary" train "${tune[@]}" run.dir=tuned 2>log || fail "tuning: $(cat log)"
for words in 'parameters .* trained ' 'frozen .*embeddings.token.weight' '0.001 .*blocks.1.mlp.up.weight' \
  '0.5 .*blocks.1.norm1.weight'; do
  grep -q "$words" log || fail "no \"$words\" in: $(cat log)"
done
grep -q 'freeze: \["embeddings' tuned/config.yaml && grep -q 'weight_decay: 0.5' tuned/config.yaml ||
  fail "config.yaml: $(cat tuned/config.yaml)"

if command -v python3 >/dev/null; then
  for name in transformer.wte.weight transformer.h.0.mlp.c_fc.weight; do
    [ "$(tensor first 6 $name)" = "$(tensor tuned 6 $name)" ] || fail "$name was frozen and has changed"
  done
  [ "$(tensor first 6 transformer.h.1.mlp.c_fc.weight)" != "$(tensor tuned 6 transformer.h.1.mlp.c_fc.weight)" ] ||
    fail "blocks.1.mlp.up was not trained"
fi

# A resumed run is the run, in one process or in several, in other layouts too.
cp -r tuned again && rm -r again/checkpoints/step-6
"$binary" train "${tune[@]}" run.dir=again 2>log || fail "resume: $(cat log)"
for file in model-trained model-frozen; do
  cmp {again,tuned}/checkpoints/step-6/$file.safetensors || fail "resume: other weights in $file"
done
for layout in 'parallel.data=2 parallel.zero=1' 'parallel.tensor=2' \
  'parallel.pipeline=2 parallel.microbatches=2 parallel.recompute=stage'; do
  rm -rf again && cp -r tuned again && rm -r again/checkpoints/step-6
  # shellcheck disable=SC2086
  mpi 2 train "${tune[@]}" run.dir=again $layout 2>log || fail "$layout: $(cat log)"
  grep -q 'resumed after step 4' log || fail "$layout: $(cat log)"
  awk -v a="$(losses tuned | tail -n 1 | cut -d' ' -f2)" -v b="$(losses again | tail -n 1 | cut -d' ' -f2)" \
    'BEGIN {exit !((a - b) * (a - b) < 1e-8)}' || fail "$layout: another loss than $(losses tuned | tail -n 1)"
  "$binary" eval again text.txt >out || fail "$layout: eval"
done

# Thawing: said, and what is trained anew begins with moments of zero; damage is no excuse for them.
rm -rf again && cp -r tuned again && rm -r again/checkpoints/step-6
"$binary" train "${tune[@]}" run.dir=again 'optim.freeze=["embeddings.*"]' 2>log || fail "thawed: $(cat log)"
grep -q 'changed since this run began: optim.freeze' log || fail "thawed: $(cat log)"
rm -r again/checkpoints/step-6
"$binary" train "${tune[@]}" run.dir=again 2>log || fail "frozen again: $(cat log)"
grep -q 'resumed after step 4' log || fail "frozen again: $(cat log)"

# What cannot be meant is said with what could have been.
expect 78 'optim.freeze: "blocks.0.mpl.\*" matches no parameter.*did you mean "blocks.0.mlp.\*"' \
  "$binary" train "${base[@]}" run.dir=none 'optim.freeze=["blocks.0.mpl.*"]'
expect 78 'optim.freeze: matches all .*nothing is left to train' \
  "$binary" plan "${base[@]}" 'optim.freeze=["*"]'
expect 78 'optim.rules\[0\].match: "\*.mpl.\*" matches no parameter' \
  "$binary" config check "${base[@]}" 'optim.rules=[{match: "*.mpl.*", lr: 1}]'
echo "1 passed, 0 failed"
