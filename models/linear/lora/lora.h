// The lora kind: any other kind's weight W, and beside it the product of two thin matrices that is
// trained in its stead (Hu et al., arXiv 2106.09685):
//
//   y = x W + b + s (dropout(x) A) B      A [in, r], B [r, out] zero at the start
//
// or with the lengths of columns trained apart (dora.h), cut out of W at the start (start.h), or a
// tensor train in place of the two (tt_lora.h).
// s is alpha / r, or alpha / sqrt(r) (rank-stabilised: Kalajdzievski, arXiv 2312.03732). Parameters
// of W keep their names, so a model with adapters reads a directory without them.
#pragma once

#include <string>
#include <vector>

#include "models/linear/base/factors.h"

namespace ty {

// What a job file says of an adapter.
enum class LoraInit : std::uint8_t { zero, pissa };

struct LoraOptions {
  std::int64_t rank = 8;
  double alpha = 16;
  double dropout = 0;  // of what A reads
  bool rslora = false;
  bool dora = false;  // y = x (W + s A B) diag(m / |W + s A B|) + b with m [out], see dora.h
  LoraInit init = LoraInit::zero;
  std::int64_t cores =
      0;  // in place of A and B a tensor train of so many cores (tt_lora.h); 0: not
  // Of a fused layer (LinearShape::heads), what is adapted, each with A and B of its own; empty:
  // the whole layer as one matrix.
  std::vector<std::string> parts = {};

  double scale() const;  // s
  friend bool operator==(const LoraOptions&, const LoraOptions&) = default;
};
void fields(config::Fields& f, LoraOptions& options);
std::optional<SpecFault> fault_of(const LoraOptions& options);

struct LoraSpec {
  static constexpr std::string_view kKind = "lora";
  static constexpr bool kHasShards = true;

  LoraOptions options = {};
  LinearSpec of = {};  // W

  friend bool operator==(const LoraSpec&, const LoraSpec&) = default;
};

void fields(config::Fields& f, LoraSpec& spec);
std::optional<SpecFault> fault_of(const LoraSpec& spec);
LoraSpec resolved(const LoraSpec& spec, const LinearShape& shape);
std::string describe(const LoraSpec& spec);
std::int64_t num_weights(const LoraSpec& spec, const LinearShape& shape);
bool is_one_matrix(const LoraSpec& spec);
double forward_flops(const LoraSpec& spec, const LinearShape& shape, std::int64_t tokens);
Execution execution_of(const LoraSpec& spec, const LinearShape& shape, std::int64_t tokens);
// The adapter is split as svd layers are, and W is held as is best for it; with dora only beside a
// dense W and by columns, as the lengths of whole ones count.
std::string obstacle_to(const LoraSpec& spec, const LinearShape& shape, Split split, int ranks);
// Parameters of W, and lora.a [in, P r] and lora.b [r, P out / 3] for P parts (P r = r and all of
// out without parts); with dora lora.magnitude [P out / 3].
std::unique_ptr<Linear> make_linear(const Scope& scope, const LinearShape& shape,
                                    const LoraSpec& spec, Split split, const Sharing& sharing);

}  // namespace ty
