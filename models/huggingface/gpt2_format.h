// GPT-2's tensors as the public `transformers` library stores them: names and orientation.
//
// Both sides store linear weights as [in, out]. Differences: fused projections are q | k | v there
// and head by head here; an untied head is [out, in] there. A difference is a strided view, so one
// description serves reading and writing.
#pragma once

#include <string>

#include "core/base/view.h"
#include "models/transformer/gpt2.h"

namespace ty {

// "blocks.3.mlp.up.weight" -> "h.3.mlp.c_fc.weight"; without the "transformer." prefix that some
// files carry. "head.linear.weight" -> "lm_head.weight", which never carries it.
std::string gpt2_public_name(const std::string& ours);

// A file's tensor seen in our order of elements: a strided view with our parameter's element count
// (its shape may have more dimensions). `public_view` has the public shape.
View gpt2_as_ours(const std::string& ours, const View& public_view, const Gpt2Config& config);
// The inverse: our contiguous parameter seen in the public order.
View gpt2_as_public(const std::string& ours, const View& our_view, const Gpt2Config& config);
// The shape a parameter of ours has in a file.
Shape gpt2_public_shape(const std::string& ours, const Shape& shape);

}  // namespace ty
