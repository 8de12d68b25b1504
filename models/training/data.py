"""Photographs and drawn scenes, as crops with labels.

A labelled box is x, y, w, h in pixels, score (how sure the teacher is), kind.
"""

import hashlib
import json
import os

import cv2
import numpy as np
import torch

from augment import Noise, colours, cover, cut, darken, obscure, spoil
from clutter import clutter

# Boxes from SURE on are faces; between DOUBTFUL and SURE nobody knows; below, not.
SURE, DOUBTFUL = 0.55, 0.2
# The part of the photographs that is never trained on, in percent.
HELD_OUT = 15
# Sets in which there are no people; what the teacher finds there are its faults,
# unless it is as good as certain.
WITHOUT_PEOPLE = {"cal101"}
CERTAIN = 0.8

CROP = 320
SHARE_DRAWN = 0.14
SHARE_WITHOUT = 0.16
SHARE_OBSCURED = 0.07  # of the faces
CLUTTER = 250  # drawn pictures of round things
# How many crops are made of 1, 2×2 and 3×3 parts.
SHARES_OF_PARTS = (0.55, 0.33, 0.12)
# A face of fewer pixels in the crop is no face that must be found.
LEAST_PIXELS = 6.0


def held_out(name):
    """Whether a photograph is kept for measuring; its file's name decides."""
    return int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) % 100 < HELD_OUT


def labels(work):
    """Yields the photographs: name, set, boxes."""
    with open(os.path.join(work, "labels.jsonl")) as f:
        for line in f:
            e = json.loads(line)
            boxes = np.array([b[:5] for b in e["faces"]], np.float32).reshape(-1, 5)
            if e["set"] in WITHOUT_PEOPLE:
                boxes = boxes[boxes[:, 4] >= CERTAIN]
                boxes[:, 4] = (SURE + DOUBTFUL) / 2
            boxes = boxes[boxes[:, 4] >= DOUBTFUL]
            yield e["file"], e["set"], boxes


