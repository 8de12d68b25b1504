#!/usr/bin/python3
"""Step 5: measures a detector the way it is used, by `scrim redact`.

    evaluate.py --scrim bin/scrim --work WORK --model scrim-face --model yunet-n [--stills DIR] [--json OUT]

Without --stills it takes the crowds among the photographs that were held out; DIR
holds pictures and a faces.json as `scrim measure` reads it. A face is covered when
at least 0.9 of its box is obscured. Prints a table, and tables by size, skin, cover.
"""

import argparse
import json
import math
import os
import shutil
import subprocess

import cv2
import numpy as np

import conditions
from augment import cover
from data import DOUBTFUL, WITHOUT_PEOPLE, held_out

COVERED = 0.9
LEAST = 16  # pixels: smaller faces do not count
CROWD, STILLS = 3, 60
SURE = 0.6
SIZES = ((16, 24), (24, 48), (48, 96), (96, None))  # pixels


def crowds(work, trained=False):
    """Makes the stills of the crowds that were held out, WORK/crowds; or, to choose
    a threshold by, of as many that were trained on, WORK/trained-crowds."""
    folder = os.path.join(work, "trained-crowds" if trained else "crowds")
    images = []
    with open(os.path.join(work, "labels.jsonl")) as f:
        entries = sorted((json.loads(line) for line in f), key=lambda e: e["file"])
    entries = [e for e in entries if held_out(e["file"]) != trained and e["set"] not in WITHOUT_PEOPLE
               and sum(b[4] >= SURE and max(b[2], b[3]) >= LEAST for b in e["faces"]) >= CROWD]
    # Those with the most faces, of all sets alike.
    entries.sort(key=lambda e: (-min(8, sum(b[4] >= SURE for b in e["faces"])), e["file"]))
    os.makedirs(folder, exist_ok=True)
    for e in entries[:STILLS]:
        link = os.path.join(folder, e["file"])
        if not os.path.exists(link):
            os.link(os.path.join(os.path.realpath(os.path.join(work, "photos")), e["file"]), link)
        images.append({"file": e["file"], "set": e["set"], "faces": [
            {"x": b[0], "y": b[1], "w": b[2], "h": b[3], "ignore": b[4] < SURE} for b in e["faces"] if b[4] >= DOUBTFUL]})
    with open(os.path.join(folder, "faces.json"), "w") as f:
        json.dump({"images": images}, f)
    return folder


def variants(stills, out):
    """Writes all pictures under all conditions. Returns the labels of each."""
    with open(os.path.join(stills, "faces.json")) as f:
        images = sorted(json.load(f)["images"], key=lambda i: i["file"])
    labels = {}
    shutil.rmtree(out, ignore_errors=True)
    for name in [*conditions.NAMES, "mask", "sunglasses", "hat", "partly hidden"]:
        folder = os.path.join(out, name.replace(" ", "-"))
        os.makedirs(folder, exist_ok=True)
        labels[name] = {}
        for k, i in enumerate(images):
            file = os.path.splitext(i["file"])[0] + ".jpg"
            picture = cv2.imread(os.path.join(stills, i["file"]))
            if name in conditions.NAMES:
                picture, faces = conditions.apply(name, picture, i["faces"], k)
            else:
                faces = i["faces"]
                for n, b in enumerate(faces):
                    cover(picture, (b["x"], b["y"], b["w"], b["h"]), Chosen(["mask", "sunglasses", "hat", "partly hidden"].index(name), [k, n]))
            cv2.imwrite(os.path.join(folder, file), picture, [cv2.IMWRITE_JPEG_QUALITY, 95])
            labels[name][file] = faces
    return labels


class Chosen:
    """A generator whose covers are all of one kind."""

    def __init__(self, kind, seed):
        self.kind, self.r = kind, np.random.default_rng(seed)
        self.random, self.uniform = self.r.random, self.r.uniform

    def integers(self, *a):
        if a == (4,) and self.kind is not None:
            kind, self.kind = self.kind, None
            return kind
        return self.r.integers(*a)


