#!/usr/bin/env bash
# Texts and tokenizers through the binary: what is read and refused, and text from a model whose
# vocabulary is larger than its tokenizer's.
. "$(dirname "$0")/common.sh"
export OMP_NUM_THREADS=1
cd "$work"
tokenize() { "$binary" data tokenize "$@"; }
ids() { od -A n -v -t u2 -j 1024 "$1" | tr -s ' \n' ' ' | sed 's/^ //; s/ $//'; }
are_ids() { [ "$(ids "$1")" = "$2" ] || fail "$1: ids $(ids "$1"), wanted $2"; }

# What is no text is refused with what would do; nothing is written.
gzip -kc text.txt > text.txt.gz
echo '[{"text":"alpha"}]' > a.json
printf 'a\0b' > zero.txt
expect 65 'text.txt.gz: is gzip, not a text; unpack it first' tokenize text.txt.gz x.bin --kind bytes
expect 65 'a.json: a JSON document is no text; want an object per line' tokenize a.json x.bin --kind bytes
expect 65 'zero.txt: byte 1 is zero' tokenize zero.txt x.bin --kind bytes
expect 65 'text.txt.gz: is gzip' "$binary" train job.yaml data.train=text.txt.gz run.dir=gz
[ ! -e x.bin ] && [ ! -e gz ] || fail "something was written"
printf '\xff\xfea\0\xe9\0' > wide.txt
says '3 tokens' tokenize wide.txt wide.bin --kind bytes
are_ids wide.bin '97 195 169'
printf '{"text":"ab","score":NaN}\n' > A.JSONL
says '2 tokens' tokenize A.JSONL lines.bin --kind bytes

# The header of a table.
printf 'first\nsecond\n' > rows.tsv
expect 0 'rows.tsv: the first line, "first", is read as text; data.header (--header) true changes that' \
  tokenize rows.tsv rows.bin --kind bytes
[ "$(grep -c 'first line' err)" = 1 ] || fail "said more than once: $(cat err)"
says '2 documents' tokenize rows.tsv rows.bin --kind bytes
says '1 document ' tokenize rows.tsv rows.bin --kind bytes --header true
expect 64 'header: got maybe; want one of true, false, auto' tokenize rows.tsv rows.bin --kind bytes --header maybe
for i in $(seq 40); do echo "row $i of a table without a header"; done > table.tsv
"$binary" train job.yaml run.dir=table data.train=table.tsv data.valid= tokenizer.kind=bytes run.steps=1 schedule.warmup=0 \
  data.header=false 2>log || fail "train: $(cat log)"
says '"row 1 of a table' "$binary" inspect table/data/train.bin

# Added tokens are ids of their own, in every form that a tokenizer has.
"$binary" data train-tokenizer text.txt bpe --kind bpe --vocab 280 2>log
sed 's/^ "added_tokens": \[/&{"content":"two words","id":279,"lstrip":false,"normalized":false,"rstrip":false,"single_word":false,"special":false},/; s/"id": 279/"id": 280/' \
  bpe/tokenizer.json > added.json
mkdir added && mv added.json added/tokenizer.json
printf 'atwo wordsb<|endoftext|>' > added.txt
tokenize added.txt added.bin --tokenizer added >log || fail "$(cat log)"
are_ids added.bin '64 279 65 280'
says 'begins *"atwo wordsb<|endoftext|>"' "$binary" inspect added.bin --tokenizer added
sed 's/"id": 279/"id": 100000000/' bpe/tokenizer.json > added/tokenizer.json
expect 65 'added/tokenizer.json: added_tokens\[0\].id: 100000000; want 279' "$binary" inspect added
sed 's/"normalizer": null/"normalizer": {"type": "NFC"}/' bpe/tokenizer.json > added/tokenizer.json
expect 65 'added/tokenizer.json: normalizer: {"type":"NFC"} is not supported; want null' "$binary" inspect added
ln -sf tokenizer.json added/tokenizer.json
expect 74 'added/tokenizer.json' tokenize text.txt x.bin --tokenizer added
expect 0 'rows.tsv: the first line, "first", is read as text' "$binary" eval table rows.tsv
printf 'abz' > z.txt
printf 'ab' > ab.txt
"$binary" data train-tokenizer ab.txt chars --kind chars 2>log
expect 65 'z.txt: tokenizer: character U+007A at byte 2' tokenize z.txt x.bin --tokenizer chars

# Ids without a text are never drawn, so that no sample ends a run.
"$binary" train job.yaml run.dir=padded model.vocab=512 run.sample_every=1 run.steps=6 2>log || fail "train: $(cat log)"
[ "$(grep -c '^--- step' padded/samples.txt)" = 6 ] || fail "samples: $(cat padded/samples.txt)"
json 'text tokens' "$binary" generate padded 'one and' --tokens 40 --temperature 5 --top-k 0
grep -q '"tokens":40' out || fail "generate: $(cat out)"
json 'text tokens' "$binary" generate padded --tokens 5
json 'text tokens' "$binary" generate padded $'\xff\xfe' --tokens 5
"$binary" generate padded $'\xff\xfe' --tokens 5 >bytes
head -c 2 bytes | od -A n -t x1 | grep -q 'ff fe' || fail "the prompt's bytes changed"
echo "1 passed, 0 failed"
