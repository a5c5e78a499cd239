#include "launch/job/task_section.h"

#include "launch/job/limits.h"

namespace ty {

using config::at_least;
using config::between;
using config::Fields;

HeadSpec::Kind TaskSection::head() const {
  if (has_labels()) return HeadSpec::Kind::labels;
  return kind == TaskKind::regression ? HeadSpec::Kind::values : HeadSpec::Kind::language;
}

void fields(Fields& f, TaskSection& s) {
  f.field("kind", s.kind,
          "what is learned; causal_lm: the next token; masked_lm: tokens that were hidden; "
          "classification, regression: a label or number of a text or pair; seq2seq: a text from "
          "another; image_classification: the label of an image",
          {{"causal_lm", TaskKind::causal_lm},
           {"masked_lm", TaskKind::masked_lm},
           {"classification", TaskKind::classification},
           {"regression", TaskKind::regression},
           {"seq2seq", TaskKind::seq2seq},
           {"image_classification", TaskKind::image_classification}});
  f.when("kind", s.kind == TaskKind::classification, "with kind: classification", [&] {
    f.field("labels", s.labels, "number of labels; 0: as many as the data has",
            between(0, kMostLabels));
  });
  f.when("kind", s.has_labels(), "with kind: classification or image_classification", [&] {
    f.field(
        "consistency", s.consistency,
        "each example is run twice, with other dropout, and the loss gets so many times half of "
        "KL(p | q) + KL(q | p) of its two answers (R-Drop); 0: once",
        at_least(0));
  });
  f.when("kind", s.kind == TaskKind::masked_lm, "with kind: masked_lm", [&] {
    f.field("mask_rate", s.mask_rate, "share of the tokens that are to be predicted",
            at_least(0).below(1));
    f.field("whole_words", s.whole_words, "whether all pieces of a word are chosen together");
  });
  f.when("kind", s.kind != TaskKind::regression, "unless kind: regression", [&] {
    f.field("label_smoothing", s.terms.label_smoothing,
            "share of each target that is spread evenly over the vocabulary or labels; in the "
            "training loss, not in evaluation",
            at_least(0).below(1));
    f.field("z_loss", s.terms.z_loss,
            "factor of the squared log of the softmax's denominator; in the training loss, not in "
            "evaluation",
            at_least(0));
  });
}

}  // namespace ty
