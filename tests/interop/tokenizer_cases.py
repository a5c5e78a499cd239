"""tokenizer_cases.py OUT STRINGS: tokenizers of each kind, and texts with the ids that the public
`tokenizers` library gives them, in the format of tokenizer_cases.cpp.

OUT/KIND/ holds a tokenizer, OUT/KIND.cases its texts: STRINGS of them, each once without special tokens and
once with them (one in three as a pair, one in two with a limit). The vocabularies are learned from texts that
are made here.
"""

import json
import random
import struct
import sys
from pathlib import Path

from tokenizers import (AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors,
                        trainers)

NOT_COMPARED = 2**32 - 1
WORDS = ("the river runs past a stone bridge and lamp of night while travellers said they'll come back "
         "before winter there are many rivers bridges stones lamps unaffable in 1999 2024 naïve café "
         "Ångström crème brûlée Straße ΟΔΥΣΣΕΥΣ Привет мир İstanbul Việt Nam tokenizer's don't we've "
         "日本語 東京 中文字 한국어 עִבְרִית العربية हिन्दी ไทย").split()
SPACES = [" ", " ", " ", " ", "  ", "\n", "\r\n", "\r", "\t", "\v", "\f", "\u00a0", "\u2003", "\u3000", "\u0085",
          "\u2028", "\u1680", "\u180e", "\u200b", "\ufeff"]
CONTROLS = [chr(c) for c in [*range(1, 32), *range(127, 160), 0x200e, 0x202e, 0xad, 0xfffd, 0xfffe, 0xe000,
                             0xfeff, 0x2060, 0xe0041, 0x10ffff]]
EMOJI = ["\U0001f600", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f1e9\U0001f1ea", "\U0001f44d\U0001f3fd",
         "❤\ufe0f", "\U0001fae8", "1\ufe0f\u20e3", "☃", "\U0001f9d1\u200d\U0001f680"]
MARKS = ["\u0301", "\u0327", "\u0323", "\u0345", "\u05b4", "\u0334", "\u093c", "\u3099", "\u1dce", "\u20dd",
         "\u0488", "\u1ab0", "\U0001d165", "\u0903"]
PUNCTUATION = list("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~") + ["…", "—", "„", "»", "。", "、", "$", "€", "§", "¶", "·"]
CASED = ["İ", "ı", "ẞ", "ß", "Σ", "ς", "Ǆ", "ǅ", "ﬁ", "Ω", "K", "Å", "Ⅷ", "Ⓐ", "Ａ", "Ა", "Ꭰ", "ꭰ", "𐐀"]
COMPATIBLE = ["豈", "﨑", "丽", "가", "각", "힣", "ᄀ", "ᅡ", "ᆨ", "〇", "㐀", "𠀀", "ｶﾞ", "が", "ゔ"]
SPECIAL = ["[CLS]", "[SEP]", "[UNK]", "[MASK]", "[PAD]", "<s>", "</s>", "<mask>", "<unk>", "<pad>",
           "<|endoftext|>", "[mask]", "<MASK>", "Two Words", "two words", "TWO WORDS", "Émile", "EMILE", "e\u0301mile"]


def any_character(rng):
    code = rng.choice([rng.randrange(0x250), rng.randrange(0x3000), rng.randrange(0x10000),
                       rng.randrange(0x20000), rng.randrange(0x110000)])
    return "x" if 0xD800 <= code < 0xE000 else chr(code)


def bad_bytes(rng):
    """Bytes that are mostly no UTF-8: stray, broken off, overlong, surrogates, too large."""
    return rng.choice([
        bytes(rng.randrange(256) for _ in range(rng.randrange(1, 6))),
        rng.choice("é日\U0001f600").encode()[:-1],
        b"\xc0\xaf", b"\xe0\x80\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xf0\x9f\x98", b"\xff", b"\xf8\x88",
        b"\xe0\xa0", b"\xf0\x90\x80a", b"\xed\x9f\xbf", b"\xf1\x80\xc3\xa9"])


