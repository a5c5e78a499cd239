#!/usr/bin/env bash
# A run that goes on under a changed job: every key has its outcome, and a directory that was refused or
# was finished already stays as it is, byte for byte.
. "$(dirname "$0")/common.sh"
export OMP_NUM_THREADS=1
cd "$work"

base=(train job.yaml tokenizer.kind=bytes run.steps=6 checkpoint.every=2 checkpoint.keep=9 schedule.warmup=2 \
  data.batch=4)
cp text.txt edited.txt && echo more >> edited.txt
cp text.txt moved.txt
"$binary" "${base[@]}" run.dir=whole 2>log || fail "the run itself: $(cat log)"
rm -r whole/checkpoints/step-6
bytes_of_run() { find "$1" -type f ! -name .lock -print0 | sort -z | xargs -0 sha256sum; }
fresh() { rm -rf run && cp -r whole run; }

count=0
refused() {  # CODE PATTERN OVERRIDE...: ends with the code, says the pattern, changes nothing
  local code=$1 pattern=$2
  shift 2
  fresh
  bytes_of_run run > before
  expect "$code" "$pattern" "$binary" "${base[@]}" run.dir=run "$@"
  bytes_of_run run > after
  cmp -s before after || fail "$*: refused, but the directory changed: $(diff before after)"
  count=$((count + 1))
}
goes_on() {  # PATTERN OVERRIDE...: resumes after step 4 and says the pattern before the first step
  local pattern=$1
  shift
  fresh
  "$binary" "${base[@]}" run.dir=run "$@" 2>log >out || fail "$*: $(tail -n 2 log)"
  grep -q "resumed after step 4" log || fail "$*: did not resume: $(cat log)"
  sed '/resumed after/q' log | grep -q -- "$pattern" || fail "$*: no \"$pattern\" in: $(cat log)"
  count=$((count + 1))
}

# Keys that say what the numbers mean: named with both values.
refused 78 'model.heads 2 -> 4' model.heads=4
refused 78 'model.activation gelu_tanh -> relu' model.activation=relu
refused 78 'model.layers 2 -> 1' model.layers=1
refused 78 'model.width 32 -> 16' model.width=16
refused 78 'model.context 32 -> 64' model.context=64
refused 78 'model.tied true -> false' model.tied=false
refused 78 'model.vocab 0 -> 300' model.vocab=300
refused 78 'model.dropout 0.1 -> 0.2' model.dropout=0.2
refused 78 'tokenizer.kind bytes -> chars' tokenizer.kind=chars
refused 78 'optim.name adamw -> sgd' optim.name=sgd
refused 78 'run.seed 3 -> 4' run.seed=4
refused 78 'data.batch 4 -> 8' data.batch=8
refused 78 'data.sequence 16 -> 8' data.sequence=8
refused 78 'data.text_key text -> body' data.text_key=body
refused 78 'data.column 0 -> 1' data.column=1
refused 78 'data.train .*text.txt (content .*edited.txt (content' data.train=edited.txt
refused 78 'data.valid .*text.txt (content .*edited.txt (content' data.valid=edited.txt
refused 78 'model.heads 2 -> 4, .*data.batch 4 -> 8.*run.allow_changes' model.heads=4 data.batch=8
refused 78 'blocks.0.mlp.up is dense in .*, the job says svd' 'linear=[{match: "*.mlp.*", kind: svd, rank: 4}]'
refused 78 'task.label_smoothing 0.* -> 0.1.*run.allow_changes' task.label_smoothing=0.1
# Steps that are done cannot be undone, whatever is allowed.
refused 78 'run.steps: 3 is less than the 4 steps' run.steps=3
refused 78 'run.steps: 2 is less than the 4 steps' run.steps=2 run.allow_changes=true
# What is wrong with the job itself is found before the directory is touched, too.
refused 74 'data.train: .*nowhere.txt' data.train=nowhere.txt
refused 78 'optim.no_decay: "\*.bais" matches no parameter' 'optim.no_decay=["*.bais"]'

# Keys that say how it runs: printed, and the run goes on.
goes_on 'run.steps 6 -> 8' run.steps=8
goes_on 'optim.lr 0.01 -> 0.02' optim.lr=0.02
goes_on 'optim.weight_decay 0.1 -> 0' optim.weight_decay=0
goes_on 'schedule.name cosine -> constant' schedule.name=constant
goes_on 'log.every 1 -> 2' log.every=2
goes_on 'checkpoint.every 2 -> 3' checkpoint.every=3
goes_on 'parallel.microbatches 1 -> 2' parallel.microbatches=2
goes_on 'parallel.recompute none -> block' parallel.recompute=block
goes_on 'parallel.zero 0 -> 1' parallel.zero=1
goes_on 'run.eval_every 0 -> 3' run.eval_every=3
goes_on 'precision.compute fp32 -> bf16' precision.compute=bf16
goes_on 'resumed' 'linear=[{match: "*", kind: dense}]'
goes_on 'resumed' data.train=moved.txt
# Allowed changes: another batch goes on at the sample where the run was, another optimizer starts anew.
goes_on 'data.batch 4 -> 2' data.batch=2 run.allow_changes=true
[ "$(sed -n 's/.*"step":\([0-9]*\),.*"tokens":\([0-9]*\),.*/\1 \2/p' run/metrics.jsonl | tail -n 1)" = "6 320" ] ||
  fail "tokens after another batch: $(tail -n 2 run/metrics.jsonl)"
