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
             {"bpe", TokenizerKind::bpe},
             {"wordpiece", TokenizerKind::wordpiece}});
    f.when("kind", s.learns_merges(), "with kind: bpe or wordpiece", [&] {
      f.field("vocab", s.vocab,
              "number of token ids: bytes or characters, special tokens, and what is merged",
              between(kSmallestLearnedVocab, kMostTokenIds));
    });
    f.when("kind", s.kind == TokenizerKind::wordpiece, "with kind: wordpiece", [&] {
      f.field("lowercase", s.lowercase, "texts are read in lower case and without accents");
    });
  });
}

}  // namespace ty
