"""The conditions under which a detector is measured, and nothing else.

They are fixed, and apart from augment.py: what measures must not follow what trains.
Pictures are BGR, 8 bits; r is a generator whose seed is the picture's number.
"""

import cv2
import numpy as np


def noise(f, sigma, r):
    return np.clip(f.astype(np.float32) + r.normal(0, sigma, f.shape), 0, 255).astype(np.uint8)


def dark(f, r):
    """An eighth of the light, and the sensor's noise."""
    return noise((f * 0.12).astype(np.uint8), 4, r)


def night(f, r):
    """Infrared: grey, soft, noisy."""
    g = cv2.cvtColor(cv2.cvtColor(f, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    return noise(cv2.GaussianBlur(g, (0, 0), 1) * 0.6, 15, r)


def rain(f, r):
    h, w = f.shape[:2]
    drops = np.zeros((h, w), np.uint8)
    for _ in range(h * w // 900):
        x, y, length = int(r.integers(w)), int(r.integers(h)), int(r.integers(8, 26))
        cv2.line(drops, (x, y), (x - length // 4, y + length), int(r.integers(90, 200)), 1)
    return np.clip(f * 0.85 + drops[..., None] * 0.8, 0, 255).astype(np.uint8)


def over(f, _):
    return np.clip(f * 2.5, 0, 255).astype(np.uint8)


def low(f, _):
    """What a low bit rate leaves."""
    return cv2.imdecode(cv2.imencode(".jpg", f, [cv2.IMWRITE_JPEG_QUALITY, 8])[1], cv2.IMREAD_COLOR)


PICTURE = {
    "clean": lambda f, r: f,
    "noise 25": lambda f, r: noise(f, 25, r),
    "noise 40": lambda f, r: noise(f, 40, r),
    "dark": dark,
    "night": night,
    "over": over,
    "low": low,
    "rain": rain,
}

TILT = 30  # degrees


def tilted(f, faces):
    """Turns a picture by TILT; boxes become squares about where they went."""
    h, w = f.shape[:2]
    m = cv2.getRotationMatrix2D((w / 2, h / 2), TILT, 1)
    moved = []
    for b in faces:
        cx, cy = m @ np.array([b["x"] + b["w"] / 2, b["y"] + b["h"] / 2, 1])
        g = (b["w"] + b["h"]) / 2
        inside = 0 <= cx - g / 2 and cx + g / 2 < w and 0 <= cy - g / 2 and cy + g / 2 < h
        moved.append(dict(b, x=cx - g / 2, y=cy - g / 2, w=g, h=g, ignore=b.get("ignore", False) or not inside))
    return cv2.warpAffine(f, m, (w, h), borderMode=cv2.BORDER_REFLECT), moved


NAMES = [*PICTURE, "tilted"]


def apply(name, image, faces, seed):
    """Returns the picture and its faces under a condition."""
    if name == "tilted":
        return tilted(image, faces)
    return PICTURE[name](image, np.random.default_rng(seed)), faces