goes_on 'optim.name adamw -> sgd' optim.name=sgd run.allow_changes=true
goes_on 'data.train .*edited.txt' data.train=edited.txt run.allow_changes=true

# A text that was edited under its name is another text.
fresh
cp edited.txt text.txt
expect 78 'data.train .*text.txt (content .* -> .*text.txt (content' "$binary" "${base[@]}" run.dir=run
cp moved.txt text.txt

# A finished run is left alone.
"$binary" "${base[@]}" run.dir=done run.sample_every=2 2>log || fail "done: $(cat log)"
bytes_of_run done > before
"$binary" "${base[@]}" run.dir=done run.sample_every=2 2>log || fail "done again: $(cat log)"
grep -q 'all 6 steps are done; raise run.steps' log || fail "finished: $(cat log)"
bytes_of_run done > after
cmp before after || fail "a finished run changed"
# So is one whose job is another now: that it is finished is no answer to that.
expect 78 'blocks.0.mlp.up is dense in .*, the job says svd' "$binary" "${base[@]}" run.dir=done run.sample_every=2 \
  'linear=[{match: "*.mlp.*", kind: svd, rank: 4}]'
expect 78 'model.heads 2 -> 4' "$binary" "${base[@]}" run.dir=done run.sample_every=2 model.heads=4
bytes_of_run done > after
cmp before after || fail "a finished run with another job changed"

# Files of the directory that somebody damaged.
damaged() {  # CODE PATTERN FILE CONTENT
  fresh
  printf '%s' "$4" > "run/$3"
  bytes_of_run run > before
  expect "$1" "$2" "$binary" "${base[@]}" run.dir=run
  bytes_of_run run > after
  cmp -s before after || fail "$3: refused, but the directory changed"
}
damaged 65 'manifest.json: .*remove it' manifest.json '{"run_id":'
damaged 65 'manifest.json: .*remove it' manifest.json '[]'
damaged 65 'manifest.json: .*remove it' manifest.json '{"run_id": 5}'
damaged 65 'config.yaml:.*put it back' config.yaml 'schema: 1
model: {layers: many}'
fresh && rm run/manifest.json
"$binary" "${base[@]}" run.dir=run 2>log || fail "without a manifest: $(cat log)"
fresh && rm run/config.yaml
expect 65 'config.yaml: missing.*allow_changes' "$binary" "${base[@]}" run.dir=run
"$binary" "${base[@]}" run.dir=run run.allow_changes=true 2>log || fail "allowed without config.yaml: $(cat log)"
for line in 12 '[]' null '"a"' '{"step":"x"}' '{"step":3'; do
  fresh && printf '%s\n' "$line" >> run/metrics.jsonl
  "$binary" "${base[@]}" run.dir=run 2>log || fail "a line $line in metrics.jsonl: $(cat log)"
  [ "$(grep -c . run/metrics.jsonl)" = "$(grep -c . whole/metrics.jsonl)" ] || fail "$line stays in metrics.jsonl"
done
fresh && cp -r run/checkpoints/step-4 step-4 && "$binary" "${base[@]}" run.dir=other 2>/dev/null
rm -r other/checkpoints/step-6 other/checkpoints/step-4 && mv step-4 other/checkpoints/
expect 65 'step-4: belongs to run tiny-' "$binary" "${base[@]}" run.dir=other
fresh && printf '\x7f' | dd of=run/data/train.bin bs=1 seek=1100 conv=notrunc 2>/dev/null
"$binary" "${base[@]}" run.dir=run 2>/dev/null
cmp run/checkpoints/step-6/model.safetensors done/checkpoints/step-6/model.safetensors ||
  fail "a damaged cache of ids was trained on"

# Samples are taken back with the metrics.
cp -r done run2 && rm -r run2/checkpoints/step-6
"$binary" "${base[@]}" run.dir=run2 run.sample_every=2 2>/dev/null
[ "$(grep -c -- '--- step' run2/samples.txt)" = 3 ] || fail "samples repeat: $(grep -- '--- step' run2/samples.txt)"

# Without a checkpoint the job is the run's, whatever was tried there before.
rm -rf run && printf 'title\tbody\n' > d.tsv
for i in $(seq 40); do printf 'entry %s\tzinc opal ruby jade zinc opal %s\n' "$i" "$i"; done >> d.tsv
for column in 0 1; do
  "$binary" "${base[@]}" run.dir=run data.train=d.tsv data.column=$column run.steps=2 2>log || fail "$(cat log)"
  rm -r run/checkpoints/*
done
"$binary" inspect run/data/train.bin --tokenizer run/tokenizer | grep -q 'begins *"zinc opal' || fail "stale ids"
for vocab in 270 290; do
  "$binary" "${base[@]}" run.dir=run tokenizer.kind=bpe tokenizer.vocab=$vocab run.steps=2 2>log || fail "$(cat log)"
  grep -q "\"vocab_size\": $vocab" run/checkpoints/step-2/config.json || fail "stale tokenizer: $vocab"
  rm -r run/checkpoints/*
done
[ "$count" -ge 30 ] || fail "only $count changes"
echo "$count passed, 0 failed"
