"""Directories as older versions of the `transformers` library and other programs left them: tensors
under other names, copies of tied tables, buffers, heads that the class does not read."""

import json

import torch
from safetensors.torch import load_file, save_file


def edit(directory, change, keys):
    """Changes the tensors, and sets config.json's keys (None: removes them)."""
    file = directory / "model.safetensors"
    save_file({key: value.clone() for key, value in change(load_file(file)).items()}, file,
              {"format": "pt"})
    file = directory / "config.json"
    config = json.loads(file.read_text())
    for key, value in keys.items():
        if value is None:
            config.pop(key, None)
        else:
            config[key] = value
    file.write_text(json.dumps(config, indent=2) + "\n")


def old_bert(directory):
    """Like the first files of BERT: gamma and beta, a buffer, the table twice, and the head of its
    second task, which a BertForMaskedLM does not have."""
    def change(tensors):
        respelt = {key.replace("LayerNorm.weight", "LayerNorm.gamma")
                      .replace("LayerNorm.bias", "LayerNorm.beta"): value
                   for key, value in tensors.items()}
        table = respelt["bert.embeddings.word_embeddings.weight"]
        width = table.shape[1]
        respelt["cls.predictions.decoder.weight"] = table
        respelt["cls.predictions.decoder.bias"] = respelt["cls.predictions.bias"]
        respelt["bert.embeddings.position_ids"] = torch.arange(11)[None]
        respelt["bert.pooler.dense.weight"] = torch.full((width, width), 0.5)
        respelt["bert.pooler.dense.bias"] = torch.full((width,), 0.5)
        respelt["cls.seq_relationship.weight"] = torch.full((2, width), 0.5)
        respelt["cls.seq_relationship.bias"] = torch.full((2,), 0.5)
        return respelt
    edit(directory, change, dict.fromkeys(
        ["add_cross_attention", "bos_token_id", "classifier_dropout", "dtype", "eos_token_id",
         "is_decoder", "tie_word_embeddings", "transformers_version", "use_cache"]))


def old_opt(directory):
    """Without "model.", the table twice."""
    def change(tensors):
        respelt = {key.removeprefix("model."): value for key, value in tensors.items()}
        respelt["lm_head.weight"] = respelt["decoder.embed_tokens.weight"]
        return respelt
    edit(directory, change, dict.fromkeys(
        ["enable_bias", "layer_norm_elementwise_affine", "tie_word_embeddings", "dtype"]))


def old_bart(directory):
    """The table three times, and keys of older versions that say what is so anyway."""
    def change(tensors):
        tensors["encoder.embed_tokens.weight"] = tensors["shared.weight"]
        tensors["decoder.embed_tokens.weight"] = tensors["shared.weight"]
        return tensors
    edit(directory, change,
         dict(normalize_before=False, normalize_embedding=True, add_final_layer_norm=False,
              add_bias_logits=False, num_hidden_layers=1, tie_word_embeddings=None, dtype=None))
