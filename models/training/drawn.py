#!/usr/bin/python3
"""Step 2: draws people, whose faces are known exactly.

    drawn.py --camera bin/scrim-camera --work WORK

They fill what the photographs lack: faces that turn away, backs of heads, faces
over 128 pixels. Seeds from FIRST_SEED on are for training only; whatever measures
uses smaller ones.
"""

import argparse
import json
import os
import random
import subprocess

import cv2

FIRST_SEED = 40000
# Faces of which less than this can be seen, or that are turned farther, may be
# found or not.
LEAST_VISIBLE, MOST_YAW = 0.4, 97
# From the first yaw to the second, Scrim counts ever less of a face as visible.
PROFILE_YAW, BACK_YAW = 70, 100


def is_face(f):
    """Whether a drawn face must be found: most of what is turned to the camera is seen."""
    yaw = abs(f["yaw"])
    turned = min(1, (BACK_YAW - yaw) / (BACK_YAW - PROFILE_YAW))
    return yaw <= MOST_YAW and f["visible"] >= LEAST_VISIBLE * turned


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--camera", required=True)
    p.add_argument("--work", required=True)
    p.add_argument("--scenes", type=int, default=40)
    o = p.parse_args()
    folder = os.path.join(o.work, "drawn")
    os.makedirs(folder, exist_ok=True)
    r = random.Random(1)
    with open(os.path.join(folder, "labels.jsonl"), "w") as out:
        for k in range(o.scenes):
            width, height = r.choice([(640, 360), (960, 540), (1280, 720), (1280, 720)])
            name = os.path.join(folder, f"{k}")
            subprocess.run([o.camera, "--record", name + ".mp4", "--truth", name + ".jsonl", "--size", f"{width}x{height}",
                            "--fps", "1", "--frames", "16", "--people", str(r.choice([3, 6, 10, 16])), "--seed", str(FIRST_SEED + k),
                            "--min-face", str(r.choice([10, 16, 30])), "--max-face", str(r.choice([height // 4, height // 3, height // 2]) // 2 * 2),
                            "--bitrate", "20000000"], check=True)
            film = cv2.VideoCapture(name + ".mp4")
            with open(name + ".jsonl") as truth:
                for line in truth:
                    t = json.loads(line)
                    ok, image = film.read()
                    if not ok:
                        break
                    file = f"{k}-{t['frame']}.jpg"
                    cv2.imwrite(os.path.join(folder, file), image, [cv2.IMWRITE_JPEG_QUALITY, 95])
                    faces = [[f["x"], f["y"], f["w"], f["h"], 1.0 if is_face(f) else 0.3]
                             for f in t["faces"]]
                    out.write(json.dumps({"file": file, "faces": faces}) + "\n")
            os.remove(name + ".mp4")
            os.remove(name + ".jsonl")


if __name__ == "__main__":
    main()
