// The graphs of attention and of its gradients (Dao et al., arXiv 2205.14135; Dao, arXiv
// 2307.08691), in the composition of operations that cuDNN fuses into one kernel each.
#pragma once

#include "core/backend/cuda/cudnn/attention_operands.h"
#include "core/backend/cuda/cudnn/attention_problem.h"
#include "core/backend/cuda/cudnn/graph.h"

namespace ty::cudnn {

// y and lse of q, k and v.
Graph attention_graph(const AttentionProblem& problem);
// dq, dk and dv of dy and of what the forward pass has read and written. row_sum and, if fast,
// query_sum are the caller's, the second zeroed before each run.
Graph attention_grad_graph(const AttentionProblem& problem);

}  // namespace ty::cudnn
