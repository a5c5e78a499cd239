"""loss_curve.py RUN: trains what the run directory holds (weights of checkpoints/step-0, tokens of
data/train.bin, keys of config.yaml) again in PyTorch and compares the losses of metrics.jsonl."""

import json
import math
import sys
from pathlib import Path

import numpy as np
import torch
import yaml

from data_order import first_token, read_tokens
from gpt2 import Gpt2

LIMIT = 1e-4


def learning_rate(step, steps, peak, floor, warmup):
    if step < warmup:
        return peak * (step + 1) / warmup
    progress = (step - warmup) / (steps - 1 - warmup)
    return floor + 0.5 * (peak - floor) * (1 + math.cos(math.pi * progress))


def train(run, dtype):
    """The loss of every step."""
    job = yaml.safe_load((run / "config.yaml").read_text())
    optim, schedule, data, seed = job["optim"], job["schedule"], job["data"], job["run"]["seed"]
    assert schedule["name"] == "cosine" and job["model"]["dropout"] == 0, "not what this script does"
    shape = json.loads((run / "checkpoints/step-0/config.json").read_text())
    model = Gpt2(*(shape[key] for key in ("n_layer", "n_embd", "n_head", "n_positions", "vocab_size")))
    model.load(run / "checkpoints/step-0/model.safetensors")
    model.to(dtype)
    adamw = torch.optim.AdamW(model.groups(optim["weight_decay"]), betas=optim["betas"], eps=optim["eps"])
    tokens = read_tokens(run / "data/train.bin").astype(np.int64)
    losses = []
    for step in range(job["run"]["steps"]):
        first = [first_token(step * data["batch"] + i, len(tokens), data["sequence"], seed)
                 for i in range(data["batch"])]
        windows = torch.tensor(np.stack([tokens[f:f + data["sequence"] + 1] for f in first]))
        adamw.zero_grad()
        loss = model(windows[:, :-1], windows[:, 1:])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), optim["clip"] or math.inf)
        for group in adamw.param_groups:
            group["lr"] = learning_rate(step, job["run"]["steps"], optim["lr"], schedule["min_lr"],
                                        schedule["warmup"])
        adamw.step()
        losses.append(loss.item())
    return losses


def largest(a, b):
    return max(abs(x - y) / abs(y) for x, y in zip(a, b, strict=True))


def main():
    run = Path(sys.argv[1])
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    ours = [line["loss"] for line in lines if "loss" in line]
    theirs, exact = train(run, torch.float32), train(run, torch.float64)
    difference = largest(ours, theirs)
    print(f"step  trainyard   PyTorch {torch.__version__}   relative difference")
    for step, (a, b) in enumerate(zip(ours, theirs), 1):
        print(f"{step:4}  {a:.7f}   {b:.7f}   {abs(a - b) / b:.1e}")
    print(f"largest relative difference of {len(ours)} losses: {difference:.1e} (limit {LIMIT:.0e})")
    print(f"from PyTorch in float64: trainyard {largest(ours, exact):.1e}, "
          f"PyTorch in float32 {largest(theirs, exact):.1e}")
    sys.exit(0 if difference <= LIMIT else 1)


if __name__ == "__main__":
    main()
