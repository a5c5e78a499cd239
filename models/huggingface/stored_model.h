// A model directory opened to be made into another one: what it consists of is known and checked,
// its weights are read one at a time, so that a model of any size fits.
#pragma once

#include <string>
#include <vector>

#include "core/io/tensor_set.h"
#include "models/huggingface/model_tensors.h"
#include "models/transformer/model.h"

namespace ty {

class StoredModel {
 public:
  // A model directory or checkpoint. Throws DataError unless its tensors are those that its
  // configuration asks for.
  explicit StoredModel(const Path& directory);

  const Path& directory() const { return directory_; }
  const ModelSpec& spec() const { return spec_; }
  // Everything on disk that is the model: tensors, configuration and side files.
  std::vector<Path> files() const;
  // What belongs to it beside tensors and configuration: its tokenizer's files.
  std::vector<Path> side_files() const;
  const std::vector<LinearSite>& linear_sites() const { return model_.linear_sites(); }
  // Declared only: names and shapes.
  const ParameterStore& parameters() const { return model_.parameters(); }

  // Throws NonFiniteError that names file and tensor if a weight holds NaN or infinity.
  void check_finite() const { ty::check_finite(tensors_, parameters(), spec_); }

  DType dtype(const std::string& parameter) const {
    return stored_dtype(tensors_, *parameters().find(parameter), spec_);
  }
  // Of a linear layer's weight, whatever it is made of.
  DType dtype(const LinearSite& site) const;
  // A parameter's values in our order, to contiguous host memory of any float type. Throws
  // NonFiniteError that names file and tensor.
  void read(const std::string& parameter, const View& to) const {
    read_parameter(tensors_, parameter, spec_, to);
  }
  // The same as numbers.
  std::vector<double> values(const std::string& parameter, const Shape& shape) const;
  // The matrix that a linear layer of any kind stands for, in the sizes of site.stored().
  std::vector<double> dense_weight(const LinearSite& site) const;

 private:
  Path directory_;
  TensorSet tensors_;
  ModelSpec spec_;
  Model model_;
};

}  // namespace ty
