#!/usr/bin/env python3
"""Compares a model directory that trainyard wrote with what the `transformers` library makes of it.

    trainyard eval MODEL --tokens "1 2 3 ..." --logits OUT.safetensors --gradients GRAD.safetensors
    python3 check_roundtrip.py MODEL --logits OUT.safetensors [--gradients GRAD.safetensors]

OUT holds `logits` [N, V] and, if the tokens are not given here, `tokens` [N + 1]; `loss` is
compared when it is there. The library computes in float64. Ends with 0 if all agrees, else with 1.
"""

import argparse
import sys

import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

# Buffers of older files that are no weights.
NOT_WEIGHTS = (".attn.bias", ".attn.masked_bias")


def compare(what, ours, theirs, tolerance):
    """One line of verdict; the error is relative to the largest number of the tensor."""
    if tuple(ours.shape) != tuple(theirs.shape):
        print(f"WRONG  {what}: shape {tuple(ours.shape)}, the library has {tuple(theirs.shape)}")
        return False
    scale = max(theirs.abs().max().item(), 1e-30)
    error = (ours.double() - theirs.double()).abs().max().item() / scale
    good = error <= tolerance  # false for NaN
    print(f"{'ok   ' if good else 'WRONG'}  {what}: error {error:.2e} of {scale:.3g}")
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="Hugging Face directory")
    parser.add_argument("--logits", required=True, help="safetensors file with our numbers")
    parser.add_argument("--gradients", help="safetensors file with our gradients")
    parser.add_argument("--tokens", help='N + 1 ids, "1 2 3"; default: from the logits file')
    parser.add_argument("--tolerance", type=float, default=1e-5, help="relative, default 1e-5")
    arguments = parser.parse_args()

    model, info = AutoModelForCausalLM.from_pretrained(
        arguments.model, attn_implementation="eager", output_loading_info=True)
    strays = [key for kind in ("missing_keys", "unexpected_keys", "mismatched_keys")
              for key in info[kind] if not str(key).endswith(NOT_WEIGHTS)]
    if strays:
        print(f"WRONG  tensors that the library misses or does not know: {strays[:5]}")
        return 1
    model = model.double().eval()

    ours = load_file(arguments.logits)
    if arguments.tokens:
        tokens = torch.tensor([int(token) for token in arguments.tokens.split()])
    elif "tokens" in ours:
        tokens = ours["tokens"].long()
    else:
        parser.error(f"{arguments.logits} holds no tokens; give --tokens")
    logits = model(input_ids=tokens[None, :-1]).logits[0]
    loss = torch.nn.functional.cross_entropy(logits, tokens[1:])
    good = compare("logits", ours["logits"], logits.detach(), arguments.tolerance)
    if "loss" in ours:
        good &= compare("loss", ours["loss"].reshape(()), loss.detach(), arguments.tolerance)
    if arguments.gradients:
        loss.backward()
        good &= compare_gradients(model, load_file(arguments.gradients), arguments.tolerance)
    return 0 if good else 1


def compare_gradients(model, ours, tolerance):
    prefix = model.base_model_prefix + "."
    good = True
    for key, parameter in model.named_parameters():
        own = key if key in ours else key.removeprefix(prefix)
        if own not in ours:
            print(f"WRONG  gradient of {key}: missing")
            good = False
            continue
        good &= compare(f"gradient of {own}", ours.pop(own), parameter.grad, tolerance)
    if ours:
        print(f"WRONG  gradients of unknown tensors: {sorted(ours)[:5]}")
    return good and not ours


if __name__ == "__main__":
    sys.exit(main())
