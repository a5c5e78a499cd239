#!/usr/bin/env python3
"""Compares adapters that trainyard wrote with what the `peft` library makes of them.

    compare_peft.py inputs FILE VOCAB                       random input_ids for a model
    compare_peft.py BASE ADAPTERS OURS INPUTS [LABELS]      BASE is read as the class for the task of
                                                            ADAPTERS, with so many labels

OURS is what `trainyard eval MODEL --inputs INPUTS --logits OURS` wrote. Ends with 0 if logits differ
by less than 1e-4, all adapters were read, and they change something.
"""

import sys
import warnings

import torch
import transformers
from peft import PeftConfig, PeftModel
from safetensors.torch import load_file, save_file

CLASSES = {"CAUSAL_LM": transformers.AutoModelForCausalLM,
           "SEQ_CLS": transformers.AutoModelForSequenceClassification}


def make_inputs(file, vocab):
    generator = torch.Generator().manual_seed(5)
    ids = torch.randint(0, int(vocab), (3, 9), generator=generator)
    save_file({"input_ids": ids, "attention_mask": torch.ones_like(ids)}, file)


def main(base, adapters, ours, inputs, labels=None):
    transformers.utils.logging.set_verbosity_error()
    config = PeftConfig.from_pretrained(adapters)
    arguments = {} if labels is None else {"num_labels": int(labels)}
    model = CLASSES[config.task_type].from_pretrained(base, attn_implementation="eager",
                                                      **arguments).eval()
    given = load_file(inputs)
    with torch.no_grad():
        before = model(**given).logits
        with warnings.catch_warnings():
            # Of adapters that were not read, or that the model has not.
            warnings.filterwarnings("error", message=".*adapter keys.*")
            model = PeftModel.from_pretrained(model, adapters).eval()
        theirs = model(**given).logits
    error = (load_file(ours)["logits"] - theirs).abs().max().item()
    change = (before - theirs).abs().max().item()
    good = error < 1e-4 < change
    print(f"{'ok' if good else 'WRONG'}  {adapters}: error {error:.1e}, they change {change:.2g}")
    return 0 if good else 1


if __name__ == "__main__":
    if sys.argv[1] == "inputs":
        make_inputs(*sys.argv[2:])
    else:
        sys.exit(main(*sys.argv[1:]))
