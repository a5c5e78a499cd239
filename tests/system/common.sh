# Sourced by the tests beside it: a temporary directory, a tiny job, and assertions.
set -euo pipefail
binary=$1
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export GOMP_SPINCOUNT=1000  # more threads than cores must not wait for each other in loops
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "FAILED: $*" >&2; exit 1; }

# Text with structure but no corpus: numbers spelled in words.
awk 'BEGIN { split("zero one two three four five six seven eight nine", w, " ");
  for (i = 0; i < 4000; i++) print w[i % 10 + 1], "and", w[int(i / 10) % 10 + 1], "make", i % 97 ";" }' \
  > "$work/text.txt"
cat > "$work/job.yaml" <<YAML
schema: 1
run: {name: tiny, dir: run, seed: 3, steps: 30, device: cpu}
model: {family: gpt2, layers: 2, width: 32, heads: 2, context: 32, dropout: 0.1}
tokenizer: {kind: bpe, vocab: 300}
data: {train: text.txt, valid: text.txt, sequence: 16, batch: 12}
optim: {name: adamw, lr: 1e-2, weight_decay: 0.1, clip: 1.0}
schedule: {name: cosine, warmup: 5, min_lr: 1e-3}
checkpoint: {every: 5, keep: 3}
log: {every: 1}
YAML
mpi() { local n=$1; shift; mpirun -n "$n" --oversubscribe --bind-to none --mca mpi_yield_when_idle 1 "$binary" "$@"; }
losses() { sed -n 's/.*"loss":\([^,]*\),.*"step":\([0-9]*\),.*/\2 \1/p' "$1/metrics.jsonl"; }
weights() { sha256sum "$1/checkpoints/step-30/model.safetensors" | cut -d' ' -f1; }

# A command must end with CODE and say PATTERN on stderr; its output is left in $work/out and err.
expect() {  # CODE PATTERN COMMAND...
  local code=$1 pattern=$2 got=0
  shift 2
  "$@" >"$work/out" 2>"$work/err" || got=$?
  [ "$got" = "$code" ] || fail "$*: exit code $got, wanted $code: $(cat "$work/err")"
  grep -q -- "$pattern" "$work/err" || fail "$*: no \"$pattern\" in: $(cat "$work/err")"
}

says() {  # PATTERN COMMAND...: succeeds with the pattern on stdout
  local pattern=$1
  shift
  "$@" >out 2>err || fail "$*: $(cat err)"
  grep -q -- "$pattern" out || fail "$*: no \"$pattern\" in: $(cat out)"
}
is_json() {  # FILE KEY...: one object on one line, with these keys
  local file=$1
  shift
  [ "$(wc -l < "$file")" = 1 ] && grep -q '^{.*}$' "$file" || fail "not one object: $(cat "$file")"
  if command -v python3 >/dev/null; then
    python3 -m json.tool "$file" >/dev/null || fail "not JSON: $(cat "$file")"
  fi
  for key in "$@"; do grep -q "\"$key\":" "$file" || fail "no key $key in: $(cat "$file")"; done
}
json() {  # "KEY ..." COMMAND...: the command with --json succeeds and prints these keys and nothing else
  local keys=$1
  shift
  "$@" --json >out 2>err || fail "$* --json: $(cat err)"
  # shellcheck disable=SC2086
  is_json out $keys
}
