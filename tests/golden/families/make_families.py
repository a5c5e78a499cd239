#!/usr/bin/env python3
"""Makes the golden data of this folder: python3 make_families.py OUT_DIRECTORY [NAME...]

Tiny random models of several families as the `transformers` library saves them, each with a batch
of inputs and the library's own results, loss and gradients. Numbers are computed in float64 from
the float32 weights and stored as float32. Same seeds, same versions, same files.
"""

import shutil
import sys
import zlib
from pathlib import Path

import torch
import transformers as t
from safetensors.torch import load_file, save_file

import inputs
import spellings

t.utils.logging.disable_progress_bar()
t.utils.logging.set_verbosity_error()

QUIET = dict(dropout=0.0, attention_dropout=0.0)
QUIET_BERT = dict(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)

OPT = dict(QUIET, vocab_size=23, hidden_size=9, num_attention_heads=3, ffn_dim=14,
           num_hidden_layers=2, max_position_embeddings=11)
BERT = dict(QUIET_BERT, vocab_size=29, hidden_size=9, num_attention_heads=3,
            intermediate_size=14, num_hidden_layers=2, max_position_embeddings=11)
DISTILBERT = dict(QUIET, vocab_size=27, dim=10, n_heads=2, hidden_dim=13, n_layers=2,
                  max_position_embeddings=9, seq_classif_dropout=0.0)
BART = dict(QUIET, vocab_size=21, d_model=9, encoder_attention_heads=3,
            decoder_attention_heads=3, encoder_ffn_dim=14, decoder_ffn_dim=14, encoder_layers=1,
            decoder_layers=1, max_position_embeddings=10)
VIT = dict(QUIET_BERT, hidden_size=9, num_attention_heads=3, intermediate_size=14,
           num_hidden_layers=2)
GPT2 = dict(resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, vocab_size=26, n_embd=9, n_head=3,
            n_layer=2, n_positions=11, bos_token_id=2, eos_token_id=2)

# name -> (class, configuration, batch of inputs.py, change of the saved files in spellings.py)
MODELS = {
    "opt_tied": (t.OPTForCausalLM, OPT, inputs.causal, None),
    "opt_projected": (
        t.OPTForCausalLM, dict(OPT, word_embed_proj_dim=7, do_layer_norm_before=False),
        inputs.causal, None),
    "opt_labels": (
        t.OPTForSequenceClassification, dict(OPT, num_labels=3, activation_function="gelu"),
        inputs.labels, None),
    "opt_old": (
        t.OPTForCausalLM, dict(OPT, num_hidden_layers=1, _remove_final_layer_norm=True),
        inputs.causal, spellings.old_opt),
    "bert_masked": (t.BertForMaskedLM, BERT, inputs.masked, None),
    "bert_old": (
        t.BertForMaskedLM, dict(BERT, num_hidden_layers=1, hidden_act="gelu_new"), inputs.masked,
        spellings.old_bert),
    "bert_own_head": (
        t.BertForMaskedLM, dict(BERT, num_hidden_layers=1, tie_word_embeddings=False),
        inputs.masked, None),
    "bert_labels": (
        t.BertForSequenceClassification, dict(BERT, num_labels=3, hidden_act="relu"),
        inputs.labels, None),
    "bert_value": (
        t.BertForSequenceClassification,
        dict(BERT, num_hidden_layers=1, num_labels=1, problem_type="regression",
             layer_norm_eps=1e-5),
        inputs.values, None),
    "bert_bare": (t.BertModel, dict(BERT, type_vocab_size=3), inputs.bare, None),
    "distilbert_masked": (t.DistilBertForMaskedLM, DISTILBERT, inputs.masked, None),
    "distilbert_labels": (
        t.DistilBertForSequenceClassification, dict(DISTILBERT, num_labels=4, activation="relu"),
        inputs.labels, None),
    "bart_summary": (
        t.BartForConditionalGeneration, dict(BART, decoder_layers=2, scale_embedding=True),
        inputs.written, None),
    "bart_bias": (
        t.BartForConditionalGeneration, dict(BART, encoder_layers=2), inputs.written_after, None),
    "bart_labels": (
        t.BartForSequenceClassification, dict(BART, num_labels=3), inputs.ended_labels, None),
    "bart_bare": (t.BartModel, BART, inputs.bare_written, spellings.old_bart),
    "vit_labels": (
        t.ViTForImageClassification, dict(VIT, num_labels=5, image_size=12, patch_size=4),
        inputs.images, None),
    "vit_grey": (
        t.ViTForImageClassification,
        dict(VIT, num_labels=2, image_size=9, patch_size=3, num_channels=1, qkv_bias=True,
             hidden_act="gelu_new", problem_type="single_label_classification"),
        inputs.images, None),
    "vit_bare": (
        t.ViTModel, dict(VIT, num_hidden_layers=1, image_size=12, patch_size=6),
        inputs.bare_images, None),
    "gpt2_labels": (
        t.GPT2ForSequenceClassification, dict(GPT2, num_labels=3, pad_token_id=1), inputs.labels,
        None),
}


