#!/usr/bin/python3
"""Step 1: labels the photographs better than one pass of the teacher does.

    label.py --photos DIR --scrim bin/scrim --work WORK

Unpacks DIR/images-*.tar into WORK/photos, has `scrim redact --model yunet-n` report
the faces in several views of each photograph, and merges them. WORK/labels.jsonl then
has for each photograph boxes [x, y, w, h, score, views]: the mean of the two best
scores, and how many views agree. Photographs that are labelled already are left out.
"""

import argparse
import glob
import json
import os
import shutil
import subprocess
import tarfile

import cv2
import numpy as np

# The longer side of a view in pixels is at most this, and at most MOST_SCALE times
# that of the photograph. Views up to MIRRORED are shown mirrored as well; larger ones
# are for photographs with CROWD faces and more.
VIEWS = (320, 640, 1280)
MIRRORED = 640
MOST_SCALE = 2.0
CROWD = 3
# Boxes are the same face from this IoU on.
SAME = 0.45
LEAST = 0.1


def overlap(a, b):
    """Returns the IoU of each box of a with each of b."""
    w = np.minimum(a[:, None, 0] + a[:, None, 2], b[None, :, 0] + b[None, :, 2]) - np.maximum(a[:, None, 0], b[None, :, 0])
    h = np.minimum(a[:, None, 1] + a[:, None, 3], b[None, :, 1] + b[None, :, 3]) - np.maximum(a[:, None, 1], b[None, :, 1])
    shared = np.clip(w, 0, None) * np.clip(h, 0, None)
    return shared / np.maximum(a[:, None, 2] * a[:, None, 3] + b[None, :, 2] * b[None, :, 3] - shared, 1e-6)


def merge(found):
    """Groups the boxes of all views, best first."""
    boxes = np.concatenate(found) if found else np.zeros((0, 6), np.float32)
    boxes = boxes[np.argsort(-boxes[:, 4])]
    merged = []
    while len(boxes):
        same = overlap(boxes[:1], boxes)[0] >= SAME
        same[0] = True
        group = boxes[same]
        best = group[:3]
        box = np.average(best[:, :4], axis=0, weights=best[:, 4])
        # What one view alone finds is only half believed.
        views = set(group[:, 5])
        scores = sorted((group[group[:, 5] == v, 4].max() for v in views), reverse=True)
        merged.append([*(round(float(v), 1) for v in box), round(float(sum(scores[:2]) / 2), 3), len(views)])
        boxes = boxes[~same]
    return merged


class View:
    """One way to look at all photographs: a size, plain or mirrored."""

    def __init__(self, number, side, mirrored):
        self.number, self.side, self.mirrored = number, side, mirrored

    def show(self, photos, entries, folder):
        """Writes the view of each photograph, and returns their scales."""
        scales = {}
        os.makedirs(folder)
        for e in entries:
            longer = max(e["w"], e["h"])
            scale = min(self.side / longer, MOST_SCALE)
            smaller = [v for v in VIEWS if v < self.side]
            if smaller and scale <= min(smaller[-1] / longer, MOST_SCALE):
                continue  # the same as a smaller view
            image = cv2.imread(os.path.join(photos, e["file"]))
            size = max(32, round(e["w"] * scale)), max(32, round(e["h"] * scale))
            image = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
            if self.mirrored:
                image = np.ascontiguousarray(image[:, ::-1])
            name = os.path.splitext(e["file"])[0] + ".jpg"
            cv2.imwrite(os.path.join(folder, name), image, [cv2.IMWRITE_JPEG_QUALITY, 96])
            scales[name] = e["file"], size[0] / e["w"], size[0]
        return scales

    def look(self, o, photos, entries, found):
        """Adds what the teacher finds in this view to found, by photograph."""
        folder = os.path.join(o.work, f"view-{self.number}")
        shutil.rmtree(folder, ignore_errors=True)
        scales = self.show(photos, entries, folder)
        report = folder + ".jsonl"
        if not scales:
            return
        subprocess.run([o.scrim, "redact", folder, "-o", folder + ".out", "--overwrite", "--model", "yunet-n", "--size", str(VIEWS[-1]),
                        "--threshold", str(LEAST), "--no-second-look", "--report", report, "--log-level", "error"],
                       check=True, stdout=subprocess.DEVNULL)
        with open(report) as f:
            for r in map(json.loads, f):
                file, scale, width = scales[os.path.basename(r["file"])]
                boxes = [[width - b["face"]["x"] - b["face"]["w"] if self.mirrored else b["face"]["x"], b["face"]["y"],
                          b["face"]["w"], b["face"]["h"], b["score"], self.number] for b in r["regions"] if "face" in b]
                boxes = np.array(boxes, np.float32).reshape(-1, 6)
                boxes[:, :4] /= scale
                found[file].append(boxes)
        for path in (folder, folder + ".out"):
            shutil.rmtree(path)
        os.remove(report)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--photos", required=True)
    p.add_argument("--scrim", required=True)
    p.add_argument("--work", required=True)
    o = p.parse_args()
    photos = os.path.join(o.work, "photos")
    if not os.path.isdir(photos):
        for name in sorted(glob.glob(os.path.join(o.photos, "images-*.tar"))):
            with tarfile.open(name) as tar:
                tar.extractall(photos + ".part")
        os.rename(photos + ".part", photos)
    out = os.path.join(o.work, "labels.jsonl")
    done = set()
    if os.path.exists(out):
        with open(out) as f:
            done = {json.loads(line)["file"] for line in f if line.endswith("\n")}
    with open(os.path.join(o.photos, "labels.jsonl")) as f:
        entries = [e for e in map(json.loads, f) if e["file"] not in done]
    found = {e["file"]: [] for e in entries}
    number = 0
    for side in VIEWS:
        these = entries
        if side > MIRRORED:
            these = [e for e in entries if found[e["file"]] and (found[e["file"]][-1][:, 4] >= 0.3).sum() >= CROWD]
        for mirrored in (False, True)[: 2 if side <= MIRRORED else 1]:
            View(number, side, mirrored).look(o, photos, these, found)
            number += 1
            print(f"view {number}: {side} pixels, {'mirrored' if mirrored else 'plain'}, {len(these)} photographs", flush=True)
    with open(out, "a") as f:
        for e in entries:
            f.write(json.dumps({"file": e["file"], "set": e["set"], "w": e["w"], "h": e["h"], "views": len(found[e["file"]]),
                                "faces": merge(found[e["file"]])}) + "\n")


if __name__ == "__main__":
    main()
