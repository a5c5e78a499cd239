#!/usr/bin/env python3
"""Makes the GPT-2 golden data of this folder: python3 make_gpt2.py OUT_DIRECTORY [NAME...]

Tiny random models as the `transformers` library saves them, with its own logits, loss and gradients
for a fixed list of tokens. Numbers are computed in float64 from the float32 weights (upcast_*: in
float32) and stored as float32, so they are right to the last bit or so. Same seeds, same versions, same files.
"""

import json
import shutil
import sys
import zlib
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import GPT2Config, GPT2LMHeadModel

QUIET = dict(resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, bos_token_id=0, eos_token_id=0)

# name -> (configuration, tokens in a row, bytes per shard)
MODELS = {
    "tied_gelu_new": (
        dict(vocab_size=61, n_positions=17, n_embd=24, n_head=3, n_layer=2,
             activation_function="gelu_new"), 17, None),
    "untied_gelu": (
        dict(vocab_size=50, n_positions=16, n_embd=20, n_head=2, n_layer=2, n_inner=36,
             activation_function="gelu", tie_word_embeddings=False, layer_norm_epsilon=1e-4), 11,
        None),
    "old_relu": (
        dict(vocab_size=37, n_positions=13, n_embd=12, n_head=4, n_layer=1,
             activation_function="relu"), 9, None),
    "sharded": (
        dict(vocab_size=40, n_positions=12, n_embd=16, n_head=4, n_layer=3,
             activation_function="gelu_new"), 12, "20KB"),
    "depth_silu": (
        dict(vocab_size=23, n_positions=9, n_embd=8, n_head=2, n_layer=3, activation_function="silu",
             scale_attn_by_inverse_layer_idx=True), 9, None),
    "unscaled_quick_gelu": (
        dict(vocab_size=23, n_positions=9, n_embd=8, n_head=2, n_layer=2,
             activation_function="quick_gelu", scale_attn_weights=False), 9, None),
    "upcast_gelu_fast": (
        dict(vocab_size=23, n_positions=9, n_embd=8, n_head=2, n_layer=2,
             activation_function="gelu_fast", scale_attn_by_inverse_layer_idx=True,
             reorder_and_upcast_attn=True), 9, None),
    "own_head_tanh": (
        dict(vocab_size=23, n_positions=9, n_embd=8, n_head=2, n_layer=1,
             activation_function="tanh", tie_word_embeddings=False), 9, None),
    "head_only": (
        dict(vocab_size=23, n_positions=9, n_embd=8, n_head=2, n_layer=1,
             activation_function="relu"), 9, None),
}


def randomise(model, name):
    """Gives every parameter values that matter: no zero biases, no gains of one."""
    for key, parameter in model.named_parameters():
        generator = torch.Generator().manual_seed(zlib.crc32(f"{name}/{key}".encode()))
        noise = torch.randn(parameter.shape, generator=generator)
        gain = ".ln_" in key and key.endswith("weight")
        parameter.data = 1.0 + 0.3 * noise if gain else 0.2 * noise


def save_model(model, name, directory, shard_bytes):
    if name == "old_relu":
        # Keys without "transformer.", the causal mask as a stored buffer and the first spelling of
        # config.json, as in the files of the original GPT-2 release.
        model.transformer.save_pretrained(directory)
        (directory / "generation_config.json").unlink(missing_ok=True)
        tensors = load_file(directory / "model.safetensors")
        config = model.config
        mask = torch.ones(config.n_positions, config.n_positions).tril()[None, None].contiguous()
        tensors["h.0.attn.bias"] = mask
        save_file(tensors, directory / "model.safetensors", {"format": "pt"})
        old = dict(activation_function=config.activation_function,
                   architectures=["GPT2LMHeadModel"], attn_pdrop=0.0, bos_token_id=0,
                   embd_pdrop=0.0, eos_token_id=0, initializer_range=0.02,
                   layer_norm_epsilon=config.layer_norm_epsilon, model_type="gpt2",
                   n_ctx=config.n_positions, n_embd=config.n_embd, n_head=config.n_head,
                   n_layer=config.n_layer, n_positions=config.n_positions, resid_pdrop=0.0,
                   summary_activation=None, summary_first_dropout=0.1,
                   summary_proj_to_labels=True, summary_type="cls_index", summary_use_proj=True,
                   vocab_size=config.vocab_size)
        (directory / "config.json").write_text(json.dumps(old, indent=2) + "\n")
    elif name == "own_head_tanh":
        # A head of its own beside a flag that says there is none: the library reads the head.
        model.save_pretrained(directory)
        config = json.loads((directory / "config.json").read_text())
        config["tie_word_embeddings"] = True
        (directory / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    elif name == "head_only":
        # The shared table under the head's name only.
        model.save_pretrained(directory)
        tensors = load_file(directory / "model.safetensors")
        tensors["lm_head.weight"] = tensors.pop("transformer.wte.weight")
        save_file(tensors, directory / "model.safetensors", {"format": "pt"})
    elif shard_bytes:
        model.save_pretrained(directory, max_shard_size=shard_bytes)
    else:
        model.save_pretrained(directory)


def run(model, tokens):
    """Logits of the first N tokens, mean loss of the N targets; gradients stay in the model."""
    logits = model(input_ids=tokens[None, :-1]).logits[0]
    loss = torch.nn.functional.cross_entropy(logits, tokens[1:])
    model.zero_grad()
    loss.backward()
    return logits.detach(), loss.detach()


def make(name, out):
    settings, length, shard_bytes = MODELS[name]
    model = GPT2LMHeadModel(GPT2Config(**QUIET, **settings))
    randomise(model, name)
    directory = out / name / "model"
    shutil.rmtree(out / name, ignore_errors=True)
    directory.mkdir(parents=True)
    save_model(model, name, directory, shard_bytes)

    # What counts is what the library makes of the saved directory.
    model = GPT2LMHeadModel.from_pretrained(directory, attn_implementation="eager").eval()
    generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))
    tokens = torch.randint(settings["vocab_size"], (length + 1,), generator=generator)
    single_logits, single_loss = run(model, tokens)
    # The library computes upcast attention in float32 only.
    logits, loss = run(model if model.config.reorder_and_upcast_attn else model.double(), tokens)
    torch.testing.assert_close(single_logits, logits.float(), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(single_loss, loss.float(), rtol=1e-5, atol=1e-6)

    stored = {key for file in directory.glob("*.safetensors") for key in load_file(file)}
    prefix = "" if "wte.weight" in stored else "transformer."
    gradients = {}
    for key, parameter in model.named_parameters():
        own = key if key == "lm_head.weight" else prefix + key.removeprefix("transformer.")
        if name == "head_only" and key == "transformer.wte.weight":
            own = "lm_head.weight"
        assert own in stored, f"{name}: {own} is not among the stored tensors"
        gradients[own] = parameter.grad.float().contiguous()
    save_file({"tokens": tokens, "logits": logits.float().contiguous(), "loss": loss.float()},
              out / name / "expected.safetensors")
    save_file(gradients, out / name / "gradients.safetensors")
    print(f"{name}: loss {loss:.6f}, {sum(g.numel() for g in gradients.values())} parameters")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__.splitlines()[0])
    for model_name in sys.argv[2:] or MODELS:
        make(model_name, Path(sys.argv[1]))
