// A model directory opened for conversion: its structure is known and verified, while its weights
// are read one at a time, so that a model of any size fits in memory.
#pragma once

#include <string>
#include <vector>

#include "core/io/tensor_set.h"
#include "models/huggingface/model_tensors.h"
#include "models/transformer/model.h"

namespace ty {

class StoredModel {
 public:
  // Opens a model directory or checkpoint. Throws DataError unless its tensors match its
  // configuration.
  explicit StoredModel(const Path& directory);

  const Path& directory() const { return directory_; }
  const ModelSpec& spec() const { return spec_; }
  // All files of the model: tensors, configuration and side files.
  std::vector<Path> files() const;
  // The files besides tensors and configuration: those of the tokenizer.
  std::vector<Path> side_files() const;
  const std::vector<LinearSite>& linear_sites() const { return model_.linear_sites(); }
  // Declared only: names and shapes.
  const ParameterStore& parameters() const { return model_.parameters(); }

  // Throws NonFiniteError that names file and tensor if a weight holds NaN or infinity.
  void check_finite() const { ty::check_finite(tensors_, parameters(), spec_); }

  DType dtype(const std::string& parameter) const {
    return stored_dtype(tensors_, *parameters().find(parameter), spec_);
  }
  // The type in which the weight of a linear layer of any kind is stored.
  DType dtype(const LinearSite& site) const;
  // Reads a parameter, in our element order, to contiguous host memory of any float type. Throws
  // NonFiniteError that names file and tensor.
  void read(const std::string& parameter, const View& to) const {
    read_parameter(tensors_, parameter, spec_, to);
  }
  // The same as doubles.
  std::vector<double> values(const std::string& parameter, const Shape& shape) const;
  // Throws DataError, which names model and layer, if no one matrix represents it: it has an
  // adapter that is not linear.
  void require_matrix(const LinearSite& site) const;
  // The dense matrix that a linear layer represents, in the shape of the site. Throws as
  // require_matrix() does.
  std::vector<double> dense_weight(const LinearSite& site) const;

 private:
  Path directory_;
  TensorSet tensors_;
  ModelSpec spec_;
  Model model_;
};

}  // namespace ty
