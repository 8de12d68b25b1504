"""What happens to a crop: where it is cut, and how it is spoiled.

Labels come from the clean photograph; the network sees it spoiled. That teaches
what no teacher knows, in the spirit of HLA-Face (W. Wang et al., CVPR 2021,
arXiv 2104.01984) and DAI-Net (Z. Du et al., CVPR 2024, arXiv 2312.01220).
All pictures are BGR, 8 bits.
"""

import math

import cv2
import numpy as np

# Sizes of a face in a crop, in pixels.
LEAST, MOST = 7.0, 260.0
# A photograph is scaled up at most so far.
MOST_UP = 4.0


class Noise:
    """A store of normal noise, since drawing new noise for each crop takes longer than all else."""

    def __init__(self, rng, side=1536):
        self.bank = np.clip(rng.normal(0, 32, (side, side, 3)), -127, 127).astype(np.int8)
        self.side = side

    def add(self, image, sigma, rng, mono=False, grain=1.0):
        h, w = image.shape[:2]
        gh, gw = max(1, math.ceil(h / grain)), max(1, math.ceil(w / grain))
        y, x = rng.integers(self.side - gh), rng.integers(self.side - gw)
        n = self.bank[y:y + gh, x:x + gw]
        if rng.random() < 0.5:
            n = n[:, ::-1]
        if mono:
            n = np.repeat(n[:, :, :1], 3, 2)
        n = n.astype(np.float32)
        if grain != 1.0:
            n = cv2.resize(n, (w, h), interpolation=cv2.INTER_LINEAR)
        n *= sigma / 32
        n += image
        return np.clip(n, 0, 255, out=n).astype(np.uint8)


def curve(image, table):
    return cv2.LUT(image, np.clip(table, 0, 255).astype(np.uint8))


RAMP = np.arange(256, dtype=np.float32)


def rain(image, rng):
    h, w = image.shape[:2]
    drops = np.zeros((h, w), np.uint8)
    lean, length = rng.uniform(-0.6, 0.6), rng.uniform(0.5, 2)
    for _ in range(int(h * w / rng.uniform(600, 3000))):
        x, y, l = int(rng.integers(w)), int(rng.integers(-10, h)), rng.uniform(6, 26) * length
        cv2.line(drops, (x, y), (int(x - lean * l), int(y + l)), int(rng.integers(70, 220)), int(rng.random() < 0.15) + 1)
    return cv2.addWeighted(image, rng.uniform(0.75, 1), cv2.merge([drops] * 3), rng.uniform(0.4, 0.9), 0)


def jpeg(image, quality):
    return cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(quality)])[1], cv2.IMREAD_COLOR)


def low_rate(image, rng):
    """What is left at a low bit rate: few details, blocks, and smeared motion."""
    h, w = image.shape[:2]
    if rng.random() < 0.5:
        f = rng.uniform(0.5, 0.9)
        image = cv2.resize(image, (max(8, int(w * f)), max(8, int(h * f))), interpolation=cv2.INTER_AREA)
    image = jpeg(image, math.exp(rng.uniform(math.log(5), math.log(40))))
    if image.shape[:2] != (h, w):
        image = cv2.resize(image, (w, h), interpolation=cv2.INTER_LINEAR)
    return cv2.medianBlur(image, 3) if rng.random() < 0.15 else image


def smear(image, rng):
    n = int(rng.integers(3, 12))
    kernel = np.zeros((n, n), np.float32)
    a = rng.uniform(0, math.pi)
    c = (n - 1) / 2
    cv2.line(kernel, (round(c - c * math.cos(a)), round(c - c * math.sin(a))), (round(c + c * math.cos(a)), round(c + c * math.sin(a))), 1.0)
    return cv2.filter2D(image, -1, kernel / kernel.sum())


def grey(image):
    g = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    return cv2.merge([g, g, g])


def colours(image, rng):
    """Other light, other white balance, other camera."""
    gain = rng.uniform(0.75, 1.3) * np.exp(rng.normal(0, 0.06, 3))
    gamma, lift = math.exp(rng.normal(0, 0.22)), rng.uniform(-18, 18)
    tables = [np.clip(((RAMP / 255) ** gamma) * 255 * g + lift, 0, 255).astype(np.uint8) for g in gain]
    image = cv2.LUT(image, np.stack(tables, -1)[None])
    r = rng.random()
    if r < 0.12:
        return grey(image)
    if r < 0.3:
        return cv2.addWeighted(image, s := rng.uniform(0.2, 0.8), grey(image), 1 - s, 0)
    return image


