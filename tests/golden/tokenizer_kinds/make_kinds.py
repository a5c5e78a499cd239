#!/usr/bin/env python3
"""Makes the golden data of this folder: python3 make_kinds.py OUT_DIRECTORY

KIND.json    a small tokenizer of each kind of tests/interop/tokenizer_cases.py that models are published with
cases.json   texts with what the `tokenizers` library makes of them: `plain` without and `ids` with special
             tokens, `types` of these, `text` decoded from `plain`
"""

import json
import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "interop"))
from tokenizer_cases import KINDS  # noqa: E402

NAMES = ["wordpiece_uncased", "wordpiece_cased", "bart", "roberta_prefix_space", "opt"]
TEXTS = [
    "", " ", "The river runs past a stone bridge.", "THE RIVER, the River!", "unaffable travellers",
    "Café crème brûlée", "CAFE\u0301 cre\u0300me bru\u0302le\u0301e", "a\u0327\u0301b a\u0301\u0327b", "Ångström Å",
    "İstanbul ıI ΟΔΥΣΣΕΥΣ Straße ẞ Ǆ ﬁ", "Việt Nam", "日本語の中文字と東京", "豈更車 㐀 𠀀 〇", "ｶﾞがゔ", "한국어 각 힣",
    "עִבְרִית", "العربية", "हिन्दी", "ไทย", "don't we've said they'll", "a.b,c!d?e(f)[g]{h}", "$1,999.00 + 5% = €x",
    "« — … »", "line\r\nnext\rlast\n", "tab\tform\fvertical\vnbsp\u00a0wide\u3000zero\u200bbom\ufeffend",
    "nul\u0000bell\u0007escape\u001bdelete\u007fnext\u0085soft\u00adhyphen", "private\ue000 \ufffd not\ufffe",
    "\U0001f600 \U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f1e9\U0001f1ea \U0001f44d\U0001f3fd ❤\ufe0f",
    "x" * 100, "x" * 101, "é" * 100 + " " + "é" * 101, "[CLS] [SEP] [MASK] [UNK] [PAD] [mask]", "a[MASK]b",
    "<s> a </s> b <mask> <pad> <unk>", "a  <mask>  b", "<|endoftext|>", "two words TWO WORDS Two  Words Émile emile EMILES",
    "##ing # # ##", "  leading and trailing  ", "\u0301\u0327", "१२३ ²½ Ⅷ Ⓐ Ａ", "\U0001d165\U0001d16d \u20dd\u0488",
]
PAIRS = [("the river", "a stone bridge"), ("", "bridge"), ("bridge", ""), ("", ""),
         ("the river runs past a stone bridge", "night"), ("night", "the river runs past a stone bridge"),
         ("lamps of the night", "lamps of the river")]


def case(name, tokenizer, first, second=None, longest=0):
    tokenizer.no_truncation()
    plain = tokenizer.encode(first, add_special_tokens=False).ids
    text = tokenizer.decode(plain, skip_special_tokens=False)
    if longest:
        tokenizer.enable_truncation(longest)
    encoding = tokenizer.encode(first, second) if second is not None else tokenizer.encode(first)
    return {"tokenizer": name, "first": first, "second": second, "longest": longest, "plain": plain,
            "ids": encoding.ids, "types": encoding.type_ids, "text": text}


def main():
    out = Path(sys.argv[1])
    cases = []
    for name in NAMES:
        tokenizer = KINDS[name][0](random.Random(name))
        (out / f"{name}.json").write_text(tokenizer.to_str(), encoding="utf-8")
        cases += [case(name, tokenizer, text) for text in TEXTS]
        cases += [case(name, tokenizer, first, second) for first, second in PAIRS]
        cases += [case(name, tokenizer, TEXTS[2], None, longest) for longest in (3, 4, 7, 100)]
        cases += [case(name, tokenizer, first, second, longest)
                  for first, second in PAIRS for longest in (4, 5, 6, 7, 8, 9, 12, 100)]
    lines = ",\n".join(json.dumps(each, ensure_ascii=True) for each in cases)
    (out / "cases.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
