#include "launch/job/data_section.h"

#include <algorithm>
#include <iterator>

#include "launch/job/limits.h"

namespace ty {

using config::between;
using config::Fields;

namespace {

constexpr ImageData kImages[] = {{"cifar10", CifarLabels::ten, 10},
                                 {"cifar100", CifarLabels::hundred_fine, 100},
                                 {"cifar100_coarse", CifarLabels::hundred_coarse, 20}};

config::Rule one_of_datasets() {
  config::Rule rule;
  rule.choices.emplace_back("");
  for (const GlueData& data : glue_data()) rule.choices.push_back(data.name);
  for (const ImageData& data : kImages) rule.choices.emplace_back(data.name);
  return rule;
}

}  // namespace

std::span<const ImageData> image_data() { return kImages; }

const ImageData* find_image_data(std::string_view name) {
  const auto found = std::find_if(std::begin(kImages), std::end(kImages),
                                  [&](const ImageData& data) { return data.name == name; });
  return found == std::end(kImages) ? nullptr : found;
}

const GlueData* find_glue_data(std::string_view name) {
  const auto all = glue_data();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const GlueData& data) { return data.name == name; });
  return found == all.end() ? nullptr : &*found;
}

void fields(Fields& f, DataSection& s) {
  f.field("train", s.train, "training text (.txt, .jsonl, .tsv) or token ids (.bin)");
  f.field("valid", s.valid, "the same for evaluation");
  f.field("sequence", s.sequence, "tokens per sequence; at most model.context",
          between(1, kLongestSequence));
  f.field("batch", s.batch, "sequences per optimizer step, all ranks and micro-batches together",
          between(1, kMostSequences));
  f.field("text_key", s.text_key, "key of the text in each object of a .jsonl file");
  f.field("column", s.column, "column of the text in a .tsv file, counted from 0",
          between(0, kMostColumns));
  f.field(
      "header", s.header,
      "whether the first line of a .tsv file names its columns; auto: by content",
      {{"auto", TsvHeader::automatic}, {"true", TsvHeader::present}, {"false", TsvHeader::absent}});
  f.field("dataset", s.dataset,
          "public data set whose files these are, a task of GLUE or one of CIFAR; null: columns "
          "are named below",
          one_of_datasets());
  f.field("first", s.first, "column or key of the text, for tasks with examples");
  f.field("second", s.second, "column or key of the other text of a pair; null: no pairs");
  f.field("answer", s.answer, "column or key of the label, number or text that is to be learned");
  f.field("mirror", s.mirror, "whether half of the training images are mirrored");
}

}  // namespace ty
