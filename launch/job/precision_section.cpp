#include "launch/job/precision_section.h"

#include <initializer_list>

#include "optim/loss_scale.h"

namespace ty {

using config::between;
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
  f.when("compute", s.compute == DType::f16, "with compute: fp16", [&] {
    f.field(
        "loss_scale", s.loss_scale,
        "what the loss scale begins with, a power of two; auto: 65536. It halves when gradients "
        "overflow and doubles after 2000 good steps",
        between(LossScale::kSmallest, LossScale::kLargest));
  });
}

void check(const PrecisionSection& s, Checks& checks) {
  if (s.compute != DType::f16) return;
  // As in the paper (optim/loss_scale.h): most updates are far below the spacing of 16-bit weights,
  // and small weights have few digits in fp16.
  if (s.weights == DType::f16 || s.weights == DType::bf16) {
    checks.fail("weights",
                "got {} with compute = fp16, which is trained with wider weights; want "
                "fp32 or fp64",
                name_of(s.weights));
  }
  if (s.loss_scale.value && !is_loss_scale(static_cast<double>(*s.loss_scale.value))) {
    checks.fail("loss_scale", "{} is not a power of two; want 65536, for example",
                *s.loss_scale.value);
  }
}

}  // namespace ty
