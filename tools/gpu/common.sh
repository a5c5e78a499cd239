# Sourced by the stages beside it, which are called as stage-N BUILD OUT: small jobs on the card, or on
# what DEVICE names, and how their numbers compare. Leaves the caller in a folder that goes at the end.
set -euo pipefail
build=$(cd "$1" && pwd)
out=$(cd "$2" && pwd)
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
device=${DEVICE:-cuda}
binary=$build/trainyard
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
fail() { echo "FAILED: $*" >&2; exit 1; }

# Numbers in words: text with structure that needs no corpus.
awk 'BEGIN { split("zero one two three four five six seven eight nine", w, " ");
  for (i = 0; i < 4000; i++) print w[i % 10 + 1], "and", w[int(i / 10) % 10 + 1], "make", i % 97 ";" }' >text.txt
cat >job.yaml <<'YAML'
schema: 1
run: {name: small, seed: 3, steps: 20}
model: {family: gpt2, layers: 2, width: 64, heads: 2, context: 64, dropout: 0.1}
tokenizer: {kind: bpe, vocab: 300}
data: {train: text.txt, valid: text.txt, sequence: 64, batch: 16}
optim: {name: adamw, lr: 3e-3, weight_decay: 0.1, clip: 1.0}
schedule: {name: cosine, warmup: 5}
checkpoint: {every: 10}
log: {every: 1}
YAML
ttm='linear=[{match: "blocks.*.mlp.*", kind: ttm, rank: 8}]'
svd='linear=[{match: "blocks.*.mlp.*", kind: svd, rank: 16}]'

run() {  # NAME KEY=VALUE...: a run of the small job in the folder NAME
  local name=$1
  shift
  "$binary" train job.yaml run.device="$device" run.dir="$name" "$@" >"$name.log" 2>&1 || fail "$name: $(tail -n 3 "$name.log")"
}
ranks() {  # N NAME KEY=VALUE...: the same on N ranks
  local n=$1 name=$2
  shift 2
  mpirun -n "$n" --oversubscribe --bind-to none --mca mpi_yield_when_idle 1 "$binary" train job.yaml run.device="$device" \
    run.dir="$name" "$@" >"$name.log" 2>&1 || fail "$name: $(tail -n 3 "$name.log")"
}
losses() { sed -n 's/.*"loss":\([^,]*\),.*"step":\([0-9]*\),.*/\2 \1/p' "$1/metrics.jsonl"; }
weights() { sha256sum "$1/checkpoints/step-20/model.safetensors" | cut -d' ' -f1; }

# What a bench says, on one line, with what it was asked for in front.
labelled() {  # 'JSON MEMBERS' COMMAND...
  local labels=$1
  shift
  "$@" --json | sed "s|^{|{$labels, |"
}

same_bits() {  # A B
  [ -n "$(losses "$1")" ] && [ -n "$(weights "$1")" ] || fail "$1 has no losses or no weights"
  [ "$(losses "$1")" = "$(losses "$2")" ] || fail "losses of $2 are not those of $1"
  [ "$(weights "$1")" = "$(weights "$2")" ] || fail "weights of $2 are not those of $1"
  echo "$2: the bits of $1"
}
near() {  # A B LIMIT: losses of all steps, relative
  [ "$(losses "$1" | wc -l)" = "$(losses "$2" | wc -l)" ] || fail "$2 has other steps than $1"
  paste -d' ' <(losses "$1") <(losses "$2") | awk -v limit="$3" -v names="$2 from $1" '
    { d = ($4 - $2) / $2; if (d < 0) d = -d; if (d > most) most = d }
    END { printf "%s: %.2g, at most %g\n", names, most, limit; exit !(NR > 0 && most <= limit) }' || fail "$2 is too far from $1"
}
