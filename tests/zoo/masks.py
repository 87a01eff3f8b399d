"""Dropout masks in numpy, written from docs/masks.md alone: nothing here knows the C++ code."""
from dataclasses import dataclass

import numpy as np

CHANNEL, WINDOW_CHANNEL, ELEMENT = 0, 1, 2  # sharing
WINDOW_TAG = 0x57494E44
LOW = np.uint64(0xFFFFFFFF)
SHIFT = np.uint64(32)

# Random123's known answers for philox4x32, 10 rounds: counter, key, result.
KNOWN_ANSWERS = [
    ("00000000 00000000 00000000 00000000", "00000000 00000000",
     "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff",
     "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0",
     "d16cfe09 94fdcceb 5001e420 24126ea1"),
]


def philox4x32_10(counter, key):
    """Four uint64 arrays of 32-bit words -> four such arrays (Salmon et al., SC 2011)."""
    c0, c1, c2, c3 = (np.asarray(word, np.uint64) for word in counter)
    k0, k1 = (int(word) for word in key)
    for _ in range(10):
        left = np.uint64(0xD2511F53) * c0
        right = np.uint64(0xCD9E8D57) * c2
        c0, c1, c2, c3 = ((right >> SHIFT) ^ c1 ^ np.uint64(k0), right & LOW,
                          (left >> SHIFT) ^ c3 ^ np.uint64(k1), left & LOW)
        k0 = (k0 + 0x9E3779B9) & 0xFFFFFFFF
        k1 = (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return c0, c1, c2, c3


def check_known_answers():
    for counter, key, expected in KNOWN_ANSWERS:
        words = [[int(word, 16) for word in text.split()] for text in (counter, key)]
        found = " ".join(f"{int(word):08x}" for word in philox4x32_10(*words))
        if found != expected:
            raise AssertionError(f"philox4x32-10 of {counter}: expected {expected}, found {found}")


@dataclass(frozen=True)
class Draw:
    """What a pass of one window draws its masks from."""
    seed: int
    window: tuple[int, int, int] = (0, 0, 0)
    pass_index: int = 0
    member: int = 0


def words(draw, layer, sharing, count):
    """The first `count` draws of a layer, uint64 array of 32-bit words."""
    key = (draw.seed & 0xFFFFFFFF, draw.seed >> 32)
    if sharing != CHANNEL:
        corner = [axis & 0xFFFFFFFF for axis in draw.window]
        key = philox4x32_10([*corner, WINDOW_TAG], key)[:2]
    blocks = np.arange((count + 3) // 4, dtype=np.uint64)
    rest = [np.full_like(blocks, word)
            for word in (draw.pass_index, layer, draw.member | sharing << 16)]
    return np.stack(philox4x32_10([blocks, *rest], key), axis=-1).reshape(-1)[:count]


def keep_mask(draw, layer, sharing, rate, count):
    """True where a value is kept."""
    return words(draw, layer, sharing, count) >= np.uint64(int(np.floor(rate * 2.0**32)))


def sharing_under(scope, feature):
    if scope == "native":
        return WINDOW_CHANNEL if feature else ELEMENT
    return {"channel": CHANNEL, "element": ELEMENT}[scope]


def filled(shape):
    """The input every test makes for itself: float32 in [-1, 1)."""
    count = int(np.prod(shape))
    values = words(Draw(seed=20181126), 65535, CHANNEL, count) >> np.uint64(8)
    return (values.astype(np.float32) * np.float32(2.0**-23) - np.float32(1)).reshape(shape)
