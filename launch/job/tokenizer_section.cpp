#include "launch/job/tokenizer_section.h"

#include "launch/job/limits.h"

namespace ty {

using config::between;
using config::Fields;

void fields(Fields& f, TokenizerSection& s) {
  f.field("from", s.from, "directory with tokenizer files");
  f.when("from", s.from.empty(), "without from", [&] {
    f.field("kind", s.kind, "tokenizer made from data.train; null: the data is token ids already",
            {{"bytes", TokenizerKind::bytes},
             {"chars", TokenizerKind::chars},
             {"bpe", TokenizerKind::bpe}});
    f.when("kind", s.kind == TokenizerKind::bpe, "with kind: bpe", [&] {
      f.field("vocab", s.vocab, "number of token ids: bytes, the end of text, and what is merged",
              between(kSmallestBpeVocab, kMostTokenIds));
    });
  });
}

}  // namespace ty
