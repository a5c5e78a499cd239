#include <array>
#include <cmath>

#include "core/base/error.h"
#include "models/compress/asvd.h"
#include "models/compress/btt.h"
#include "models/compress/cp.h"
#include "models/compress/first_order.h"
#include "models/compress/fwsvd.h"
#include "models/compress/fwttm.h"
#include "models/compress/kronecker.h"
#include "models/compress/lpaf_mixed.h"
#include "models/compress/method.h"
#include "models/compress/row_trains.h"
#include "models/compress/svd.h"
#include "models/compress/tfwsvd.h"
#include "models/compress/ttm.h"
#include "models/compress/tucker.h"
#include "models/compress/whitened.h"

namespace ty {

namespace {

// A method of the svd kind that weighs by L and R.
template <Weigh weigh>
constexpr Method weighted_svd(std::string_view name, std::string_view help, StatisticKinds needs) {
  return {.name = name,
          .kind = "svd",
          .help = help,
          .needs = needs,
          .check = check_svd,
          .decompose = decompose_by<weigh>,
          .spectrum = spectrum_by<weigh>};
}

constexpr std::array kMethods = {
    Method{.name = "svd",
           .kind = "svd",
           .help = "W = A B, nearest to W",
           .fits_tables = true,
           .check = check_svd,
           .decompose = decompose_svd,
           .spectrum = spectrum_by<weigh_evenly>,
           .reduce = reduce_svd},
    Method{.name = "ttm",
           .kind = "ttm",
           .help = "a tensor train matrix by TT-SVD",
           .takes_modes = true,
           .takes_cores = true,
           .fits_tables = true,
           .check = check_ttm,
           .decompose = decompose_ttm,
           .reduce = reduce_ttm},
    weighted_svd<weigh_by_fisher>("fwsvd", "SVD that weighs rows by Fisher information",
                                  {.fisher = true}),
    Method{.name = "tfwsvd",
           .kind = "svd",
           .help = "fwsvd, then least squares that weigh every entry",
           .needs = {.fisher = true},
           .check = check_svd,
           .decompose = decompose_tfwsvd,
           .spectrum = spectrum_by<weigh_by_fisher>},
    Method{.name = "tfwsvd_gradient",
           .kind = "svd",
           .help = "the same by gradient descent, for large ranks",
           .needs = {.fisher = true},
           .check = check_svd,
           .decompose = decompose_tfwsvd_gradient,
           .spectrum = spectrum_by<weigh_by_fisher>},
    Method{.name = "fwttm",
           .kind = "ttm",
           .help = "TT-SVD that weighs entries by Fisher information",
           .needs = {.fisher = true},
           .takes_modes = true,
           .takes_cores = true,
           .check = check_fwttm,
           .decompose = decompose_fwttm},
    Method{.name = "scaled_fwttm",
           .kind = "scaled",
           .help = "TT-SVD of the weight with rows by Fisher information, for inputs divided by it",
           .needs = {.fisher = true},
           .takes_modes = true,
           .takes_cores = true,
           .check = check_scaled_fwttm,
           .decompose = decompose_scaled_fwttm},
    weighted_svd<weigh_by_gram>("whitened", "SVD nearest to what the layer returns",
                                {.gram = true}),
    weighted_svd<weigh_by_inputs>("asvd", "SVD that weighs rows by the size of inputs",
                                  {.inputs = true}),
    weighted_svd<weigh_by_lora>("lora_svd", "SVD that weighs rows by what an adapter says of them",
                                {.lora = true}),
    Method{
        .name = "first_order",
        .kind = "pruned",
        .help = "nothing yet: the training that follows prunes W to --keep by first-order scores",
        .takes_steps = true,
        .check = check_first_order,
        .decompose = decompose_first_order},
    Method{.name = "lpaf",
           .kind = "svd",
           .help = "SVD of a pruned W that weighs rows by its scores",
           .of_pruned = true,
           .check = check_svd,
           .decompose = decompose_by<weigh_by_scores>,
           .spectrum = spectrum_by<weigh_by_scores>},
    Method{
        .name = "lpaf_mixed",
        .kind = "guided",
        .help = "the same, beside the pruned W that the training that follows draws in its place",
        .takes_steps = true,
        .of_pruned = true,
        .check = check_lpaf_mixed,
        .decompose = decompose_lpaf_mixed},
    Method{.name = "kronecker",
           .kind = "kronecker",
           .help = "the nearest sum of Kronecker products",
           .takes_modes = true,
           .check = check_kronecker,
           .decompose = decompose_kronecker},
    Method{.name = "btt",
           .kind = "btt",
           .help = "a block tensor train: each block of W nearest at its rank",
           .takes_modes = true,
           .check = check_btt,
           .decompose = decompose_btt},
    Method{.name = "cp",
           .kind = "cp",
           .help = "a sum of outer products by least squares",
           .takes_modes = true,
           .takes_cores = true,
           .check = check_cp,
           .decompose = decompose_cp},
    Method{.name = "tucker",
           .kind = "tucker",
           .help = "a small tensor times a factor along each of three modes, by HOSVD",
           .takes_modes = true,
           .check = check_tucker,
           .decompose = decompose_tucker},
    Method{.name = "row_trains",
           .kind = "row_trains",
           .help = "a TT-SVD of each row alone, as of a token's vector",
           .takes_cores = true,
           .fits_tables = true,
           .check = check_row_trains,
           .decompose = decompose_row_trains},
};

}  // namespace

std::span<const Method> methods() { return kMethods; }

std::int64_t check_share(const LinearShape& size, double share, std::int64_t least) {
  const std::int64_t weights = weights_in_share(share, size);
  if (weights < least) {
    throw ConfigError(
        "a share of {} is less than rank 1 needs, {} of {} weights; want {} or more", share, least,
        size.in * size.out,
        std::ceil(1e4 * static_cast<double>(least) / static_cast<double>(size.in * size.out)) /
            1e4);
  }
  return weights;
}

}  // namespace ty
