#!/usr/bin/env python3
"""Makes the tokenizer's golden data of this folder: python3 make_tokenizer.py OUT_DIRECTORY

tokenizer.json   a small byte-level BPE of the `tokenizers` library with added tokens of every kind
fragments.json   what the strings of the test are made of
ids.bin          per string a 32-bit hash of the ids that the library gives it: STRINGS of them, then
                 as many as WHOLE_WORDS with `ignore_merges`

The strings are not stored: the test makes the same ones with the same generator.
"""

import json
import struct
import sys
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

STRINGS, WHOLE_WORDS = 20_000, 2_000
WORDS = ("the river runs past a stone bridge and lamp of night while travellers said they'll come "
         "back before winter there are many rivers bridges stones lamps in 1999 2024 naïve café").split()
# (content, flags, whether normalized); some are in the vocabulary, some are parts of others.
ADDED = [
    ("<|endoftext|>", "", False), ("<|user|>", "", False), ("<|user|>x", "", False),
    ("two words", "", False), ("two", "single_word", True), ("words and", "", True),
    ("<mask>", "lstrip", False), ("<end>", "rstrip", False), ("<both>", "lstrip rstrip", False),
    ("END", "single_word", False), ("bridge", "single_word", True), ("é", "", True),
    ("日本", "single_word lstrip", False), ("  ", "", True), ("'ll", "rstrip", True),
    ("a\u0301", "single_word rstrip", False),
]
FRAGMENTS = WORDS + [content for content, _, _ in ADDED] * 2 + [
    " ", " ", " ", "  ", "\n", "\t", "\u00a0", "\u3000", "\u0085", "\u180e", "\x1c", "\u200d",
    "'s", "'re", "'VE", "'", "_", "-", "...", "!?", "0", "42", "²", "½", "٣", "ß", "日", "語",
    "\u0301", "\U0001409a", "\U0001f600", "<", "|>", "<|user", "two ", "wo", "EN", "ENDING",
]


class Random:
    """Knuth's linear congruential generator."""

    def __init__(self):
        self.state = 1

    def below(self, limit):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 33) % limit


def part(random):
    """A fragment, or one time in eight any character."""
    if random.below(8) > 0:
        return FRAGMENTS[random.below(len(FRAGMENTS))]
    code = 1 + random.below(0x10FFFF)
    return "x" if 0xD800 <= code < 0xE000 else chr(code)


def string(random):
    return "".join(part(random) for _ in range(1 + random.below(12)))


def hash_of(ids):
    value = 2166136261
    for number in ids:
        value = (value ^ number) * 16777619 % 2**32
    return value


def trained():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    random = Random()
    text = [" ".join(WORDS[random.below(len(WORDS))] for _ in range(50)) for _ in range(20)]
    tokenizer.train_from_iterator(text, trainers.BpeTrainer(
        vocab_size=420, special_tokens=["<|endoftext|>", "END"], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    return json.loads(tokenizer.to_str())


def with_added_tokens(definition):
    # Words that no merge makes, for `ignore_merges`.
    for spelling in ("Ġwhile!", "!?!", "Ġ42", "xy"):
        definition["model"]["vocab"][spelling] = len(definition["model"]["vocab"])
    tokenizer = Tokenizer.from_str(json.dumps(definition))
    for content, flags, normalized in ADDED:
        tokenizer.add_tokens([AddedToken(content, normalized=normalized,
                                         **{flag: True for flag in flags.split()})])
    return tokenizer


def main():
    out = Path(sys.argv[1])
    tokenizer = with_added_tokens(trained())
    definition = json.loads(tokenizer.to_str())
    text = json.dumps(definition, ensure_ascii=False, indent=0)
    (out / "tokenizer.json").write_text(text, encoding="utf-8")
    (out / "fragments.json").write_text(json.dumps(FRAGMENTS, indent=0) + "\n")
    definition["model"]["ignore_merges"] = True
    random = Random()
    hashes = [hash_of(tokenizer.encode(string(random)).ids) for _ in range(STRINGS)]
    whole = Tokenizer.from_str(json.dumps(definition))
    hashes += [hash_of(whole.encode(string(random)).ids) for _ in range(WHOLE_WORDS)]
    (out / "ids.bin").write_bytes(struct.pack(f"<{len(hashes)}I", *hashes))


if __name__ == "__main__":
    main()