def spoil(image, rng, noise):
    """Returns the picture as a camera in hard conditions would show it."""
    r = rng.random()
    if r < 0.24:
        return image
    kind = rng.choice(9, p=[0.22, 0.15, 0.14, 0.08, 0.11, 0.12, 0.09, 0.05, 0.04])
    if kind == 0:  # noise of the sensor
        sigma = rng.uniform(4, 52)
        image = noise.add(image, sigma, rng, mono=rng.random() < 0.3, grain=1.0 if rng.random() < 0.7 else rng.uniform(1.0, 2.2))
    elif kind == 1:  # darkness, with the gain's noise
        light = math.exp(rng.uniform(math.log(0.05), math.log(0.5)))
        image = noise.add(curve(image, RAMP * light), rng.uniform(0.5, 2) * (2 + 6 * light), rng)
    elif kind == 2:  # night: infrared grey, soft, noisy
        s = rng.uniform(0, 1.8)
        image = grey(image)
        if s > 0.3:
            image = cv2.GaussianBlur(image, (0, 0), s)
        image = noise.add(curve(image, RAMP * rng.uniform(0.3, 1.0)), rng.uniform(4, 26), rng, mono=rng.random() < 0.6)
    elif kind == 3:
        image = rain(image, rng)
    elif kind == 4:  # overexposed
        image = curve(image, RAMP * rng.uniform(1.4, 3.4) + rng.uniform(0, 40))
    elif kind == 5:
        image = low_rate(image, rng)
    elif kind == 6:
        image = smear(image, rng) if rng.random() < 0.4 else cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 2.6))
    elif kind == 7:  # fog, or a dirty lens: little contrast
        c, to = rng.uniform(0.15, 0.6), rng.uniform(40, 220)
        image = noise.add(curve(image, to + (RAMP - to) * c), rng.uniform(0, 6), rng)
    else:  # against the light
        h, w = image.shape[:2]
        slope = np.linspace(rng.uniform(0.1, 0.6), rng.uniform(0.8, 2.2), w if rng.random() < 0.5 else h, dtype=np.float32)
        if rng.random() < 0.5:
            slope = slope[::-1]
        ramp = np.broadcast_to(slope[None, :] if len(slope) == w else slope[:, None], (h, w))
        image = np.clip(image * ramp[..., None], 0, 255).astype(np.uint8)
    if rng.random() < 0.22:  # and what the camera's encoder does to it
        image = jpeg(image, rng.integers(12, 80)) if rng.random() < 0.7 else noise.add(image, rng.uniform(2, 15), rng)
    return image


def cover(image, box, rng):
    """Draws over a part of a face: mask, sunglasses, hat, a hand or a post."""
    x, y, w, h = box
    if min(w, h) < 10:
        return
    colour = tuple(int(c) for c in (rng.integers(0, 256, 3) if rng.random() < 0.5 else [rng.integers(0, 256)] * 3))
    kind = rng.integers(4)
    jitter = lambda s: rng.uniform(-s, s)
    if kind == 0:  # mask
        top, bottom = y + h * (0.5 + jitter(0.08)), y + h * (1.0 + jitter(0.06))
        left, right = x + w * (0.05 + jitter(0.06)), x + w * (0.95 + jitter(0.06))
        points = [(left, top), ((left + right) / 2, top - h * rng.uniform(0, 0.1)), (right, top),
                  (right - w * 0.12, bottom - h * 0.12), ((left + right) / 2, bottom), (left + w * 0.12, bottom - h * 0.12)]
        cv2.fillPoly(image, [np.array(points, np.int32)], colour, cv2.LINE_AA)
    elif kind == 1:  # sunglasses
        dark = tuple(int(c) for c in rng.integers(0, 60, 3))
        for cx in (0.3, 0.7):
            cv2.ellipse(image, (int(x + w * (cx + jitter(0.03))), int(y + h * (0.4 + jitter(0.03)))),
                        (max(1, int(w * rng.uniform(0.13, 0.2))), max(1, int(h * rng.uniform(0.07, 0.13)))), 0, 0, 360, dark, -1, cv2.LINE_AA)
        cv2.line(image, (int(x + w * 0.1), int(y + h * 0.38)), (int(x + w * 0.9), int(y + h * 0.38)), dark, max(1, int(h * 0.02)))
    elif kind == 2:  # hat, helmet
        cv2.ellipse(image, (int(x + w * 0.5), int(y + h * (0.22 + jitter(0.06)))), (max(1, int(w * rng.uniform(0.5, 0.68))), max(1, int(h * rng.uniform(0.3, 0.55)))),
                    jitter(12), 180, 360, colour, -1, cv2.LINE_AA)
        if rng.random() < 0.5:
            cv2.line(image, (int(x - w * 0.2), int(y + h * 0.22)), (int(x + w * 1.2), int(y + h * 0.22)), colour, max(1, int(h * 0.06)))
    else:  # something before it
        a, cut = rng.integers(4), rng.uniform(0.15, 0.5)
        l, t, r, b = x, y, x + w, y + h
        if a == 0:
            r = x + w * cut
        elif a == 1:
            l = x + w * (1 - cut)
        elif a == 2:
            t = y + h * (1 - cut)
        else:
            b = y + h * cut * 0.6
        cv2.rectangle(image, (int(l), int(t)), (int(r), int(b)), colour, -1)