def self_test_faces():
    """Yields pictures of the face that Scrim's self-test draws, on several grounds."""
    face = cv2.imread(os.path.join(os.path.dirname(__file__), "../../redact/selftest/face.png"))
    side = face.shape[0]
    for luma in range(30, 230, 10):
        picture = np.full((2 * side, 2 * side, 3), luma, np.uint8)
        picture[side // 2:side // 2 + side, side // 2:side // 2 + side] = face
        w, h = 0.37 * side, 0.5 * side  # as redact/selftest has it
        yield picture, [[side - w / 2, side - h / 2, w, h, 1.0]]


def pack(work):
    """Decodes all pictures that are trained on into one file, once."""
    index = []
    path = os.path.join(work, "pixels.bin")
    with open(path + ".part", "wb") as f:
        at = 0

        def add(image, boxes, group):
            nonlocal at
            f.write(image.tobytes())
            index.append({"at": at, "h": image.shape[0], "w": image.shape[1], "group": group, "boxes": boxes})
            at += image.size

        for name, group, boxes in labels(work):
            if not held_out(name):
                image = cv2.imread(os.path.join(work, "photos", name))
                if image is not None:
                    add(image, boxes.tolist(), group)
        for image, boxes in self_test_faces():
            add(image, boxes, "drawn")
        rng = np.random.default_rng(1)
        for _ in range(CLUTTER):
            add(clutter(rng), [], "clutter")
        drawn = os.path.join(work, "drawn", "labels.jsonl")
        if os.path.exists(drawn):
            with open(drawn) as lines:
                for line in lines:
                    e = json.loads(line)
                    add(cv2.imread(os.path.join(work, "drawn", e["file"])), e["faces"], "drawn")
    os.rename(path + ".part", path)
    with open(os.path.join(work, "index.json"), "w") as f:
        json.dump(index, f)


class Crops(torch.utils.data.IterableDataset):
    """An endless stream of batches. Each worker has its own seed."""

    def __init__(self, work, batch, seed):
        self.work, self.batch, self.seed = work, batch, seed

    def __iter__(self):
        cv2.setNumThreads(1)
        worker = torch.utils.data.get_worker_info()
        self.rng = np.random.default_rng([self.seed, worker.id if worker else 0])
        self.noise = Noise(self.rng)
        with open(os.path.join(self.work, "index.json")) as f:
            self.index = json.load(f)
        self.pixels = np.memmap(os.path.join(self.work, "pixels.bin"), np.uint8, "r")
        groups = {"drawn": [], "with": [], "without": []}
        weights = []
        for k, e in enumerate(self.index):
            e["boxes"] = np.array(e["boxes"], np.float32).reshape(-1, 5)
            sure = (e["boxes"][:, 4] >= SURE).sum()
            where = "drawn" if e["group"] == "drawn" else "with" if sure else "without"
            groups[where].append(k)
            if where == "with":  # crowds teach more than portraits
                weights.append(min(sure, 6) ** 0.5)
        self.groups = groups
        self.weights = np.cumsum(weights) / np.sum(weights)
        while True:
            yield self.make()

    def pick(self):
        r = self.rng.random()
        if r < SHARE_DRAWN and self.groups["drawn"]:
            return self.groups["drawn"][self.rng.integers(len(self.groups["drawn"]))]
        if r < SHARE_DRAWN + SHARE_WITHOUT and self.groups["without"]:
            return self.groups["without"][self.rng.integers(len(self.groups["without"]))]
        return self.groups["with"][np.searchsorted(self.weights, self.rng.random())]

    def part(self, width, height):
        e = self.index[self.pick()]
        image = np.asarray(self.pixels[e["at"]:e["at"] + e["h"] * e["w"] * 3]).reshape(e["h"], e["w"], 3)
        return cut(image, e["boxes"], width, height, self.rng)

    def one(self):
        rng = self.rng
        parts = rng.choice(3, p=SHARES_OF_PARTS) + 1
        if parts == 1:
            image, boxes = self.part(CROP, CROP)
        else:
            cuts = [[0, *(int((k + rng.uniform(-0.2, 0.2)) * CROP / parts) for k in range(1, parts)), CROP] for _ in range(2)]
            image, found = np.empty((CROP, CROP, 3), np.uint8), []
            for t, b in zip(cuts[1], cuts[1][1:]):
                for l, r in zip(cuts[0], cuts[0][1:]):
                    image[t:b, l:r], boxes = self.part(r - l, b - t)
                    # What is cut off by the neighbour ends there.
                    right, bottom = np.minimum(boxes[:, 0] + boxes[:, 2], r - l), np.minimum(boxes[:, 1] + boxes[:, 3], b - t)
                    boxes[:, :2] = np.maximum(boxes[:, :2], 0)
                    boxes[:, 2], boxes[:, 3] = right - boxes[:, 0], bottom - boxes[:, 1]
                    boxes[:, 0] += l
                    boxes[:, 1] += t
                    found.append(boxes)
            boxes = np.concatenate(found)
        kept = np.ones(len(boxes), bool)
        for k, b in enumerate(boxes):
            r = rng.random()
            if b[4] < SURE:
                continue
            if r < 0.07:
                darken(image, b[:4], rng)
            elif r < 0.16:
                cover(image, b[:4], rng)
            elif r < 0.16 + SHARE_OBSCURED:
                obscure(image, b[:4], rng)
                kept[k] = False
        boxes = boxes[kept]
        return spoil(colours(image, rng), rng, self.noise), boxes

    def make(self):
        images = np.empty((self.batch, CROP, CROP, 3), np.uint8)
        faces, owner, weight, ignored, ignored_owner = [], [], [], [], []
        for k in range(self.batch):
            images[k], boxes = self.one()
            for x, y, w, h, score, inside in boxes:
                side = (max(w, 0) * max(h, 0)) ** 0.5
                box = [x, y, x + w, y + h]
                if score < SURE or inside < 0.4 or side < LEAST_PIXELS:
                    ignored.append(box)
                    ignored_owner.append(k)
                else:
                    faces.append(box)
                    owner.append(k)
                    weight.append(min(1.0, 0.4 + score * 0.75) if inside > 0.7 else 0.8)
        return (torch.from_numpy(images), torch.tensor(faces, dtype=torch.float32).reshape(-1, 4),
                torch.tensor(owner, dtype=torch.long), torch.tensor(weight, dtype=torch.float32),
                torch.tensor(ignored, dtype=torch.float32).reshape(-1, 4), torch.tensor(ignored_owner, dtype=torch.long))
