// Models that judge texts which another model wrote. Each is a model directory or a run with a
// tokenizer; a judge reads as much of a text as its context has room for.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/io/file.h"
#include "core/nn/flat_parameters.h"

namespace ty {

// 1 for each text to which a classifier gives this label rather than any other, else 0. Throws
// UsageError that lists the labels if it has no such one, or that says what the model is if it is
// no classifier of texts.
std::vector<double> judged_as(std::string_view label, const Path& classifier,
                              std::span<const std::string> texts, DType dtype);

// Cosine of the angle between the vectors of texts a[i] and b[i], 0 where one has none. A text's
// vector is the mean over its tokens of what the encoder's last block returns, as sentence encoders
// have it (Reimers and Gurevych, arXiv 1908.10084). Equally many of both (InternalError). Throws
// UsageError for models that do not read one text.
std::vector<double> similarities(const Path& encoder, std::span<const std::string> a,
                                 std::span<const std::string> b, DType dtype);

}  // namespace ty
