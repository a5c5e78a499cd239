#!/usr/bin/env python3
"""Makes the golden data of this folder: python3 make_peft.py OUT_DIRECTORY [NAME...]

Adapters with random numbers beside the models of ../families, as the `peft` library saves them,
and the results of `transformers` models that have them, for the inputs of those models. Numbers are
computed in float64 from the float32 weights and stored as float32. Same versions, same files.
"""

import json
import shutil
import sys
import zlib
from pathlib import Path

import torch
import transformers as t
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file

t.utils.logging.disable_progress_bar()
t.utils.logging.set_verbosity_error()

FAMILIES = Path(__file__).resolve().parent.parent / "families"

LABELS = "SEQ_CLS"
# name -> (class, model of ../families, arguments of the class, configuration of the adapters)
ADAPTERS = {
    "bert_q_v": (
        t.BertForSequenceClassification, "bert_labels", {},
        dict(task_type=LABELS, r=2, lora_alpha=3, lora_dropout=0.1,
             target_modules=["query", "value"])),
    "bert_uneven": (
        t.BertForSequenceClassification, "bert_labels", {},
        dict(task_type=LABELS, r=2, lora_alpha=3, use_rslora=True, bias="all",
             target_modules=["query", "key", "intermediate.dense", "attention.output.dense"],
             rank_pattern={"query": 3, "layer.1.intermediate.dense": 4},
             alpha_pattern={"key": 5, "attention.output.dense": 1})),
    "bert_new_head": (
        t.BertForSequenceClassification, "bert_bare", dict(num_labels=4),
        dict(task_type=LABELS, r=3, lora_alpha=8,
             target_modules=["query", "key", "value", "output.dense"],
             exclude_modules=["bert.pooler.dense"])),
    "bert_dora": (
        t.BertForSequenceClassification, "bert_labels", {},
        dict(task_type=LABELS, r=2, lora_alpha=3, use_dora=True,
             target_modules=["query", "value", "intermediate.dense"])),
    "gpt2_all": (
        t.GPT2ForSequenceClassification, "gpt2_labels", {},
        dict(task_type=LABELS, r=3, lora_alpha=4, fan_in_fan_out=True,
             target_modules=["c_attn", "c_proj", "c_fc"])),
    "gpt2_dora": (
        t.GPT2ForSequenceClassification, "gpt2_labels", {},
        dict(task_type=LABELS, r=2, lora_alpha=4, fan_in_fan_out=True, use_dora=True,
             target_modules=["c_attn", "mlp.c_proj"])),
    "opt_q_v": (
        t.OPTForCausalLM, "opt_tied", {},
        dict(task_type="CAUSAL_LM", r=2, lora_alpha=3, target_modules=["q_proj", "v_proj"])),
    "bart_q_v": (
        t.BartForConditionalGeneration, "bart_summary", {},
        dict(task_type="SEQ_2_SEQ_LM", r=2, lora_alpha=3,
             target_modules=["q_proj", "v_proj", "fc1"])),
}


def randomise(model, name):
    """Gives everything that is trained numbers that matter."""
    for key, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        generator = torch.Generator().manual_seed(zlib.crc32(f"{name}/{key}".encode()))
        noise = 0.3 * torch.randn(parameter.shape, generator=generator)
        parameter.data = parameter.data.abs() * noise.exp() if "magnitude" in key else noise


def make(name, out):
    cls, base, arguments, settings = ADAPTERS[name]
    directory = FAMILIES / base / "model"

    def fresh():
        return cls.from_pretrained(directory, attn_implementation="eager", **arguments)

    model = get_peft_model(fresh(), LoraConfig(**settings))
    randomise(model, name)
    shutil.rmtree(out / name, ignore_errors=True)
    model.save_pretrained(out / name)
    (out / name / "README.md").unlink(missing_ok=True)
    file = out / name / "adapter_config.json"
    config = json.loads(file.read_text())
    config["base_model_name_or_path"] = f"../../families/{base}/model"
    for key in ("target_modules", "exclude_modules", "modules_to_save"):  # sets there
        config[key] = sorted(config[key]) if isinstance(config[key], list) else config[key]
    file.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")

    # What counts is what the library makes of the saved directory.
    model = PeftModel.from_pretrained(fresh(), out / name).double().eval()
    inputs = load_file(FAMILIES / base / "inputs.safetensors")
    inputs.pop("labels", None) if arguments else None
    expected = {"logits": model(**inputs).logits.detach().float().contiguous()}
    save_file(expected, out / name / "expected.safetensors")
    print(name, sum(tensor.numel() for tensor in
                    load_file(out / name / "adapter_model.safetensors").values()))


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__.splitlines()[0])
    for adapters in sys.argv[2:] or ADAPTERS:
        make(adapters, Path(sys.argv[1]))
