#include "launch/job/run_section.h"

#include <algorithm>
#include <cctype>

#include "launch/job/limits.h"

namespace ty {

using config::at_least;
using config::between;
using config::Checks;
using config::Fields;

void fields(Fields& f, EarlyStopping& s) {
  f.field("metric", s.metric, "number of an evaluation by which steps are compared: valid_loss");
  f.field("patience", s.patience,
          "evaluations in a row that are not better than the best one, after which the run is "
          "complete; 0: never",
          between(0, kMostSteps));
}

void fields(Fields& f, RunSection& s) {
  f.field("name", s.name, "name of the run: letters, digits, '-', '_' and '.'");
  f.field("dir", s.dir, "run directory; null: runs/NAME under the working directory");
  f.field("seed", s.seed, "of initial weights, data order and dropout", at_least(0));
  f.field("steps", s.steps, "optimizer steps of the whole run; 0: only save the initial weights",
          between(0, kMostSteps));
  f.field("eval_every", s.eval_every, "steps between evaluations; 0: only at the end",
          between(0, kMostSteps));
  f.field("sample_every", s.sample_every, "steps between printed samples; 0: never",
          between(0, kMostSteps));
  f.field("early_stop", s.early_stop, "when the run ends before its last step");
  f.field("device", s.device, "where to compute",
          {{"auto", DeviceChoice::automatic},
           {"cpu", DeviceChoice::cpu},
           {"cuda", DeviceChoice::cuda}});
  f.field("deterministic", s.deterministic,
          "on a card: the same bits in every run; false is faster, and needs less memory, where "
          "attention's gradients are added up in no fixed order");
  f.field(
      "cuda_graphs", s.cuda_graphs,
      "on a card: hand a micro-batch's forward and backward over as graphs instead of kernel by "
      "kernel, for small micro-batches; the numbers are the same");
  f.field("allow_changes", s.allow_changes,
          "a run that goes on may have another model, tokenizer, data, batch, seed or optimizer");
}

void check(const RunSection& s, Checks& checks) {
  const bool plain = std::all_of(s.name.begin(), s.name.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '-' || c == '_' || c == '.';
  });
  if (!plain || s.name.empty() || s.name[0] == '.') {
    checks.fail("name", "got {}; want letters, digits, '-', '_' and '.', as in my-run",
                config::shown(s.name, true));
  }
}

}  // namespace ty