def long_word(rng):
    return rng.choice(["a", "é", "日", "stone", "x\u0301", "9"]) * rng.randrange(1, 120)


def fragment(rng):
    kind = rng.randrange(22)
    if kind < 8:
        word = rng.choice(WORDS) if rng.randrange(3) else made_up_word(rng)
        return rng.choice([word, word, word.upper(), word.title()]).encode()
    if kind == 18:
        return bad_bytes(rng)
    lists = {8: SPACES, 9: SPACES, 10: SPACES, 11: CONTROLS, 12: EMOJI, 13: MARKS, 14: PUNCTUATION, 15: CASED,
             16: COMPATIBLE, 17: SPECIAL}
    if kind in lists:
        return rng.choice(lists[kind]).encode()
    if kind == 19 and rng.randrange(8) == 0:
        return long_word(rng).encode()
    return any_character(rng).encode()


def text(rng):
    spaced = rng.randrange(2)
    parts = [fragment(rng) for _ in range(rng.randrange(0 if rng.randrange(50) == 0 else 1, 16))]
    return (b" " if spaced else b"").join(parts)


def made_up_word(rng):
    return "".join(rng.choice("bcdfglmnprst") + rng.choice(["a", "e", "i", "o", "un", "é"])
                   for _ in range(rng.randrange(1, 4)))


def corpus(rng):
    made_up = [made_up_word(rng) for _ in range(400)]
    for _ in range(3000):
        yield " ".join(rng.choice(WORDS if rng.randrange(3) else made_up) + rng.choice(["", "", "", ",", "."])
                       for _ in range(20))


def wordpiece(rng, lowercase, accents):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase, strip_accents=accents)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator(corpus(rng), trainers.WordPieceTrainer(
        vocab_size=700, special_tokens=special, show_progress=False))
    cls, sep = (tokenizer.token_to_id(token) for token in ("[CLS]", "[SEP]"))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0", pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[("[CLS]", cls), ("[SEP]", sep)])
    return tokenizer


def uncased(rng):
    tokenizer = wordpiece(rng, True, None)
    tokenizer.add_tokens([AddedToken("Two Words", normalized=True), AddedToken("Émile", normalized=True),
                          AddedToken("[mask]", normalized=False, single_word=True)])
    return tokenizer


def cased(rng):
    return wordpiece(rng, False, None)


def cased_bert_processor(rng):
    tokenizer = wordpiece(rng, False, True)
    ids = {token: tokenizer.token_to_id(token) for token in ("[CLS]", "[SEP]")}
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", ids["[SEP]"]), ("[CLS]", ids["[CLS]"]))
    return tokenizer


