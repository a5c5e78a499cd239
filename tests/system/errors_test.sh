#!/usr/bin/env bash
# Exit codes and one-line errors of the contract, before anything is created.
. "$(dirname "$0")/common.sh"

expect 64 'unknown verb "trian".*did you mean "train"' "$binary" trian
expect 64 'job file is missing' "$binary" train
expect 64 'wants a run directory' "$binary" eval "$work" "$work/text.txt"
printf 'schema: 1\nrun: {stpes: 3}\noptim: {lr: fast}\n' > "$work/bad.yaml"
expect 78 'bad.yaml:2:7: run.stpes' "$binary" train "$work/bad.yaml"
grep -q 'bad.yaml:3:13: optim.lr' "$work/err" || fail "the second error is missing: $(cat "$work/err")"
grep -q 'did you mean "steps"' "$work/err" || fail "no suggestion"
expect 78 'data.batch' "$binary" train "$work/job.yaml" parallel.microbatches=13 run.dir="$work/none"
[ ! -e "$work/none" ] || fail "a bad job created its run directory"
expect 74 'nowhere.txt' "$binary" train "$work/job.yaml" data.train="$work/nowhere.txt" run.dir="$work/a"
head -c 2000 "$work/text.txt" > "$work/short.bin"
expect 65 'short.bin: magic number' "$binary" train "$work/job.yaml" data.train="$work/short.bin" run.dir="$work/b"
expect 78 'matches no linear layer' "$binary" plan "$work/job.yaml" 'linear=[{match: "blocks.*.mpl", kind: dense}]'
"$binary" plan "$work/job.yaml" --json | grep -q '"parameters":' || fail "plan --json"
"$binary" --help | grep -q train || fail "--help"
echo "1 passed, 0 failed"
