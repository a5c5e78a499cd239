#!/usr/bin/env python3
"""Makes the golden data of this folder: python3 make_generation.py OUT_DIRECTORY

A tiny random GPT-2 as the `transformers` library saves it, and what its generate() makes of some
prompts without sampling. Each case is in cases.json: the options under the library's own names, the
prompt, the new ids without the end of text. Same seeds, same versions, same files.
"""

import json
import shutil
import sys
import zlib
from pathlib import Path

import torch
from transformers import GPT2Config, GPT2LMHeadModel

END = 25
SIZES = dict(vocab_size=29, n_positions=48, n_embd=16, n_head=2, n_layer=2, resid_pdrop=0.0,
             embd_pdrop=0.0, attn_pdrop=0.0, bos_token_id=END, eos_token_id=END)
PROMPTS = [[5, 11, 2], [7], [20, 1, 1, 9, 14, 8], [17, 26]]
OPTIONS = [dict(num_beams=beams, **more) for beams in (1, 3, 4) for more in (
    [{}, dict(no_repeat_ngram_size=2), dict(no_repeat_ngram_size=1), dict(repetition_penalty=1.7)]
    if beams == 1 else
    [{}, dict(length_penalty=0.0), dict(length_penalty=2.0, early_stopping=True),
     dict(length_penalty=-1.0), dict(length_penalty=0.7, early_stopping="never"),
     dict(no_repeat_ngram_size=2), dict(no_repeat_ngram_size=3, length_penalty=1.5),
     dict(repetition_penalty=1.3, early_stopping=True)])]


def make(out):
    model = GPT2LMHeadModel(GPT2Config(**SIZES))
    for key, parameter in model.named_parameters():
        generator = torch.Generator().manual_seed(zlib.crc32(f"generation/{key}".encode()))
        noise = torch.randn(parameter.shape, generator=generator)
        gain = ".ln_" in key and key.endswith("weight")
        parameter.data = 1.0 + 0.3 * noise if gain else 0.35 * noise
    directory = out / "model"
    shutil.rmtree(directory, ignore_errors=True)
    model.save_pretrained(directory)
    model = GPT2LMHeadModel.from_pretrained(directory, attn_implementation="eager").eval().double()
    cases = []
    for options in OPTIONS:
        for prompt in PROMPTS:
            for tokens in (6, 24):
                ids = torch.tensor([prompt])
                made = model.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False,
                                      max_new_tokens=tokens, pad_token_id=END, **options)
                new = made[0, len(prompt):].tolist()
                if END in new:
                    new = new[:new.index(END)]
                cases.append(dict(options=options, prompt=prompt, max_new_tokens=tokens, ids=new))
    lines = ",\n".join(json.dumps(case) for case in cases)
    (out / "cases.json").write_text(f"[\n{lines}\n]\n")
    print(f"{len(cases)} cases, {sum(len(c['ids']) < c['max_new_tokens'] for c in cases)} end early")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__.splitlines()[0])
    make(Path(sys.argv[1]))
