// Perplexity of a language model on a text.
#pragma once

#include <cstdint>

namespace ty {

// exp(total_nll / count): `total_nll` is the negative log-likelihood of the whole text in nats.
// With the number of predicted tokens, this is perplexity per token; with the number of words of
// the text, perplexity per word, which does not depend on the tokenizer. Throws InternalError
// unless count > 0.
double perplexity(double total_nll, std::int64_t count);

}  // namespace ty
