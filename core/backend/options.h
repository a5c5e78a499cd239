// Options of kernels.
#pragma once

#include <cstdint>

#include "core/base/random.h"
#include "core/base/view.h"

namespace ty {

// Pointwise functions. gelu_tanh is 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))), gelu_erf is
// x Phi(x), silu x sigmoid(x) and quick_gelu x sigmoid(1.702 x) (Hendrycks and Gimpel, arXiv
// 1606.08415).
enum class UnaryOp : std::uint8_t { relu, gelu_tanh, gelu_erf, silu, quick_gelu, tanh };
enum class BinaryOp : std::uint8_t { add, sub, mul, div };

struct GemmScale {
  double alpha = 1.0;
  double beta = 0.0;
};

// A tensor seen as a matrix: the first `row_dims` dimensions of the view together count its rows,
// the others its columns, both row-major (Kolda and Bader, SIAM Review 51(3), 2009). The strides
// are arbitrary.
struct Unfolding {
  View view;
  int row_dims;

  std::int64_t rows() const { return size(0, row_dims); }
  std::int64_t columns() const { return size(row_dims, view.rank()); }

 private:
  std::int64_t size(int first, int end) const {
    std::int64_t product = 1;
    for (int d = first; d < end; ++d) product *= view.shape[d];
    return product;
  }
};

// Zeroes elements with probability p and scales the rest by 1 / (1 - p).
//
// Dimension 0 of the operand counts rows of C elements. Row r is row (first_row + r) %
// rows_per_sample of sample (first_row + r) / rows_per_sample, and word i * C + c of that sample in
// the stream decides about element c of its row i. So [B, T, C] by samples and [B * T, C] by T rows
// per sample draw the same numbers, and a part of either draws what the whole would: of rows, or of
// elements [first_element, ..) of rows that have whole_width of them.
struct DropoutMask {
  double p = 0.0;
  RandomStream stream = {};
  std::int64_t first_row = 0, rows_per_sample = 1;
  std::int64_t first_element = 0, whole_width = 0;  // 0: the operand's rows are whole

  // Where the words of a row of `width` elements begin.
  struct Words {
    std::uint64_t sample, first;
  };
  Words words_of(std::int64_t row, std::int64_t width) const {
    const std::int64_t at = first_row + row;
    const std::int64_t whole = whole_width > 0 ? whole_width : width;
    return {static_cast<std::uint64_t>(at / rows_per_sample),
            static_cast<std::uint64_t>(at % rows_per_sample * whole + first_element)};
  }
};

// The part of a vocabulary that an operand has rows (or columns) for: ids [first, first + its own
// size) of [0, whole).
struct VocabularySlice {
  std::int64_t first = 0;
  std::int64_t whole = 0;  // 0: the operand holds all of it

  // The size of the whole vocabulary, for an operand of so many rows.
  std::int64_t ids(std::int64_t size) const { return whole > 0 ? whole : size; }
};

// What a row's cross-entropy is besides -log softmax(logits)[target]. With e = label_smoothing and
// lse the logarithm of the softmax's denominator, a row whose target t counts has the loss
//
//   (1 - e) (lse - logits[t]) + e (lse - mean of the whole vocabulary's logits) + z_loss lse^2
//
// (Szegedy et al., arXiv 1512.00567; Chowdhery et al., arXiv 2204.02311).
struct CrossEntropyTerms {
  double label_smoothing = 0.0;  // in [0, 1)
  double z_loss = 0.0;           // at least 0
};

struct AttentionOptions {
  double scale = 1.0;        // of the scores, before softmax
  bool causal = false;       // query i sees keys up to i + (Tk - Tq)
  View lengths = {};         // int32 [B]: batch entry b has so many keys; no data: all of them
  DropoutMask dropout = {};  // of the probabilities: word ((first_head + h) * Tq + i) * Tk + j of
                             // batch entry b, which is row b of the mask and a whole sample
  std::int64_t first_head = 0;
};

struct AdamW {
  double lr = 0, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0;
  std::int64_t step = 1;        // counts from 1, for bias correction
  double gradient_scale = 1.0;  // multiplies the gradient first (clipping)
};

struct Sgd {
  double lr = 0, momentum = 0, weight_decay = 0;
  double gradient_scale = 1.0;
  bool is_clipped = true;  // false: a device's factor (DeviceQueue::scale_updates) only forbids
};

}  // namespace ty
