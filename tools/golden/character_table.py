#!/usr/bin/env python3
"""Writes the table of character classes:

    python3 tools/golden/character_table.py > core/data/character_table.cpp

For every code point, what the public `tokenizers` library (0.23.3 here, which knows Unicode 16) takes
it for: its GPT-2 pattern decides on letters (\\p{L}), numbers (\\p{N}) and white space (\\s), its added
tokens with single_word decide on word characters (\\w). The library is asked and not a table of Unicode:
ids have to be the library's.
"""

import tokenizers
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers

LETTER, NUMBER, SPACE, WORD = 1, 2, 3, 4
PER_LINE = 9

gpt2 = pre_tokenizers.ByteLevel(add_prefix_space=False)
whole = Tokenizer(models.WordLevel({"unknown": 0}, unk_token="unknown"))
whole.add_tokens([AddedToken("@@", single_word=True, normalized=False)])


def is_one_word(text):
    return len(gpt2.pre_tokenize_str(text)) == 1


def kind(character):
    """0 for what is neither letter, number nor white space."""
    if is_one_word("a" + character):
        return LETTER
    if is_one_word("1" + character):
        return NUMBER
    return 0 if is_one_word("!" + character) else SPACE


def bits(code):
    if 0xD800 <= code < 0xE000:  # surrogates are no characters
        return 0
    forbids_a_word = 1 not in whole.encode(chr(code) + "@@").ids
    return kind(chr(code)) | (WORD if forbids_a_word else 0)


def runs():
    last = None
    for code in range(0x110000):
        if bits(code) != last:
            last = bits(code)
            yield f"{code << 4 | last:#x}"


def main():
    numbers = list(runs())
    print(f"// Made by tools/golden/character_table.py with tokenizers {tokenizers.__version__}; "
          "not to be edited.")
    print("""#include "core/data/character_classes.h"

namespace ty {

namespace {

// clang-format off
constexpr std::uint32_t kRuns[] = {""")
    for first in range(0, len(numbers), PER_LINE):
        print(f"    {', '.join(numbers[first:first + PER_LINE])},")
    print("""};
// clang-format on

}  // namespace

std::span<const std::uint32_t> character_runs() { return kRuns; }

}  // namespace ty""")


if __name__ == "__main__":
    main()
