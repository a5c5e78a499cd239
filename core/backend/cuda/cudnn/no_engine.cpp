// Of a module that is built without cuDNN's header.
#include "core/backend/cuda/cudnn/attention_engine.h"

namespace ty::cudnn {

std::unique_ptr<AttentionEngine> open_attention_engine(int, void*) { return nullptr; }

}  // namespace ty::cudnn
