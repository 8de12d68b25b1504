#!/usr/bin/python3
"""Step 3: trains the network.

    train.py --work WORK --minutes 120

The learning rate follows the share of the time that is spent, so that the same
command fits any machine. WORK/checkpoint.pt is written every few minutes, and
training goes on from there; WORK/best.pt holds the averaged weights.
"""

import argparse
import json
import math
import os
import time

import torch

from data import CROP, Crops
from loss import cells, loss
from network import Network, products

WARM_STEPS = 300
# Averaging of the weights over steps, once warm.
DECAY = 0.9995


def rate(spent, step, peak):
    """One cycle: up quickly, down along a cosine."""
    return peak * min(1, (step + 1) / WARM_STEPS) * (0.01 + 0.99 * (1 + math.cos(math.pi * min(1, spent))) / 2)


def save(path, what):
    torch.save(what, path + ".part")
    os.replace(path + ".part", path)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--work", required=True)
    p.add_argument("--minutes", type=float, default=120, help="time to train in all")
    p.add_argument("--batch", type=int, default=32)
    p.add_argument("--rate", type=float, default=3e-3)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--workers", type=int, default=2)
    p.add_argument("--threads", type=int, default=os.cpu_count())
    p.add_argument("--save-every", type=float, default=120, help="seconds between checkpoints")
    p.add_argument("--bf16", action="store_true", help="compute in 16 bits where the processor can")
    o = p.parse_args()
    torch.set_num_threads(o.threads)
    torch.manual_seed(o.seed)
    net = Network().to(memory_format=torch.channels_last)
    average = Network()
    average.load_state_dict(net.state_dict())
    decayed = [q for q in net.parameters() if q.ndim > 1]
    plain = [q for q in net.parameters() if q.ndim <= 1]
    optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.02}, {"params": plain, "weight_decay": 0}], lr=o.rate)
    step, trained, crops = 0, 0.0, 0
    path = os.path.join(o.work, "checkpoint.pt")
    if os.path.exists(path):
        c = torch.load(path)
        net.load_state_dict(c["net"])
        average.load_state_dict(c["average"])
        optimizer.load_state_dict(c["optimizer"])
        step, trained, crops = c["step"], c["trained"], c["crops"]
        print(f"goes on at step {step}, {trained / 60:.1f} minutes", flush=True)
    print(f"{products(net) / 1e6:.0f} million products at 640x384", flush=True)
    places, strides = cells(CROP, CROP)
    loader = torch.utils.data.DataLoader(Crops(o.work, o.batch, o.seed + step), batch_size=None, num_workers=o.workers, prefetch_factor=3)
    net.train()
    last_saved, last = time.time(), time.time()
    sums = [0.0, 0.0, 0]
    for images, faces, owner, weight, ignored, ignored_owner in loader:
        spent = trained / (o.minutes * 60)
        for g in optimizer.param_groups:
            g["lr"] = rate(spent, step, o.rate)
        x = images.permute(0, 3, 1, 2).float()
        with torch.autocast("cpu", torch.bfloat16, enabled=o.bf16):
            maps = net(x)
        score, box = loss(maps, faces, owner, weight, ignored, ignored_owner, places, strides)
        optimizer.zero_grad(set_to_none=True)
        (score + 2 * box).backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimizer.step()
        step += 1
        crops += len(images)
        keep = min(DECAY, (1 + step) / (20 + step))
        with torch.no_grad():
            for a, b in zip(average.state_dict().values(), net.state_dict().values()):
                if a.dtype.is_floating_point:
                    a.lerp_(b, 1 - keep)
                else:
                    a.copy_(b)
        sums[0] += score.item()
        sums[1] += box.item()
        sums[2] += 1
        now = time.time()
        trained += now - last
        last = now
        if step % 100 == 0:
            print(json.dumps({"step": step, "crops": crops, "minutes": round(trained / 60, 2), "score": round(sums[0] / sums[2], 4),
                              "box": round(sums[1] / sums[2], 4), "rate": round(optimizer.param_groups[0]["lr"], 6)}), flush=True)
            sums = [0.0, 0.0, 0]
        end = trained >= o.minutes * 60
        if now - last_saved > o.save_every or end:
            last_saved = now
            save(path, {"net": net.state_dict(), "average": average.state_dict(), "optimizer": optimizer.state_dict(),
                        "step": step, "trained": trained, "crops": crops})
            save(os.path.join(o.work, "best.pt"), {"spec": net.spec, "state": average.state_dict(), "step": step, "crops": crops,
                                                   "minutes": trained / 60, "seed": o.seed})
        if end:
            return


if __name__ == "__main__":
    main()
