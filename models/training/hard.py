#!/usr/bin/python3
"""Makes stills under conditions that are harder than those of conditions.py.

    hard.py STILLS OUT

STILLS holds pictures and a faces.json as `scrim measure` reads it. Each condition gets
a folder in OUT with the same faces.json. docs/design/detection.md has what was measured.
"""

import json
import os
import sys

import cv2
import numpy as np

import conditions


def light(share, sigma=0, raised=0):
    """A share of the light, raised by some levels, with noise."""
    def apply(f, r):
        f = np.floor(f.astype(np.float32) * share + raised)
        return conditions.noise(f, sigma, r) if sigma else np.clip(f, 0, 255).astype(np.uint8)
    return apply


def lamp(share, sigma):
    """The same, with a lamp that fills 4 % of the picture."""
    def apply(f, r):
        f = light(share, sigma)(f, r)
        h, w = f.shape[:2]
        cv2.circle(f, (w // 8, h // 8), int((0.04 * h * w / np.pi) ** 0.5), (255, 255, 255), -1)
        return f
    return apply


HARD = {
    "clean": lambda f, r: f,
    "noise-25": light(1, 25),
    "noise-40": light(1, 40),
    "noise-60": light(1, 60),
    "light-25": light(0.25),
    "light-12": light(0.12),
    "light-8": light(0.08),
    "light-4": light(0.04),
    "light-25-noise-8": light(0.25, 8),
    "light-12-noise-4": light(0.12, 4),
    "light-8-noise-4": light(0.08, 4),
    "light-4-noise-2": light(0.04, 2),
    "light-8-noise-3-lamp": lamp(0.08, 3),
    "night": conditions.night,
    "fog-30": light(0.3, raised=130),
    "fog-15": light(0.15, raised=150),
    "fog-15-noise-4": light(0.15, 4, 150),
    "over-2.5": light(2.5),
    "over-4": light(4),
    "rain": conditions.rain,
}


def main():
    stills, out = sys.argv[1], sys.argv[2]
    with open(os.path.join(stills, "faces.json")) as f:
        images = sorted(json.load(f)["images"], key=lambda i: i["file"])
    for name, apply in HARD.items():
        folder = os.path.join(out, name)
        os.makedirs(folder, exist_ok=True)
        labels = []
        for k, i in enumerate(images):
            file = os.path.splitext(i["file"])[0] + ".jpg"
            picture = apply(cv2.imread(os.path.join(stills, i["file"])), np.random.default_rng(k))
            cv2.imwrite(os.path.join(folder, file), picture, [cv2.IMWRITE_JPEG_QUALITY, 100])
            labels.append(dict(i, file=file))
        with open(os.path.join(folder, "faces.json"), "w") as f:
            json.dump({"images": labels}, f)


if __name__ == "__main__":
    main()
