#include "launch/job/precision_section.h"

#include <initializer_list>

namespace ty {

using config::Checks;
using config::Fields;

namespace {

constexpr std::initializer_list<config::Named<DType>> kFloatTypes = {
    {"fp32", DType::f32}, {"bf16", DType::bf16}, {"fp16", DType::f16}, {"fp64", DType::f64}};

}  // namespace

void fields(Fields& f, PrecisionSection& s) {
  f.field("compute", s.compute, "type of activations and of the weights that are multiplied",
          kFloatTypes);
  f.field("weights", s.weights,
          "type in which the optimizer keeps the weights; 16-bit ones are rounded stochastically",
          kFloatTypes);
}

void check(const PrecisionSection& s, Checks& checks) {
  if (s.compute == DType::f16) {
    checks.fail("compute",
                "got fp16, whose gradients want loss scaling, which this version does not have; "
                "want bf16, fp32 or fp64");
  }
}

}  // namespace ty
