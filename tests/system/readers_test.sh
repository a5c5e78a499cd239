#!/usr/bin/env bash
# Verbs that read are as strict as training: damaged checkpoints, ids of another tokenizer or beyond the
# vocabulary, numbers that are none.
. "$(dirname "$0")/common.sh"
export OMP_NUM_THREADS=1
cd "$work"
"$binary" train job.yaml run.dir=run run.steps=6 checkpoint.every=2 schedule.warmup=2 2>log || fail "$(cat log)"

# A damaged newest checkpoint: what is used instead is said; --strict ends the matter.
cp -r run hurt
printf 'X' | dd of=hurt/checkpoints/step-6/model.safetensors bs=1 seek=5000 conv=notrunc 2>/dev/null
for verb in "eval hurt text.txt" "generate hurt zero --tokens 2" "export hurt made" \
  "compress hurt made --method svd --rank 2 --dry-run"; do
  rm -rf made
  # shellcheck disable=SC2086
  expect 0 'warning: hurt: step 4 is used, newer checkpoints are damaged (step 6: .*model.safetensors' "$binary" $verb
  rm -rf made
  # shellcheck disable=SC2086
  expect 65 'step 4 is used, newer checkpoints are damaged' "$binary" $verb --strict
  [ ! -e made ] || fail "$verb --strict wrote"
done
# A checkpoint that is named is read as a whole, whatever its directory is called now.
expect 65 'hurt/checkpoints/step-6: file step-6/model.safetensors: hash' "$binary" eval hurt/checkpoints/step-6 text.txt
mv hurt/checkpoints/step-6 best
expect 65 'best: file best/model.safetensors: hash' "$binary" generate best zero --tokens 2
expect 65 'best: file' "$binary" train job.yaml model.from=best run.dir=tuned
[ ! -e tuned ] || fail "a refused job made its run directory"

# Ids of another tokenizer.
sed 's/and/or/' text.txt > other.txt
sed '/^tokenizer/d' job.yaml > bare.yaml
for name in text other; do
  "$binary" data train-tokenizer $name.txt tok_$name --kind bpe --vocab 280 >/dev/null 2>&1
  "$binary" data tokenize text.txt $name.bin --tokenizer tok_$name >/dev/null 2>&1
done
"$binary" train bare.yaml run.dir=ids data.train=text.bin data.valid=text.bin tokenizer.from=tok_text run.steps=2 \
  schedule.warmup=1 2>log || fail "$(cat log)"
says 'loss' "$binary" eval ids text.bin
expect 65 'other.bin: was made with tokenizer' "$binary" eval ids other.bin
for key in train valid; do
  expect 65 'other.bin: was made with tokenizer' "$binary" train bare.yaml run.dir=ids2 tokenizer.from=tok_text \
    data.train=text.bin data.valid=text.bin data.$key=other.bin
done
# A model's weights mean the ids of its own tokenizer.
expect 78 'tokenizer: fingerprint .*but that of model.from' "$binary" train bare.yaml model.from=ids/checkpoints/step-2 \
  tokenizer.from=tok_other run.dir=ids2
[ ! -e ids2 ] || fail "a refused job made its run directory"
"$binary" train bare.yaml model.from=ids/checkpoints/step-2 run.dir=ids3 run.steps=1 schedule.warmup=1 2>log ||
  fail "the model's own tokenizer: $(cat log)"
cmp ids3/tokenizer/tokenizer.json tok_text/tokenizer.json || fail "not the model's tokenizer"

# Ids beyond the vocabulary, before the first step.
awk 'BEGIN { for (i = 0; i < 400; i++) printf "%d", i * i % 10 }' > digits.txt
"$binary" data tokenize digits.txt small.bin --kind chars --save-tokenizer tok_digits >/dev/null 2>&1
for key in train valid; do
  expect 65 'text.bin: token .* at position .* is not below the vocabulary 50' "$binary" train bare.yaml model.vocab=50 \
    data.train=small.bin data.valid=small.bin data.$key=text.bin run.dir=ids4
done

# Nothing to predict.
printf A > one.txt
expect 65 'one.txt: 1 token has nothing to predict' "$binary" eval run one.txt
expect 65 'nothing to predict' "$binary" train job.yaml data.valid=one.txt run.dir=ids4
expect 65 'data.sequence: 16 wants at least 17' "$binary" train job.yaml data.train=one.txt run.dir=ids4
[ ! -e ids4 ] || fail "a refused job made its run directory"

# A file of ids that is cut short in mid-run.
"$binary" train job.yaml run.dir=cut run.steps=100000 2>log &
job=$!
for i in $(seq 1 400); do grep -q "step .*5/100000" log && break; sleep 0.05; done
truncate -s 1100 cut/data/train.bin
code=0; wait "$job" || code=$?
[ "$code" = 65 ] && grep -q 'train.bin: was cut short to 1100 bytes' log || fail "cut short: $code, $(tail -n 1 log)"

# Steps that leave numbers that are none are not saved.
for lr in 1e38 1e39; do
  expect 76 'weight .* is not finite' "$binary" train job.yaml run.dir=far optim.lr=$lr optim.clip=0 \
    schedule.name=constant schedule.warmup=0 run.steps=2
  [ -z "$(ls far/checkpoints)" ] || fail "a checkpoint that is not finite: $(ls far/checkpoints)"
done
"$binary" train job.yaml run.dir=far run.steps=6 2>log || fail "after numbers that were none: $(cat log)"

# Nor are they read, by any verb: the last number of a file and its tensor.
mkdir nan && cp run/checkpoints/step-6/{model.safetensors,config.json,tokenizer*.json} nan/
size=$(stat -c %s nan/model.safetensors)
printf '\x00\x00\xc0\x7f' | dd of=nan/model.safetensors bs=1 seek=$((size - 4)) conv=notrunc 2>/dev/null
for verb in "eval nan text.txt" "eval nan --tokens 1,2,3" "generate nan zero --tokens 2" "export nan made" \
  "export nan made --dense" "import nan made" "compress nan made --method svd --rank 2" "inspect nan" "inspect nan --json"; do
  # shellcheck disable=SC2086
  expect 76 'nan/model.safetensors: transformer.*: holds numbers that are not finite' "$binary" $verb
  [ ! -e made ] || fail "$verb wrote"
done
grep -q '"valid":false' out || fail "inspect --json: $(cat out)"

# Logs that cannot be written: the job goes on to its end, and does not end with 0.
"$binary" train job.yaml run.dir=mute run.steps=1000 2>log &
job=$!
for i in $(seq 1 400); do grep -q "step .*5/1000" log && break; sleep 0.05; done
ln -s nowhere/metrics.jsonl link && mv -T link mute/metrics.jsonl
code=0; wait "$job" || code=$?
[ "$code" = 74 ] || fail "a log that cannot be written: $code, $(tail -n 1 log)"
[ "$(grep -c 'warning: a line of the logs is lost: .*metrics.jsonl' log)" = 1 ] || fail "no warning: $(cat log)"
grep -q 'all steps are done and saved, but lines of the logs are missing' log || fail "no last word: $(tail -n 1 log)"
[ -e mute/checkpoints/step-1000 ] || fail "a log that cannot be written lost a checkpoint"
echo "1 passed, 0 failed"
