"""Token files and the order in which trainyard reads them: a second reading of core/base/random.h and
core/data/sampler.h, in Python integers."""

import numpy as np

MASK32, MASK64 = (1 << 32) - 1, (1 << 64) - 1


def read_tokens(path):
    header = np.fromfile(path, np.int32, 256)
    assert header[0] == 20240520, f"{path}: no token file"
    return np.fromfile(path, {1: np.uint16, 2: np.uint32}[int(header[1])], offset=1024)


def mix(z):  # SplitMix64
    z = (z + 0x9E3779B97F4A7C15) & MASK64
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK64
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK64
    return z ^ (z >> 31)


def site_id(path):  # FNV-1a
    value = 0xCBF29CE484222325
    for byte in path.encode():
        value = ((value ^ byte) * 0x100000001B3) & MASK64
    return value


def philox(key, counter):  # Philox4x32-10: four words from a 64-bit key and a 128-bit counter
    k0, k1 = key & MASK32, key >> 32
    c = [(counter >> shift) & MASK32 for shift in (0, 32, 64, 96)]
    for _ in range(10):
        a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(b >> 32) ^ c[1] ^ k0, b & MASK32, (a >> 32) ^ c[3] ^ k1, a & MASK32]
        k0, k1 = (k0 + 0x9E3779B9) & MASK32, (k1 + 0xBB67AE85) & MASK32
    return c


def permuted(i, n, word):  # a Feistel network on the next power of four, walked into [0, n)
    bits = 1
    while 1 << (2 * bits) < n:
        bits += 1
    mask = (1 << bits) - 1
    while True:
        left, right = i >> bits, i & mask
        for turn in range(4):
            left, right = right, left ^ (word(right, turn) & mask)
        i = (left << bits) | right
        if i < n:
            return i


def first_token(index, tokens, sequence, seed):
    """Where the window of sample `index` (step * batch + place in the batch) begins."""
    slack = min(sequence - 1, tokens - 1 - sequence)
    windows = (tokens - 1 - slack) // sequence
    epoch, place = divmod(index, windows)
    key = mix(mix(mix(seed) ^ site_id("data.order")) ^ epoch)
    word = lambda sample, block: philox(key, sample << 64 | block)[0]
    return word(1, 0) % (slack + 1) + permuted(place, windows, word) * sequence
