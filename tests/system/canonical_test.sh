#!/usr/bin/env bash
# parallel.reduction: canonical gives the same bits on 1, 2 and 4 ranks of 1, 2 and 4 threads, along data, tensor
# and pipeline, whatever linear layers are made of, in fp32 and bf16, with sharded optimizer state and recomputation.
. "$(dirname "$0")/common.sh"
cd "$work"
rules='linear=[{match: "*.attn.*", kind: svd, rank: 12}, {match: "blocks.0.mlp.*", kind: ttm, rank: 20},
  {match: "blocks.1.mlp.up", kind: ttm, rank: 3, cores: 3}]'
canonical=(job.yaml run.steps=3 schedule.warmup=1 model.width=64 model.heads=4 data.batch=8
  parallel.reduction=canonical "$rules")
count=0
# same RANKS THREADS PRECISION OVERRIDE...: fails unless the bits are those of one rank with one thread.
same() {
  count=$((count + 1))
  local n=$1 threads=$2 precision=$3 run=$count
  shift 3
  OMP_NUM_THREADS=$threads mpi "$n" train "${canonical[@]}" run.dir="$run" precision.compute="$precision" \
    parallel.zero=$((count % 2)) parallel.recompute="$([ $((count % 3)) = 0 ] && echo block || echo none)" "$@" 2>log ||
    fail "$n ranks x $threads threads, $precision $*: $(tail -n 3 log)"
  [ -e "$precision" ] || ln -s "$run" "$precision"
  diff <(losses "$precision") <(losses "$run") || fail "losses of $n ranks x $threads threads, $precision $*"
  # Stages write a file each; losses are theirs too.
  [ -e "$run/checkpoints/step-3/model.safetensors.index.json" ] ||
    cmp "$precision/checkpoints/step-3/model.safetensors" "$run/checkpoints/step-3/model.safetensors" ||
    fail "weights of $n ranks x $threads threads, $precision $*"
}
for precision in fp32 bf16; do
  for n in 1 2 4; do
    for threads in 1 2 4; do same "$n" "$threads" $precision; done
  done
done
same 2 1 fp32 parallel.tensor=2
same 4 1 fp32 parallel.tensor=4
same 4 2 bf16 parallel.tensor=2
same 4 1 fp32 parallel.tensor=2 parallel.pipeline=2
echo "$count passed, 0 failed"