def byte_level(rng, special, prefix_space):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=prefix_space)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(corpus(rng), trainers.BpeTrainer(
        vocab_size=900, special_tokens=special, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    return tokenizer


def bart_like(rng, prefix_space=False):
    special = ["<s>", "<pad>", "</s>", "<unk>", AddedToken("<mask>", lstrip=True, normalized=False)]
    tokenizer = byte_level(rng, special, prefix_space)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return tokenizer


def roberta_with_space(rng):
    return bart_like(rng, True)


def opt_like(rng):
    tokenizer = byte_level(rng, ["<s>", "<pad>", "</s>", "<unk>"], False)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="</s>:0 $A:0", pair="</s>:0 $A:0 $B:1", special_tokens=[("</s>", 2)])
    return tokenizer


def opt_with_its_tokens(rng):
    """Without <s> and <unk>, which its configuration does not name."""
    tokenizer = opt_like(rng)
    definition = json.loads(tokenizer.to_str())
    definition["added_tokens"] = [token for token in definition["added_tokens"]
                                  if token["content"] in ("</s>", "<pad>")]
    return Tokenizer.from_str(json.dumps(definition))


def gpt2(rng):
    tokenizer = byte_level(rng, ["<|endoftext|>"], False)
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    return tokenizer


def write_json(path, content):
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


def tokenizer_json(tokenizer, directory):
    tokenizer.save(str(directory / "tokenizer.json"))


def bert_files(tokenizer, directory):
    """vocab.txt, as BERT's tokenizer reads it."""
    tokenizer.model.save(str(directory))
    write_json(directory / "tokenizer_config.json", {"do_lower_case": False, "tokenizer_class": "BertTokenizer"})


def roberta_files(tokenizer, directory):
    """vocab.json and merges.txt, as BART's and RoBERTa's tokenizers read them."""
    tokenizer.model.save(str(directory))
    write_json(directory / "tokenizer_config.json", {"tokenizer_class": "BartTokenizer"})


def opt_files(tokenizer, directory):
    """The same as OPT has them, which reads them with GPT-2's tokenizer."""
    tokenizer.model.save(str(directory))
    write_json(directory / "tokenizer_config.json", {
        "tokenizer_class": "GPT2Tokenizer", "add_bos_token": True, "unk_token": "</s>", "bos_token": "</s>",
        "eos_token": "</s>", "pad_token": {"content": "<pad>", "normalized": True}})


# Name: the tokenizer, how it is saved, and whether all strings are for it or a tenth.
KINDS = {
    "wordpiece_uncased": (uncased, tokenizer_json, True),
    "wordpiece_cased": (cased, tokenizer_json, True),
    "bart": (bart_like, tokenizer_json, True),
    "opt": (opt_like, tokenizer_json, True),
    "gpt2": (gpt2, tokenizer_json, True),
    "roberta_prefix_space": (roberta_with_space, tokenizer_json, True),
    "wordpiece_cased_stripped": (cased_bert_processor, tokenizer_json, False),
    "bert_vocab_txt": (cased, bert_files, False),
    "bart_vocab_json": (bart_like, roberta_files, False),
    "opt_vocab_json": (opt_with_its_tokens, opt_files, False),
}


def number(value):
    return struct.pack("<I", value)


def packed(content):
    if isinstance(content, bytes):
        return number(len(content)) + content
    return struct.pack(f"<{1 + len(content)}I", len(content), *content)


def case(rng, tokenizer, raw, other, reads_bytes):
    """One text. Byte-level tokenizers of ours keep bytes that are no UTF-8; the library has no such texts."""
    def given(content):
        return content if reads_bytes else content.decode(errors="replace").encode()

    first, second = raw.decode(errors="replace"), other.decode(errors="replace")
    pair = rng.randrange(3) == 0
    longest = rng.choice([0, rng.randrange(4, 40)])
    tokenizer.no_truncation()
    plain = tokenizer.encode(first, add_special_tokens=False).ids
    decoded = tokenizer.decode(plain, skip_special_tokens=False).encode()
    if longest:
        tokenizer.enable_truncation(longest)
    encoding = tokenizer.encode(first, second) if pair else tokenizer.encode(first)
    return b"".join([
        packed(given(raw)), number(1) + packed(given(other)) if pair else number(0), number(longest),
        packed(plain), packed(encoding.ids), packed(encoding.type_ids),
        packed(decoded) if reads_bytes else number(NOT_COMPARED)])


def main():
    out, strings = Path(sys.argv[1]), int(sys.argv[2])
    for seed, (name, (make, save, in_full)) in enumerate(KINDS.items()):
        rng = random.Random(seed)
        tokenizer = make(rng)
        (out / name).mkdir(parents=True)
        save(tokenizer, out / name)
        reads_bytes = isinstance(tokenizer.model, models.WordPiece)
        with open(out / f"{name}.cases", "wb") as file:
            for _ in range(strings if in_full else max(1, strings // 10)):
                file.write(case(rng, tokenizer, text(rng), text(rng), reads_bytes))


if __name__ == "__main__":
    main()
