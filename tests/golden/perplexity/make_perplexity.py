#!/usr/bin/env python3
"""Makes the golden data of this folder: python3 make_perplexity.py OUT_DIRECTORY

Losses of the model of ../generation over a text longer than its context, by windows that overlap: each
holds `length` ids and begins `stride` after the one before it; ids that an earlier window held are
context alone (label -100). The loss is the sum over all other ids but the first, divided by their number.
"""

import json
import sys
from pathlib import Path

import torch
from transformers import GPT2LMHeadModel

MODEL = Path(__file__).parent.parent / "generation" / "gpt2" / "model"
TOKENS = [(i * i + 3 * i) % 29 for i in range(150)]


def loss_of(model, length, stride):
    total, counted, seen = 0.0, 0, 0
    for begin in range(0, len(TOKENS), stride):
        end = min(begin + length, len(TOKENS))
        ids = torch.tensor([TOKENS[begin:end]])
        labels = ids.clone()
        labels[:, :seen - begin] = -100
        scored = int((labels[:, 1:] != -100).sum())  # the library moves labels by one
        total += model(ids, labels=labels).loss.item() * scored
        counted += scored
        seen = end
        if end == len(TOKENS):
            break
    assert counted == len(TOKENS) - 1
    return total / counted


def main():
    model = GPT2LMHeadModel.from_pretrained(MODEL, attn_implementation="eager").eval().double()
    cases = [dict(length=length, stride=stride, loss=loss_of(model, length, stride))
             for length, stride in ((48, 1), (48, 16), (48, 47), (20, 7))]
    lines = ",\n".join(json.dumps(case) for case in cases)
    (Path(sys.argv[1]) / "strides.json").write_text(
        f'{{"tokens": {TOKENS},\n"cases": [\n{lines}]}}\n')


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__.splitlines()[0])
    main()
