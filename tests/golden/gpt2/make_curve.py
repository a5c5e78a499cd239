#!/usr/bin/env python3
"""Makes curve.safetensors of this folder: python3 make_curve.py FOLDER

Ten training steps of FOLDER/tied_gelu_new/model by the `transformers` and `torch` libraries, in float64: AdamW
with decay of matrices only, warm-up and cosine, a norm limit that some steps meet. Holds the batches, and the loss
and the gradient norm (before clipping) of every step, and one weight after the last.
"""

import math
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import GPT2LMHeadModel

STEPS, BATCH, LENGTH, VOCAB = 10, 4, 16, 61
PEAK, FLOOR, WARMUP, CLIP = 5e-3, 5e-4, 3, 1.8


def learning_rate(step):
    if step < WARMUP:
        return PEAK * (step + 1) / WARMUP
    progress = (step - WARMUP) / (STEPS - 1 - WARMUP)
    return FLOOR + 0.5 * (PEAK - FLOOR) * (1 + math.cos(math.pi * progress))


def main(folder):
    model = GPT2LMHeadModel.from_pretrained(folder / "tied_gelu_new/model", attn_implementation="eager").double()
    model.train()  # its dropout is 0
    named = dict(model.named_parameters())
    adamw = torch.optim.AdamW(
        [{"params": [p for p in named.values() if p.dim() > 1], "weight_decay": 0.1},
         {"params": [p for p in named.values() if p.dim() == 1], "weight_decay": 0.0}],
        betas=(0.9, 0.95), eps=1e-8)
    generator = torch.Generator().manual_seed(20261128)
    tokens = torch.randint(VOCAB, (STEPS, BATCH, LENGTH + 1), generator=generator)
    losses, norms = [], []
    for step in range(STEPS):
        logits = model(input_ids=tokens[step, :, :-1]).logits
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), tokens[step, :, 1:].flatten())
        adamw.zero_grad()
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP).item())
        for group in adamw.param_groups:
            group["lr"] = learning_rate(step)
        adamw.step()
        losses.append(loss.item())
    save_file({"tokens": tokens.int(), "losses": torch.tensor(losses, dtype=torch.float64),
               "norms": torch.tensor(norms, dtype=torch.float64),
               "weight": named["transformer.h.1.mlp.c_fc.weight"].detach().contiguous()},
              folder / "curve.safetensors")
    print("\n".join(f"step {i + 1}  loss {a:.6f}  norm {b:.6f}" for i, (a, b) in enumerate(zip(losses, norms))))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__.splitlines()[0])
    main(Path(sys.argv[1]))
