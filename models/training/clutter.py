"""Pictures of things that are not faces but are about as round: bowls, lamps, wheels,
balls, backs of heads. A detector that was trained on photographs of people alone
takes them for faces."""

import math

import cv2
import numpy as np


def thing(picture, x, y, w, h, rng):
    """Draws one shaded round thing, perhaps with an opening, a rim, or stripes."""
    height, width = picture.shape[:2]
    x0, y0, x1, y1 = int(max(0, x - w)), int(max(0, y - h)), int(min(width, x + w + 1)), int(min(height, y + h + 1))
    if x1 - x0 < 4 or y1 - y0 < 4:
        return
    colour = np.array([rng.integers(90, 256)] * 3, np.float32) * rng.uniform(0.85, 1.0, 3) if rng.random() < 0.5 else (
        np.array([0.55, 0.72, 1.0]) * rng.uniform(90, 250) if rng.random() < 0.2 else rng.uniform(0, 255, 3))
    gy, gx = np.mgrid[y0:y1, x0:x1].astype(np.float32)
    u, v = (gx - x) / w, (gy - y) / h
    power = rng.choice([2.0, 2.0, 3.0, 6.0])
    radius = np.abs(u) ** power + np.abs(v) ** power
    mask = np.clip((1 - radius) * min(w, h) / 2, 0, 1)
    light = rng.uniform(0, 2 * math.pi)
    shade = 0.75 + 0.35 * (u * math.cos(light) + v * math.sin(light)) + rng.uniform(0, 0.25) * (1 - radius)
    kind = rng.integers(5)
    if kind == 0:  # the opening of a bowl
        top = rng.uniform(-0.8, -0.3)
        shade = np.where((u / 0.85) ** 2 + ((v - top) / rng.uniform(0.15, 0.35)) ** 2 < 1, shade * rng.uniform(0.3, 0.7), shade)
    elif kind == 1:  # a rim, or a tyre
        shade = np.where(radius > rng.uniform(0.55, 0.85), shade * rng.uniform(0.2, 0.6), shade)
    elif kind == 2:  # stripes
        a = rng.uniform(0, math.pi)
        shade = shade * (1 + 0.25 * np.sign(np.sin((u * math.cos(a) + v * math.sin(a)) * rng.uniform(4, 14))))
    elif kind == 3:  # hair: dark above, as the back of a head has
        shade = np.where(v < rng.uniform(0.3, 0.7), shade * rng.uniform(0.1, 0.4), shade)
    part = picture[y0:y1, x0:x1].astype(np.float32)
    part += (colour * shade[..., None] - part) * mask[..., None]
    picture[y0:y1, x0:x1] = np.clip(part, 0, 255).astype(np.uint8)


def clutter(rng, width=512, height=384):
    """Returns one picture."""
    a, b = rng.uniform(0, 255, 3), rng.uniform(0, 255, 3)
    t = np.linspace(0, 1, height if rng.random() < 0.5 else width, dtype=np.float32)
    t = np.broadcast_to(t[:, None] if len(t) == height else t[None, :], (height, width))
    picture = (a + (b - a) * t[..., None]).astype(np.uint8)
    for _ in range(int(rng.integers(0, 14))):  # shelves, posts, windows
        p, q = rng.integers(0, [width, height], 2), rng.integers(0, [width, height], 2)
        if rng.random() < 0.7:
            q = p + (q - p) * (np.array([1, 0.1]) if rng.random() < 0.5 else np.array([0.1, 1]))
        cv2.rectangle(picture, tuple(int(v) for v in p), tuple(int(v) for v in q), tuple(int(c) for c in rng.integers(0, 256, 3)), -1)
    if rng.random() < 0.6:  # rows of like things
        for _ in range(int(rng.integers(1, 5))):
            y, size = rng.uniform(0, height), math.exp(rng.uniform(math.log(5), math.log(50)))
            state, flat, step = rng.integers(1 << 30), rng.uniform(0.5, 1.4), rng.uniform(1.7, 3.5)
            for x in np.arange(rng.uniform(0, size), width, size * step):
                same = np.random.default_rng(state) if rng.random() < 0.8 else rng
                thing(picture, x, y, size, size * flat, same)
    for _ in range(int(rng.integers(3, 30))):
        size = math.exp(rng.uniform(math.log(4), math.log(80)))
        thing(picture, rng.uniform(0, width), rng.uniform(0, height), size, size * rng.uniform(0.6, 1.7), rng)
    return cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 1.2))