def obscure(image, box, rng):
    """Hides a face as Scrim does, by a veil, blur or mosaic. What is left is not a face."""
    x, y, w, h = box
    grow = rng.uniform(0.1, 0.35)
    x0, y0 = max(1, int(x - w * grow)), max(1, int(y - h * grow))
    x1, y1 = min(image.shape[1] - 1, int(x + w * (1 + grow)) + 1), min(image.shape[0] - 1, int(y + h * (1 + grow)) + 1)
    if x1 - x0 < 4 or y1 - y0 < 4:
        return
    part = image[y0:y1, x0:x1]
    kind = rng.integers(4)
    if kind <= 1:  # from the pixels around
        v, u = np.linspace(0, 1, y1 - y0)[:, None, None], np.linspace(0, 1, x1 - x0)[None, :, None]
        soft = lambda line: cv2.blur(line.astype(np.float32), (1, max(1, len(line) // 3)) if line.shape[1] == 1 else (max(1, line.shape[1] // 3), 1))
        top, bottom = soft(image[y0 - 1:y0, x0:x1]), soft(image[y1:y1 + 1, x0:x1])
        left, right = soft(image[y0:y1, x0 - 1:x0].copy()), soft(image[y0:y1, x1:x1 + 1].copy())
        left, right = left.reshape(-1, 1, 3), right.reshape(-1, 1, 3)
        filled = ((top * (1 - v) + bottom * v) + (left * (1 - u) + right * u)) / 2
    elif kind == 2:
        filled = cv2.GaussianBlur(part, (0, 0), max(1.0, w * rng.uniform(0.2, 0.4)))
    else:
        cells = int(rng.integers(2, 6))
        filled = cv2.resize(cv2.resize(part, (cells, cells + 1), interpolation=cv2.INTER_AREA), (x1 - x0, y1 - y0), interpolation=cv2.INTER_NEAREST)
    mask = np.zeros((y1 - y0, x1 - x0), np.float32)
    cv2.ellipse(mask, ((x1 - x0) // 2, (y1 - y0) // 2), ((x1 - x0) // 2, (y1 - y0) // 2), 0, 0, 360, 1.0, -1)
    if rng.random() < 0.4:
        mask[:] = 1
    mask = cv2.GaussianBlur(mask, (0, 0), max(0.5, w * 0.06))[..., None]
    shown = part.astype(np.float32)
    part[:] = (shown + (filled - shown) * mask).astype(np.uint8)


def darken(image, box, rng):
    """Makes a face as dark as the skins that the photographs lack."""
    x, y, w, h = (int(v) for v in box)
    x0, y0, x1, y1 = max(0, x - w // 3), max(0, y - h // 3), min(image.shape[1], x + w + w // 3), min(image.shape[0], y + h + h // 2)
    if x1 - x0 < 6 or y1 - y0 < 6:
        return
    mask = np.zeros((y1 - y0, x1 - x0), np.float32)
    cv2.ellipse(mask, (x + w // 2 - x0, y + h // 2 - y0), (max(1, int(w * 0.55)), max(1, int(h * 0.62))), 0, 0, 360, 1.0, -1)
    mask = cv2.GaussianBlur(mask, (0, 0), max(0.6, w * 0.08))[..., None]
    part = image[y0:y1, x0:x1].astype(np.float32)
    tint = part * rng.uniform(0.3, 0.75) * np.array([0.85, 0.95, 1.05], np.float32)
    image[y0:y1, x0:x1] = np.clip(part + (tint - part) * mask, 0, 255).astype(np.uint8)


def cut(image, boxes, width, height, rng, about=None):
    """Cuts width × height out of a photograph, scaled, turned and mirrored at random.

    boxes are rows of x, y, w, h and more. Returns the crop, the boxes in it, with
    the share of each that is inside as the last column."""
    h, w = image.shape[:2]
    usable = boxes[boxes[:, 4] >= 0.5] if len(boxes) else boxes
    if about is None and len(usable) and rng.random() < 0.9:
        about = usable[rng.integers(len(usable))]
    if about is not None:
        size = math.sqrt(max(about[2] * about[3], 1))
        want = math.exp(rng.uniform(math.log(LEAST), math.log(min(MOST, 0.8 * min(width, height)))))
        if rng.random() < 0.45:  # small ones are what cameras see
            want = math.exp(rng.uniform(math.log(LEAST), math.log(40)))
        scale = min(want / size, MOST_UP)
        cx, cy = about[0] + about[2] / 2, about[1] + about[3] / 2
    else:
        scale = math.exp(rng.uniform(math.log(0.3), math.log(1.6)))
        cx, cy = rng.uniform(0, w), rng.uniform(0, h)
    scale = max(scale, 0.1)
    if rng.random() < 0.75:  # a small photograph on an empty ground teaches little
        scale = max(scale, 0.8 * min(width / w, height / h))
    turn = rng.normal(0, 8)
    r = rng.random()
    if r < 0.25:
        turn = rng.uniform(-45, 45)
    elif r < 0.28:
        turn = rng.uniform(-100, 100)
    stretch = math.exp(rng.normal(0, 0.06))
    # Where the middle of the crop lies in the photograph.
    spread_x, spread_y = width / scale * 0.4, height / scale * 0.4
    mx = cx + rng.uniform(-spread_x, spread_x)
    my = cy + rng.uniform(-spread_y, spread_y)
    # No more of what lies outside the photograph than must be.
    half_w, half_h = width / scale / 2, height / scale / 2
    mx = min(max(mx, min(half_w, w / 2)), max(w - half_w, w / 2)) if rng.random() < 0.85 else mx
    my = min(max(my, min(half_h, h / 2)), max(h - half_h, h / 2)) if rng.random() < 0.85 else my
    shrink = 1.0
    if scale < 0.7:  # warping alone would alias
        size = max(4, round(w * scale * 1.15)), max(4, round(h * scale * 1.15))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        shrink = size[0] / w
    mirror = -1.0 if rng.random() < 0.5 else 1.0
    a = math.radians(turn)
    c, s = math.cos(a), math.sin(a)
    m = np.array([[c * stretch * mirror, -s / stretch], [s * stretch * mirror, c / stretch]]) * scale
    offset = np.array([width / 2, height / 2]) - m @ np.array([mx, my])
    border = cv2.BORDER_REPLICATE if rng.random() < 0.4 else cv2.BORDER_CONSTANT
    fill = tuple(int(v) for v in rng.integers(0, 256, 3)) if rng.random() < 0.5 else (114, 114, 114)
    out = cv2.warpAffine(image, np.concatenate([m / shrink, offset[:, None]], 1), (width, height),
                         flags=cv2.INTER_LINEAR if rng.random() < 0.8 else cv2.INTER_CUBIC, borderMode=border, borderValue=fill)
    if not len(boxes):
        return out, np.zeros((0, 6), np.float32)
    mid = (boxes[:, :2] + boxes[:, 2:4] / 2) @ m.T + offset
    bw, bh = boxes[:, 2] * scale * stretch, boxes[:, 3] * scale / stretch
    # A turned face is as wide as it was high.
    tw, th = bw * c * c + bh * s * s, bw * s * s + bh * c * c
    l, t = mid[:, 0] - tw / 2, mid[:, 1] - th / 2
    iw = np.clip(np.minimum(l + tw, width) - np.maximum(l, 0), 0, None)
    ih = np.clip(np.minimum(t + th, height) - np.maximum(t, 0), 0, None)
    inside = iw * ih / np.maximum(tw * th, 1e-6)
    result = np.concatenate([np.stack([l, t, tw, th], 1), boxes[:, 4:], inside[:, None]], 1).astype(np.float32)
    return out, result[inside > 0.05]
