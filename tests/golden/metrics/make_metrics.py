#!/usr/bin/env python3
"""Makes the golden data of this folder: ENV/bin/python make_metrics.py OUT_DIRECTORY

classification.json  classes as digits, with accuracy, F1 of class 1, Matthews correlation and
                     confusion counts of scikit-learn
correlation.json     numbers, with Pearson, Spearman and average ranks of scipy
rouge.json           pairs of texts, with precision, recall and F1 of rouge-score for rouge1, rouge2,
                     rougeL and rougeLsum, without and with stemming
stems.json           words with their stems by NLTK

Every word is put together from syllables and endings: nothing comes from a corpus.
"""

import json
import random
import sys
import warnings
from pathlib import Path

from nltk.stem.porter import PorterStemmer
from rouge_score.rouge_scorer import RougeScorer
from scipy.stats import pearsonr, rankdata, spearmanr
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, matthews_corrcoef

CASES, STEMS = 200, 2000
CONSONANTS = "b c d f g h k l m n p r s t v w x y z bl br ch st tr ll ss tt zz nn".split()
VOWELS = "a e i o u y ai ee ou ea io".split()
ENDINGS = ("s es ies ss sses ed eed ied ing y ly ally fully ational tional enci anci izer bli alli entli eli "
           "ousli ization ation ator alism iveness fulness ousness aliti iviti biliti fulli logi icate ative "
           "alize iciti ical ful ness al ance ence er ic able ible ant ement ment ent sion tion ion ou ism ate "
           "iti ous ive ize e ll le ational ement ated bled ized atting 7 2s").split()
IRREGULAR = "sky skies dying lying tying news innings inning outings outing cannings canning howe proceed exceed succeed".split()
ROUGE_TYPES = ["rouge1", "rouge2", "rougeL", "rougeLsum"]


def classification(rng):
    for case in range(CASES):
        classes, size = (2 if case % 2 else rng.randint(2, 5)), rng.randint(1, 30)
        expected = [rng.randrange(classes) for _ in range(size)]
        predicted = [e if rng.random() < 0.5 else rng.randrange(classes) for e in expected]
        yield {"expected": "".join(map(str, expected)), "predicted": "".join(map(str, predicted)),
               "accuracy": accuracy_score(expected, predicted),
               "f1": f1_score([e == 1 for e in expected], [p == 1 for p in predicted], zero_division=0),
               "matthews": float(matthews_corrcoef(expected, predicted)),
               "confusion": confusion_matrix(expected, predicted, labels=range(classes)).ravel().tolist()}


def correlation(rng):
    for case in range(CASES):
        size, digits = rng.randint(2, 12), rng.choice([0, 1, 4])  # few digits give ties
        scale = rng.choice([1, 5, 1e-9, 1e9])
        x = [round(rng.gauss(0, 2), digits) * scale for _ in range(size)]
        y = [round(0.5 * a / scale + rng.gauss(1, 1), digits) for a in x]
        if len(set(x)) < 2 or len(set(y)) < 2:
            x, y = [0.0, 1.0, 1.0], [2.0, 2.0, 1.0]
        yield {"x": x, "y": y, "pearson": float(pearsonr(x, y)[0]), "spearman": float(spearmanr(x, y)[0]),
               "ranks": rankdata(x).tolist()}


def word(rng):
    stem = "".join(rng.choice(CONSONANTS + [""]) + rng.choice(VOWELS) for _ in range(rng.randint(1, 3)))
    return stem + rng.choice(CONSONANTS + [""]) + rng.choice(ENDINGS + [""] * 20)


def text(rng, words):
    result = ""
    for _ in range(rng.choice([0, 1, 2, 5, 10, 20, 30])):
        one = rng.choice(words)
        result += rng.choice([one, one, one, one.upper(), one.capitalize(), one + "é", "\u0130" + one, "\u212a" + one])
        result += rng.choice([" ", " ", " ", " ", "  ", ", ", ".\n", "\n", "\n\n", "-", "'", "_", "\u00a0", "日"])
    return result


def rouge(rng):
    plain, stemming = (RougeScorer(ROUGE_TYPES, use_stemmer=stem) for stem in (False, True))
    for case in range(CASES):
        words = [word(rng) for _ in range(rng.choice([3, 8, 20]))]
        words += [one + ending for one in words[:3] for ending in ("s", "ed", "ing")]
        target, prediction = text(rng, words), text(rng, words)
        if case % 20 == 0:
            prediction = target
        scores = [[list(scorer.score(target, prediction)[kind]) for kind in ROUGE_TYPES]
                  for scorer in (plain, stemming)]
        yield {"target": target, "prediction": prediction, "plain": scores[0], "stemmed": scores[1]}


def stems(rng):
    stemmer = PorterStemmer()
    for case in range(STEMS):
        one = IRREGULAR[case] if case < len(IRREGULAR) else word(rng)
        one = one + rng.choice(ENDINGS) if case >= len(IRREGULAR) and case % 3 == 0 else one
        yield [one, stemmer.stem(one)]


def main():
    out = Path(sys.argv[1])
    warnings.simplefilter("ignore")  # of degenerate cases
    for make in (classification, correlation, rouge, stems):
        rows = ",\n".join(json.dumps(row, separators=(",", ":")) for row in make(random.Random(20261128)))
        (out / f"{make.__name__}.json").write_text(f"[\n{rows}\n]\n")


main()
