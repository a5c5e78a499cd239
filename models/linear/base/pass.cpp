#include "models/linear/base/pass.h"

#include "core/ops/shape.h"

namespace ty {

std::string path_in_block(std::string_view path) {
  for (std::size_t dot = path.find('.'); dot != path.npos; dot = path.find('.', dot + 1)) {
    const std::size_t end = path.find('.', dot + 1);
    if (end == path.npos) break;
    const std::string_view number = path.substr(dot + 1, end - dot - 1);
    if (number.find_first_not_of("0123456789") == number.npos) {
      return std::string(path.substr(end + 1));
    }
  }
  return "";
}

DropoutMask mask_of_samples(double p, std::uint64_t site, const LinearPass& pass) {
  return {pass.training ? p : 0.0,
          RandomStream(pass.seed, site, static_cast<std::uint64_t>(pass.step)), pass.first_sample};
}

Tensor drop(const Tensor& x, double p, std::uint64_t site, const LinearPass& pass, Share columns) {
  DropoutMask mask = mask_of_samples(p, site, pass);
  const std::int64_t rows = x.numel() / x.dim(-1);
  if (pass.rows.ranks > 1) {  // x [R, C]
    mask.rows_per_sample = pass.rows.ranks * rows / pass.sequences;
    mask.first_row = mask.first_row * mask.rows_per_sample + pass.rows.rank * rows;
  }
  if (columns.ranks == 1) return dropout(x, mask);
  mask.rows_per_sample = rows / pass.sequences;
  mask.first_row *= mask.rows_per_sample;
  mask.first_element = columns.rank * x.dim(-1);
  mask.whole_width = columns.ranks * x.dim(-1);
  return reshape(dropout(reshape(x, {-1, x.dim(-1)}), mask), x.shape());
}

}  // namespace ty
