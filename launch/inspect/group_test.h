// Which part of the weights' spectra a model needs: its loss without one group of singular values
// of every layer at a time.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/data/batch.h"
#include "models/huggingface/stored_model.h"

namespace ty {

struct SpectrumGroup {
  double energy = 0;  // its share of all layers' energy
  double loss = 0;    // of the model without it
};

struct GroupTest {
  double loss = 0;                    // of the whole model
  std::vector<SpectrumGroup> groups;  // from the largest singular values to the smallest
  std::size_t layers = 0;             // that take part
};

struct GroupTestOptions {
  const Source* examples = nullptr;
  std::string name;  // of the examples, for messages
  std::int64_t groups = 10;
  std::int64_t sequence = 128, batch = 8;
  std::function<void(const std::string& doing)> progress = [](const std::string&) {};
};

// Splits the singular values of each dense layer but the head into groups of equal numbers and
// takes group g from all of them at once, W - U_g U_g^T W, for each g. Throws UsageError if no
// layer is dense.
GroupTest run_group_test(const StoredModel& model, const GroupTestOptions& options);

}  // namespace ty
