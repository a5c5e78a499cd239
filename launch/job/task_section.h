// Section `task` of the job file: what a model is trained to do, and by which loss. Evaluation
// reports the plain loss of the task, without smoothing and further terms.
#pragma once

#include <cstdint>

#include "core/backend/options.h"
#include "core/config/fields.h"
#include "models/transformer/spec.h"

namespace ty {

enum class TaskKind : std::uint8_t {
  causal_lm,
  masked_lm,
  classification,
  regression,
  seq2seq,
  image_classification
};

struct TaskSection {
  TaskKind kind = TaskKind::causal_lm;
  std::int64_t labels = 0;   // classification of texts; 0: as many as the data has
  double mask_rate = 0.15;   // masked_lm
  bool whole_words = false;  // masked_lm
  CrossEntropyTerms terms = {};
  double consistency = 0;  // of labels: weight of what two passes of each example differ by

  // Its data is one long text, cut into windows.
  bool reads_windows() const { return kind == TaskKind::causal_lm || kind == TaskKind::masked_lm; }
  bool reads_images() const { return kind == TaskKind::image_classification; }
  bool has_labels() const {
    return kind == TaskKind::classification || kind == TaskKind::image_classification;
  }
  // One answer per sequence.
  bool has_answers() const { return has_labels() || kind == TaskKind::regression; }
  HeadSpec::Kind head() const;
};

void fields(config::Fields& f, TaskSection& s);

}  // namespace ty
