// The attention engine's part, played by whoever a test names.
#pragma once

#include <functional>

#include "core/backend/cuda/cudnn/attention_engine.h"

namespace ty::cuda::emulated {

// What backends that are made from now on have; empty: none, as where cuDNN is not installed.
void set_attention_engine(std::function<std::unique_ptr<cudnn::AttentionEngine>()> make);

}  // namespace ty::cuda::emulated
