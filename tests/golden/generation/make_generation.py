#!/usr/bin/env python3
"""Makes the golden data of this folder: python3 make_generation.py OUT_DIRECTORY [NAME...]

Tiny random models as the `transformers` library saves them, and what its generate() makes of some
prompts without sampling. Each case is in cases.json: the options under the library's own names, the
prompt (of BART, what its encoder reads), the new ids without the end of text. Same seeds, same
versions, same files.
"""

import json
import shutil
import sys
import zlib
from pathlib import Path

import torch
import transformers as t

t.utils.logging.disable_progress_bar()
t.utils.logging.set_verbosity_error()

QUIET = dict(dropout=0.0, attention_dropout=0.0)
GPT2 = dict(vocab_size=29, n_positions=48, n_embd=16, n_head=2, n_layer=2, resid_pdrop=0.0,
            embd_pdrop=0.0, attn_pdrop=0.0, bos_token_id=25, eos_token_id=25)
OPT = dict(QUIET, vocab_size=29, hidden_size=16, num_attention_heads=2, ffn_dim=20,
           num_hidden_layers=2, max_position_embeddings=48, bos_token_id=25, eos_token_id=25,
           pad_token_id=1)
BART = dict(QUIET, vocab_size=29, d_model=16, encoder_attention_heads=2, decoder_attention_heads=2,
            encoder_ffn_dim=20, decoder_ffn_dim=20, encoder_layers=2, decoder_layers=2,
            max_position_embeddings=48, scale_embedding=True, bos_token_id=0, pad_token_id=1,
            eos_token_id=25, decoder_start_token_id=25, forced_eos_token_id=None)
MODELS = {
    "gpt2": (t.GPT2LMHeadModel, GPT2),
    "opt": (t.OPTForCausalLM, OPT),
    "opt_projected": (t.OPTForCausalLM,
                      dict(OPT, word_embed_proj_dim=10, do_layer_norm_before=False)),
    "bart": (t.BartForConditionalGeneration, BART),
}
END = 25
PROMPTS = [[5, 11, 2], [7], [20, 1, 1, 9, 14, 8], [17, 26]]
GREEDY = [{}, dict(no_repeat_ngram_size=2), dict(no_repeat_ngram_size=1),
          dict(repetition_penalty=1.7)]
SEARCHED = [{}, dict(length_penalty=0.0), dict(length_penalty=2.0, early_stopping=True),
            dict(length_penalty=-1.0), dict(length_penalty=0.7, early_stopping="never"),
            dict(no_repeat_ngram_size=2), dict(no_repeat_ngram_size=3, length_penalty=1.5),
            dict(repetition_penalty=1.3, early_stopping=True)]
# As its summaries are made.
FORCED = [dict(forced_bos_token_id=0, forced_eos_token_id=END, **more) for more in (
    {}, dict(no_repeat_ngram_size=3, length_penalty=2.0, early_stopping=True))]


def options_of(name):
    forced = FORCED if name == "bart" else []
    return [dict(num_beams=beams, **more) for beams in (1, 3, 4)
            for more in (GREEDY + forced[:1] if beams == 1 else SEARCHED + forced)]


def randomise(model, name):
    prefix = "generation" if name == "gpt2" else f"generation/{name}"
    gains = {id(module.weight) for module in model.modules()
             if isinstance(module, torch.nn.LayerNorm)}
    named = list(model.named_parameters())
    if name == "bart":
        named.append(("final_logits_bias", model.final_logits_bias))
    for key, parameter in named:
        generator = torch.Generator().manual_seed(zlib.crc32(f"{prefix}/{key}".encode()))
        noise = torch.randn(parameter.shape, generator=generator)
        parameter.data = 1.0 + 0.3 * noise if id(parameter) in gains else 0.35 * noise


def make(name, out):
    cls, settings = MODELS[name]
    model = cls(cls.config_class(**settings))
    randomise(model, name)
    directory = out / name / "model"
    shutil.rmtree(directory, ignore_errors=True)
    model.save_pretrained(directory)
    model = cls.from_pretrained(directory, attn_implementation="eager").eval().double()
    cases = []
    for options in options_of(name):
        for prompt in PROMPTS:
            for tokens in (6, 24):
                ids = torch.tensor([prompt])
                made = model.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False,
                                      max_new_tokens=tokens, pad_token_id=END, **options)
                first = 1 if model.config.is_encoder_decoder else len(prompt)
                new = made[0, first:].tolist()
                if END in new:
                    new = new[:new.index(END)]
                cases.append(dict(options=options, prompt=prompt, max_new_tokens=tokens, ids=new))
    lines = ",\n".join(json.dumps(case) for case in cases)
    (out / name / "cases.json").write_text(f"[\n{lines}\n]\n")
    ends = sum(len(c["ids"]) < c["max_new_tokens"] for c in cases)
    print(f"{name}: {len(cases)} cases, {ends} end early")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__.splitlines()[0])
    for one in sys.argv[2:] or MODELS:
        make(one, Path(sys.argv[1]))
