#!/usr/bin/env python3
"""Compares a model directory that trainyard wrote with what the `transformers` library makes of it.

    trainyard eval MODEL --tokens "1 2 3 ..." --logits OUT.safetensors --gradients GRAD.safetensors
    python3 check_roundtrip.py MODEL --logits OUT.safetensors [--gradients GRAD.safetensors]

OUT holds `logits` [N, V] and, if the tokens are not given here, `tokens` [N + 1]; `loss` is
compared when it is there. With `--inputs FILE` in place of tokens (both times), FILE holds the
arguments of the model, which is of the class that config.json names. The library computes in
float64. Ends with 0 if all agrees, else with 1.
"""

import argparse
import json
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file
import transformers

# Buffers of older files that are no weights, and the bias that an untied BERT has and does not add.
NOT_WEIGHTS = (".attn.bias", ".attn.masked_bias", ".position_ids", "cls.predictions.bias")


def compare(what, ours, theirs, tolerance, scale=None):
    """One line of verdict; the error is relative to the largest number of the tensor."""
    if tuple(ours.shape) != tuple(theirs.shape):
        print(f"WRONG  {what}: shape {tuple(ours.shape)}, the library has {tuple(theirs.shape)}")
        return False
    scale = scale or max(theirs.abs().max().item(), 1e-30)
    error = (ours.double() - theirs.double()).abs().max().item() / scale
    good = error <= tolerance  # false for NaN
    print(f"{'ok   ' if good else 'WRONG'}  {what}: error {error:.2e} of {scale:.3g}")
    return good


def class_of(directory):
    config = json.loads((Path(directory) / "config.json").read_text())
    return getattr(transformers, config["architectures"][0])


def results_for_tokens(model, tokens):
    logits = model(input_ids=tokens[None, :-1]).logits[0]
    return logits, torch.nn.functional.cross_entropy(logits, tokens[1:])


def results_for_inputs(model, file):
    arguments = {key: value.double() if value.is_floating_point() else value.long()
                 for key, value in load_file(file).items()}
    return model(**arguments)


def without_padding(values, inputs):
    """What stands at padding is left out: it means nothing."""
    mask = load_file(inputs).get("attention_mask") if inputs else None
    return values[mask != 0] if mask is not None and mask.shape == values.shape[:-1] else values


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="Hugging Face directory")
    parser.add_argument("--logits", required=True, help="safetensors file with our numbers")
    parser.add_argument("--gradients", help="safetensors file with our gradients")
    parser.add_argument("--tokens", help='N + 1 ids, "1 2 3"; default: from the logits file')
    parser.add_argument("--inputs", help="safetensors file with the model's arguments")
    parser.add_argument("--tolerance", type=float, default=1e-5, help="relative, default 1e-5")
    arguments = parser.parse_args()

    model, info = class_of(arguments.model).from_pretrained(
        arguments.model, attn_implementation="eager", output_loading_info=True)
    strays = [key for kind in ("missing_keys", "unexpected_keys", "mismatched_keys")
              for key in info[kind] if not str(key).endswith(NOT_WEIGHTS)]
    if strays:
        print(f"WRONG  tensors that the library misses or does not know: {strays[:5]}")
        return 1
    names = stored_names(model, arguments.model)
    model = model.double().eval()

    ours = load_file(arguments.logits)
    pooled = None
    if arguments.inputs:
        result = results_for_inputs(model, arguments.inputs)
        logits, loss = result.get("logits", result.get("last_hidden_state")), result.get("loss")
        pooled = result.get("pooler_output")
    elif arguments.tokens:
        logits, loss = results_for_tokens(
            model, torch.tensor([int(token) for token in arguments.tokens.split()]))
    elif "tokens" in ours:
        logits, loss = results_for_tokens(model, ours["tokens"].long())
    else:
        parser.error(f"{arguments.logits} holds no tokens; give --tokens or --inputs")
    own = ours["logits"] if "logits" in ours else ours["last_hidden_state"]
    good = compare("logits", without_padding(own, arguments.inputs),
                   without_padding(logits.detach(), arguments.inputs), arguments.tolerance)
    if pooled is not None and "last_hidden_state" in ours:
        good &= compare("pooler_output", ours["pooler_output"], pooled.detach(),
                        arguments.tolerance)
    if "loss" in ours:
        good &= compare("loss", ours["loss"].reshape(()), loss.detach(), arguments.tolerance)
    if arguments.gradients:
        loss.backward()
        good &= compare_gradients(model, names, load_file(arguments.gradients),
                                  arguments.tolerance)
    return 0 if good else 1


def stored_names(model, directory):
    """The names in the files of each parameter, found by its numbers."""
    stored = {}
    for file in Path(directory).glob("*.safetensors"):
        stored.update(load_file(file))
    return {key: [name for name, other in stored.items()
                  if other.shape == value.shape and torch.equal(other.to(value.dtype), value)]
            for key, value in model.named_parameters()}


def compare_gradients(model, names, ours, tolerance):
    """Relative to the largest number of a tensor, or a hundredth of the largest of all: some
    gradients are zero but for rounding."""
    parameters = {key: p for key, p in model.named_parameters() if p.grad is not None}
    largest = max(p.grad.abs().max().item() for p in parameters.values())
    good = True
    for key, parameter in parameters.items():
        own = next((name for name in [key, *names[key]] if name in ours), None)
        if own is None:
            print(f"WRONG  gradient of {key}: missing")
            good = False
            continue
        scale = max(parameter.grad.abs().max().item(), 0.01 * largest)
        good &= compare(f"gradient of {own}", ours.pop(own), parameter.grad, tolerance, scale)
    ours.pop("final_logits_bias", None)  # a buffer there
    if ours:
        print(f"WRONG  gradients of unknown tensors: {sorted(ours)[:5]}")
    return good and not ours


if __name__ == "__main__":
    sys.exit(main())
