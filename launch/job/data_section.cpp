#include "launch/job/data_section.h"

#include "launch/job/limits.h"

namespace ty {

using config::between;
using config::Fields;

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
}

}  // namespace ty
