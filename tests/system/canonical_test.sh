#!/usr/bin/env bash
# parallel.reduction: canonical gives the same bits on 1, 2 and 4 ranks of 1, 2 and 4 threads, whatever linear
# layers are made of, in fp32 and bf16, with sharded optimizer state and recomputation.
. "$(dirname "$0")/common.sh"
cd "$work"
rules='linear=[{match: "*.attn.*", kind: svd, rank: 12}, {match: "blocks.0.mlp.*", kind: ttm, rank: 20},
  {match: "blocks.1.mlp.up", kind: ttm, rank: 3, cores: 3}]'
canonical=(job.yaml run.steps=6 schedule.warmup=2 model.width=64 data.batch=8 parallel.reduction=canonical "$rules")
for precision in fp32 bf16; do
  count=0
  for n in 1 2 4; do
    for threads in 1 2 4; do
      count=$((count + 1))
      run=$precision-$n-$threads
      OMP_NUM_THREADS=$threads mpi "$n" train "${canonical[@]}" run.dir="$run" precision.compute=$precision \
        parallel.zero=$((count % 2)) parallel.recompute="$([ $((count % 3)) = 0 ] && echo block || echo none)" 2>log ||
        fail "$run: $(tail -n 3 log)"
      diff <(losses "$precision-1-1") <(losses "$run") || fail "losses of $n ranks x $threads threads, $precision"
      cmp "$precision-1-1/checkpoints/step-6/model.safetensors" "$run/checkpoints/step-6/model.safetensors" ||
        fail "weights of $n ranks x $threads threads, $precision"
    done
  done
done
echo "18 passed, 0 failed"
