#include "models/linear/kinds.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/config/fields.h"
#include "models/linear/bottleneck/bottleneck.h"
#include "models/linear/btt/btt.h"
#include "models/linear/cp/cp.h"
#include "models/linear/dense/dense.h"
#include "models/linear/guided/guided.h"
#include "models/linear/kronecker/kronecker.h"
#include "models/linear/lax/lax.h"
#include "models/linear/lora/lora.h"
#include "models/linear/pruned/pruned.h"
#include "models/linear/row_trains/row_trains.h"
#include "models/linear/scaled/scaled.h"
#include "models/linear/svd/svd.h"
#include "models/linear/ttm/ttm.h"
#include "models/linear/tucker/tucker.h"

namespace ty {

namespace {

// One row per kind.
std::vector<LinearSpec>& kinds() {
  static std::vector<LinearSpec> all = {DenseSpec{},     TtmSpec{},    SvdSpec{},  LaxSpec{},
                                        KroneckerSpec{}, BttSpec{},    CpSpec{},   TuckerSpec{},
                                        RowTrainsSpec{}, ScaledSpec{}, LoraSpec{}, BottleneckSpec{},
                                        GuidedSpec{},    PrunedSpec{}};
  return all;
}

std::size_t index_of(std::string_view name) {
  const std::vector<LinearSpec>& all = kinds();
  return static_cast<std::size_t>(
      std::find_if(all.begin(), all.end(),
                   [&](const LinearSpec& kind) { return kind_name(kind) == name; }) -
      all.begin());
}

}  // namespace

LinearSpec::LinearSpec() : LinearSpec(DenseSpec{}) {}

bool is_dense(const LinearSpec& spec) { return spec.as<DenseSpec>() != nullptr; }

const std::vector<LinearSpec>& linear_kinds() { return kinds(); }

LinearSpec default_of_kind(const LinearSpec& spec) { return kinds().at(index_of(kind_name(spec))); }

void add_linear_kind(LinearSpec kind) {
  TY_CHECK(index_of(kind_name(kind)) == kinds().size(), "there is a linear kind {} already",
           kind_name(kind));
  kinds().push_back(std::move(kind));
}

void fields(config::Fields& f, LinearSpec& spec) {
  config::Alternatives among;
  for (const LinearSpec& kind : kinds()) among.names.emplace_back(kind_name(kind));
  among.chosen = index_of(kind_name(spec));
  among.choose = [&spec](std::size_t i) { spec = kinds()[i]; };
  among.visit = [](config::Fields& inner, std::size_t i) {
    LinearSpec fresh = kinds()[i];
    own_fields(inner, fresh);
  };
  among.visit_chosen = [&spec](config::Fields& inner) { own_fields(inner, spec); };
  f.alternatives("kind", "what the weight is made of", among);
}

}  // namespace ty
