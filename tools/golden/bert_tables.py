#!/usr/bin/env python3
"""Writes the tables of what a BERT tokenizer takes characters for:

    python3 tools/golden/bert_tables.py core/data

makes bert_character_table.cpp and bert_decomposition_table.cpp there. For every code point the public
`tokenizers` library (0.23.3 here) is asked, and not a table of Unicode: its parts know different
versions of Unicode, and ids have to be the library's.
"""

import sys
import textwrap
import unicodedata
from pathlib import Path

import tokenizers
from tokenizers import normalizers, pre_tokenizers

# As in core/data/bert_characters.h.
REMOVED, SPACE = 1, 2
WHITE, PUNCTUATION = 1 << 2, 2 << 2
IDEOGRAPH, MARK, DECOMPOSES, HAS_LOWER = 1 << 4, 1 << 5, 1 << 6, 1 << 7
BITS = 8
HANGUL = range(0xAC00, 0xD7A4)  # decompose by a formula


def normalizer(**flags):
    default = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    return normalizers.BertNormalizer(**{**default, **flags}).normalize_str


clean, ideographs = normalizer(clean_text=True), normalizer(handle_chinese_chars=True)
strip, lower = normalizer(strip_accents=True), normalizer(lowercase=True)
nfd = normalizers.NFD().normalize_str
words = pre_tokenizers.BertPreTokenizer().pre_tokenize_str
CODES = [code for code in range(0x110000) if not 0xD800 <= code < 0xE000]


def bits(code):
    character = chr(code)
    cleaned = clean("a" + character + "b")[1:-1]
    result = {"": REMOVED, " ": SPACE}.get(cleaned, 0)
    parts = len(words("a" + character + "b"))
    result |= {1: 0, 2: WHITE, 3: PUNCTUATION}[parts]
    result |= IDEOGRAPH * (ideographs(character) != character)
    if nfd(character) != character:
        result |= DECOMPOSES
    elif strip(character) != character:
        assert strip(character) == ""
        result |= MARK
    return result | HAS_LOWER * (lower(character) != character)


def runs():
    last, result = None, []
    for code in CODES:
        if bits(code) != last:
            last = bits(code)
            result.append(code << BITS | last)
    return result


def lower_runs():
    """first, count, stride, distance of characters whose lower case is one character."""
    result = []
    for code in CODES:
        to = lower(chr(code))
        if len(to) > 1:
            assert (code, to) == (0x130, "i\u0307")  # the table's reader knows
        if to == chr(code) or len(to) > 1:
            continue
        distance = ord(to) - code
        if result and result[-1][3] == distance:
            first, count, stride, _ = result[-1]
            step = code - first if count == 1 else stride
            if step <= 2 and code == first + count * step:
                result[-1] = [first, count + 1, step, distance]
                continue
        result.append([code, 1, 1, distance])
    return result


def swaps(first, second):
    return nfd("a" + first + second) == "a" + second + first


def class_of(mark, examples, order):
    """The largest class n such that `mark` stands behind marks of all smaller classes."""
    if nfd(mark) != mark:
        return 0
    is_mark = swaps(mark, examples[order[0]]) or swaps(examples[order[-1]], mark)
    if not is_mark:
        return next((n for n in (order[0], order[-1]) if examples[n] == mark), 0)
    return order[sum(swaps(mark, examples[n]) for n in order)]


def class_runs():
    """first code point << 8 | combining class, by comparison with a mark of each class."""
    examples = {}
    for code in CODES:
        examples.setdefault(unicodedata.combining(chr(code)), chr(code))
    del examples[0]
    order, result, last = sorted(examples), [], 0
    for code in CODES:
        number = class_of(chr(code), examples, order)
        if number != last:
            result.append(code << 8 | number)
            last = number
    return result


def decompositions():
    """{code: (first,) or (first, last)}, where the first may decompose again."""
    texts = {code: nfd(chr(code)) for code in CODES if code not in HANGUL}
    whole = {code: text for code, text in texts.items() if text != chr(code)}
    owner = {}
    for code, text in whole.items():
        if len(text) > 1:
            owner.setdefault(text, code)
    result = {}
    for code, text in whole.items():
        if len(text) == 1:
            result[code] = (ord(text),)
        elif len(text) == 2:
            result[code] = (ord(text[0]), ord(text[1]))
        else:
            result[code] = (owner[text[:-1]], ord(text[-1]))
    return result


def decomposition_runs():
    """first, count << 2 | width, then `count` times `width` code points."""
    table = decompositions()
    result, codes = [], sorted(table)
    while codes:
        first, width, count = codes[0], len(table[codes[0]]), 0
        while first + count in table and len(table[first + count]) == width:
            count += 1
        result += [first, count << 2 | width]
        for code in codes[:count]:
            result += table[code]
        codes = codes[count:]
    return result


def check_hangul():
    for code in HANGUL:
        assert nfd(chr(code)) == unicodedata.normalize("NFD", chr(code))


def table(kind, name, numbers):
    rows = textwrap.fill(", ".join(numbers) + ",", 98, initial_indent="    ", subsequent_indent="    ")
    return f"constexpr {kind} {name}[] = {{\n{rows}\n}};"


def write(path, tables, functions):
    version = tokenizers.__version__
    path.write_text(f"""// Made by tools/golden/bert_tables.py with tokenizers {version}; not to be edited.
#include "core/data/bert_characters.h"

namespace ty {{

namespace {{

// clang-format off
{chr(10).join(tables)}
// clang-format on

}}  // namespace

{chr(10).join(functions)}

}}  // namespace ty
""")


def function(name, kind, constant):
    return f"std::span<const {kind}> {name}() {{ return {constant}; }}"


def hexadecimal(numbers):
    return [f"{n:#x}" for n in numbers]


def main():
    out = Path(sys.argv[1])
    check_hangul()
    lowered = [str(n) for run in lower_runs() for n in run]
    write(out / "bert_character_table.cpp",
          [table("std::uint32_t", "kRuns", hexadecimal(runs())),
           table("std::int32_t", "kLower", lowered),
           table("std::uint32_t", "kClasses", hexadecimal(class_runs()))],
          [function("bert_character_runs", "std::uint32_t", "kRuns"),
           function("lower_case_runs", "std::int32_t", "kLower"),
           function("combining_class_runs", "std::uint32_t", "kClasses")])
    write(out / "bert_decomposition_table.cpp",
          [table("std::uint32_t", "kRuns", hexadecimal(decomposition_runs()))],
          [function("decomposition_runs", "std::uint32_t", "kRuns")])


if __name__ == "__main__":
    main()