def redact(o, model, folder, report):
    """Redacts a folder with the default settings of files."""
    subprocess.run([o.scrim, "redact", folder, "-o", report + ".out", "--model", model, "--report", report, "--overwrite",
                    "--threshold", str(getattr(o, "threshold", 0.3)), "--log-level", "error"],
                   check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(report + ".out")


def score(report, labels):
    """Returns for each face that counts how much of it is covered, and the mean area."""
    faces, areas = [], []
    with open(report) as f:
        for line in f:
            r = json.loads(line)
            mask = np.zeros((r["height"], r["width"]), bool)
            for b in r["regions"]:
                mask[max(0, int(b["y"])):max(0, math.ceil(b["y"] + b["h"])), max(0, int(b["x"])):max(0, math.ceil(b["x"] + b["w"]))] = True
            areas.append(mask.mean())
            file = os.path.basename(r["file"])
            for k, g in enumerate(labels[file]):
                if not g.get("ignore") and max(g["w"], g["h"]) >= LEAST:
                    part = mask[max(0, int(g["y"])):math.ceil(g["y"] + g["h"]), max(0, int(g["x"])):math.ceil(g["x"] + g["w"])]
                    faces.append((file, k, part.mean() if part.size else 0.0, max(g["w"], g["h"])))
    return faces, float(np.mean(areas)) if areas else 0.0


def skin(stills, faces):
    """Returns the kind of skin of each face by its individual typology angle
    (A. Chardon et al., 1991), of the middle of the clean face."""
    kinds, cache = [], {}
    with open(os.path.join(stills, "faces.json")) as f:
        images = {os.path.splitext(i["file"])[0] + ".jpg": i for i in json.load(f)["images"]}
    for file, k, *_ in faces:
        i = images[file]
        if file not in cache:
            cache[file] = cv2.cvtColor(cv2.imread(os.path.join(stills, i["file"])).astype(np.float32) / 255, cv2.COLOR_BGR2LAB)
        g = i["faces"][k]
        x, y = int(g["x"] + g["w"] * 0.25), int(g["y"] + g["h"] * 0.35)
        part = cache[file][max(0, y):y + max(1, int(g["h"] * 0.35)), max(0, x):x + max(1, int(g["w"] * 0.5))].reshape(-1, 3)
        if not len(part):
            kinds.append("unknown")
            continue
        light, _, b = np.median(part, axis=0)
        angle = math.degrees(math.atan2(light - 50, b))
        kinds.append("dark (ITA < 10)" if angle < 10 else "medium (10 to 41)" if angle < 41 else "light (> 41)")
    return kinds


def share(faces):
    return {"faces": len(faces), "covered": round(float(np.mean([f[2] >= COVERED for f in faces])), 4) if faces else None,
            "half or less": round(float(np.mean([f[2] <= 0.5 for f in faces])), 4) if faces else None}


TURNS = ((0, 20), (20, 45), (45, 70), (70, 100))  # degrees


def turns(o):
    """Returns how much is covered of drawn faces, by how far they are turned."""
    folder = os.path.join(o.work, "turns")
    os.makedirs(folder, exist_ok=True)
    film, truth = os.path.join(folder, "people.mp4"), os.path.join(folder, "people.jsonl")
    if not os.path.exists(truth):
        subprocess.run([o.camera, "--record", film, "--truth", truth, "--size", "1280x720", "--fps", "2", "--for", "60s",
                        "--people", "12", "--seed", "1", "--min-face", "16"], check=True)
    with open(truth) as f:
        wanted = {t["frame"]: t["faces"] for t in map(json.loads, f)}
    result = {}
    for model in o.model:
        report = os.path.join(folder, os.path.basename(model) + ".jsonl")
        subprocess.run([o.scrim, "redact", film, "-o", os.path.join(folder, "out.mp4"), "--overwrite", "--model", model, "--lookahead", "0",
                        "--no-second-look", "--report", report, "--log-level", "error"], check=True, stdout=subprocess.DEVNULL)
        faces = []
        with open(report) as f:
            for r in map(json.loads, f):
                mask = np.zeros((r["height"], r["width"]), bool)
                for b in r["regions"]:
                    mask[max(0, int(b["y"])):math.ceil(b["y"] + b["h"]), max(0, int(b["x"])):math.ceil(b["x"] + b["w"])] = True
                for g in wanted.get(r["frame"], []):
                    x0, y0, x1, y1 = max(0, int(g["x"])), max(0, int(g["y"])), math.ceil(g["x"] + g["w"]), math.ceil(g["y"] + g["h"])
                    part = mask[y0:y1, x0:x1]
                    if g["visible"] >= 0.6 * min(1, (100 - abs(g["yaw"])) / 30) and g["h"] >= LEAST and part.size:
                        faces.append((None, None, part.mean(), abs(g["yaw"])))
        result[os.path.basename(model)] = {"by turn": {f"{a} to {b} degrees": share([f for f in faces if a <= f[3] < b]) for a, b in TURNS}}
    return result


def measure(o, stills, names=None):
    """Returns the figures by condition and model."""
    out = os.path.join(o.work, "measure", os.path.basename(os.path.normpath(stills)))
    labels = variants(stills, out)
    result = {}
    for name in names or labels:
        folder = os.path.join(out, name.replace(" ", "-"))
        for model in o.model:
            report = folder + "." + os.path.basename(model) + ".jsonl"
            redact(o, model, folder, report)
            faces, area = score(report, labels[name])
            r = {**share(faces), "area": round(area, 4)}
            r["by size"] = {f"{a} to {b} px" if b else f"{a} px and more": share([f for f in faces if a <= f[3] < (b or math.inf)])
                            for a, b in SIZES}
            if name != "tilted":
                kinds = skin(stills, faces)
                r["by skin"] = {k: share([f for f, s in zip(faces, kinds) if s == k]) for k in sorted(set(kinds))}
            result.setdefault(name, {})[os.path.basename(model)] = r
            print(f"{name:14} {os.path.basename(model):24} faces {r['faces']:4} covered {100 * r['covered']:5.1f} %  "
                  f"half or less {100 * r['half or less']:5.1f} %  area {100 * area:5.1f} %", flush=True)
    return result


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--scrim", required=True)
    p.add_argument("--work", required=True)
    p.add_argument("--model", action="append", required=True)
    p.add_argument("--stills")
    p.add_argument("--json")
    p.add_argument("--condition", action="append", help="only these")
    p.add_argument("--threshold", type=float, default=0.3)
    p.add_argument("--trained", action="store_true", help="crowds that were trained on")
    o = p.parse_args()
    result = measure(o, o.stills or crowds(o.work, o.trained), o.condition)
    if o.json:
        with open(o.json, "w") as f:
            json.dump(result, f, indent=1)


if __name__ == "__main__":
    main()