def randomise(model, name):
    """Gives every parameter values that matter: no zero biases, no gains of one."""
    gains = {id(module.weight) for module in model.modules()
             if isinstance(module, torch.nn.LayerNorm)}
    for key, parameter in model.named_parameters():
        generator = torch.Generator().manual_seed(zlib.crc32(f"{name}/{key}".encode()))
        noise = torch.randn(parameter.shape, generator=generator)
        parameter.data = 1.0 + 0.3 * noise if id(parameter) in gains else 0.3 * noise
    if name == "bart_bias":
        generator = torch.Generator().manual_seed(zlib.crc32(b"bias"))
        bias = model.final_logits_bias
        bias.copy_(torch.randn(bias.shape, generator=generator))


def stored_names(model, directory):
    """The name in the file of each parameter, found by its numbers, which are random."""
    stored = load_file(directory / "model.safetensors")
    names = {}
    for key, value in [*model.named_parameters(), *model.named_buffers()]:
        same = sorted(name for name, other in stored.items()
                      if other.shape == value.shape and torch.equal(other, value))
        if value.is_floating_point() and value.abs().max() > 0:
            assert same, f"{key} is not among the stored tensors"
            # Of copies of one table, the one that the library writes.
            names[key] = next((name for name in same if name.endswith(key)), same[0])
    return names


def make(name, out):
    cls, settings, batch, respell = MODELS[name]
    model = cls(cls.config_class(**settings))
    randomise(model, name)
    directory = out / name / "model"
    shutil.rmtree(out / name, ignore_errors=True)
    directory.mkdir(parents=True)
    model.save_pretrained(directory)
    (directory / "generation_config.json").unlink(missing_ok=True)
    if respell:
        respell(directory)

    # What counts is what the library makes of the saved directory.
    model = cls.from_pretrained(directory, attn_implementation="eager").eval()
    names = stored_names(model, directory)
    model = model.double()
    for _, buffer in model.named_buffers():
        buffer.requires_grad_(buffer.is_floating_point())
    given = batch(model.config, torch.Generator().manual_seed(zlib.crc32(name.encode())))
    doubles = {key: value.double() if value.is_floating_point() else value
               for key, value in given.items()}
    result = model(**doubles)
    expected = {key: getattr(result, key).detach().float().contiguous()
                for key in ("logits", "last_hidden_state", "pooler_output", "loss")
                if getattr(result, key, None) is not None}
    save_file(given, out / name / "inputs.safetensors")
    save_file(expected, out / name / "expected.safetensors")
    if "loss" not in expected:
        print(f"{name}: no loss")
        return
    result.loss.backward()
    values = dict([*model.named_parameters(), *model.named_buffers()])
    # A bias that is stored without being read has none.
    gradients = {stored: values[key].grad.float().contiguous() for key, stored in names.items()
                 if values[key].grad is not None}
    save_file(gradients, out / name / "gradients.safetensors")
    count = sum(g.numel() for g in gradients.values())
    print(f"{name}: loss {expected['loss']:.6f}, {count} parameters")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__.splitlines()[0])
    for model_name in sys.argv[2:] or MODELS:
        make(model_name, Path(sys.argv[1]))
