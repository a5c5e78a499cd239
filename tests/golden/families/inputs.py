"""Batches of arguments of the `transformers` library's models: random ids, right padding, labels of
which some are none (-100)."""

import torch

LENGTHS = [7, 4, 6]  # of sequences without their padding
NONE = -100
FIRST_WORD = 3  # ids below may mean something: padding, start, end


def tokens(config, random, lengths=None, types=True):
    """input_ids and attention_mask [B, T]; token_type_ids of a first and a second text."""
    lengths = lengths or LENGTHS
    longest = max(lengths)
    ids = torch.randint(FIRST_WORD, config.vocab_size, (len(lengths), longest), generator=random)
    mask = torch.arange(longest) < torch.tensor(lengths)[:, None]
    batch = {"input_ids": ids.masked_fill(~mask, config.pad_token_id),
             "attention_mask": mask.long()}
    kinds = getattr(config, "type_vocab_size", 0)
    if types and kinds:
        starts = torch.tensor([length // 2 for length in lengths])[:, None]
        second = (torch.arange(longest) >= starts) & mask
        batch["token_type_ids"] = second.long() * (kinds - 1)
    return batch


def bare(config, random):
    return tokens(config, random)


def causal(config, random):
    """Labels are the tokens themselves: the library shifts them."""
    batch = tokens(config, random)
    labels = batch["input_ids"].masked_fill(batch["attention_mask"] == 0, NONE)
    labels[0, 3] = NONE
    return dict(batch, labels=labels)


def masked(config, random):
    """Some tokens are to be predicted, from whatever stands in their place."""
    batch = tokens(config, random)
    shape = batch["input_ids"].shape
    chosen = torch.rand(shape, generator=random) < 0.4
    words = torch.randint(FIRST_WORD, config.vocab_size, shape, generator=random)
    chosen &= batch["attention_mask"] == 1
    return dict(batch, labels=words.masked_fill(~chosen, NONE))


def labels(config, random):
    batch = tokens(config, random)
    chosen = torch.randint(config.num_labels, (len(LENGTHS),), generator=random)
    return dict(batch, labels=chosen)


def ended_labels(config, random):
    """Each sequence ends with the end-of-text token, whose vector is pooled."""
    batch = labels(config, random)
    last = torch.tensor(LENGTHS) - 1
    batch["input_ids"][torch.arange(len(LENGTHS)), last] = config.eos_token_id
    return batch


def values(config, random):
    return dict(tokens(config, random), labels=torch.randn(len(LENGTHS), generator=random))


def written(config, random):
    """What a decoder is to write; its inputs follow from that."""
    batch = tokens(config, random)
    target = torch.randint(FIRST_WORD, config.vocab_size, (len(LENGTHS), 5), generator=random)
    target[1, 3:] = NONE
    return dict(batch, labels=target)


def written_after(config, random):
    """The same with inputs of the decoder that differ from the labels; no padding."""
    batch = written(config, random)
    given = torch.randint(FIRST_WORD, config.vocab_size, batch["labels"].shape, generator=random)
    ids = torch.randint(FIRST_WORD, config.vocab_size, batch["input_ids"].shape, generator=random)
    return {"input_ids": ids, "decoder_input_ids": given, "labels": batch["labels"]}


def bare_written(config, random):
    given = torch.randint(FIRST_WORD, config.vocab_size, (len(LENGTHS), 5), generator=random)
    return dict(tokens(config, random), decoder_input_ids=given)


def bare_images(config, random):
    shape = (3, config.num_channels, config.image_size, config.image_size)
    return {"pixel_values": torch.randn(shape, generator=random)}


def images(config, random):
    chosen = torch.randint(config.num_labels, (3,), generator=random)
    return dict(bare_images(config, random), labels=chosen)
