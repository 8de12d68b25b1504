"""The loss: which cells are to find which face, and how wrong they are.

Cells are assigned as in task-aligned learning (C. Feng et al., TOOD, ICCV 2021)
and SimOTA (Z. Ge et al., YOLOX, 2021): those that find a face best already are to
find it better, and how many they are follows from how well they do. A face's size
decides which stride may have it. Scores are trained by the quality focal loss
(X. Li et al., NeurIPS 2020), boxes by GIoU.
"""

import torch
import torch.nn.functional as F

from network import STRIDES

# A face of this many strides is just right for a scale; SPREAD is in octaves.
FITS = 3.0
SPREAD = 0.8
MOST_CELLS = 10


def cells(width, height):
    """Returns the places of all cells in strides (x, y), and their strides."""
    places, strides = [], []
    for s in STRIDES:
        y, x = torch.meshgrid(torch.arange(height // s), torch.arange(width // s), indexing="ij")
        places.append(torch.stack([x, y], -1).reshape(-1, 2).float())
        strides.append(torch.full((len(places[-1]),), float(s)))
    return torch.cat(places), torch.cat(strides)


def flatten(maps):
    """Returns the values of all scales by cell: [batch, cells, 6]."""
    return torch.cat([m.permute(0, 2, 3, 1).reshape(len(m), -1, m.shape[1]) for m in maps], 1)


def boxes_of(values, places, strides):
    """Decodes boxes as left, top, right, bottom in pixels."""
    centre = (places + values[..., :2]) * strides[:, None]
    half = values[..., 2:].clamp(-4, 6).exp() * strides[:, None] / 2
    return torch.cat([centre - half, centre + half], -1)


def giou(a, b):
    """Returns IoU and generalised IoU of pairs of boxes."""
    lt, rb = torch.max(a[..., :2], b[..., :2]), torch.min(a[..., 2:], b[..., 2:])
    shared = (rb - lt).clamp(min=0).prod(-1)
    union = (a[..., 2:] - a[..., :2]).prod(-1) + (b[..., 2:] - b[..., :2]).prod(-1) - shared
    iou = shared / union.clamp(min=1e-6)
    hull = (torch.max(a[..., 2:], b[..., 2:]) - torch.min(a[..., :2], b[..., :2])).prod(-1).clamp(min=1e-6)
    return iou, iou - (hull - union) / hull


def log_score(values):
    """Returns the logarithm of the score, sqrt(cls * obj)."""
    return 0.5 * (F.logsigmoid(values[..., 0]) + F.logsigmoid(values[..., 1]))


def assign(faces, owner, boxes, score, places, strides):
    """Says which cell is to find which face.

    faces are rows of left, top, right, bottom; owner has the picture of each.
    Returns for each cell of each picture the target score, 0 for none, and the
    number of its face."""
    batch, n = score.shape
    target = torch.zeros(batch, n)
    which = torch.zeros(batch, n, dtype=torch.long)
    if len(faces) == 0:
        return target, which
    size = (faces[:, 2:] - faces[:, :2]).clamp(min=1)
    centre = (faces[:, 2:] + faces[:, :2]) / 2
    at = (places + 0.5) * strides[:, None]
    away = (at[None] - centre[:, None]).abs() / size[:, None]
    reach = torch.maximum(size[:, None] * 0.4, strides[None, :, None] * 0.75) / size[:, None]
    near = (away <= reach).all(-1)
    octave = torch.log2(size.prod(-1).sqrt()[:, None] / (FITS * strides[None]))
    octave = torch.where((strides[None] == STRIDES[0]) & (octave < 0) | (strides[None] == STRIDES[-1]) & (octave > 0),
                         torch.zeros(()), octave)
    fit = torch.exp(-(octave / SPREAD) ** 2 / 2 - (away ** 2).sum(-1) / 0.3)
    iou, _ = giou(boxes[owner], faces[:, None])
    good = near * fit * (iou + 0.05) ** 2 * (score[owner] + 0.05).sqrt()
    top = torch.topk(good, min(MOST_CELLS, n), 1)
    count = (torch.gather(iou, 1, top.indices) * (top.values > 0)).sum(1).round().clamp(1, MOST_CELLS)
    chosen = torch.zeros_like(good)
    keep = (torch.arange(top.values.shape[1])[None] < count[:, None]) * top.values
    chosen.scatter_(1, top.indices, keep)
    # The best cell of a face is to say 1, others as much less as they are worse.
    quality = chosen / top.values[:, :1].clamp(min=1e-9)
    # A cell that two faces want goes to the one that it finds better.
    for k in range(int(torch.bincount(owner, minlength=batch).max())):
        first = torch.ones(batch, dtype=torch.long) * -1
        index = torch.arange(len(owner)) - torch.searchsorted(owner, owner)
        mine = torch.nonzero(index == k)[:, 0]
        first[owner[mine]] = mine
        has = first >= 0
        better = torch.zeros(batch, n, dtype=torch.bool)
        better[has] = quality[first[has]] > target[has]
        target = torch.where(better, quality[first.clamp(min=0)], target)
        which = torch.where(better, first.clamp(min=0)[:, None].expand(-1, n), which)
    return target, which


def loss(maps, faces, owner, weight, ignored, ignored_owner, places, strides):
    """Returns the loss of the scores and of the boxes, each per face.

    weight has how sure the label of each face is. Cells in ignored boxes that are
    to find nothing count for nothing."""
    values = flatten(maps).float()
    boxes = boxes_of(values[..., 2:], places, strides)
    log_p = log_score(values)
    p = log_p.exp()
    with torch.no_grad():
        target, which = assign(faces, owner, boxes, p, places, strides)
        found = target > 0
        if len(faces):
            target = target * torch.where(found, weight[which], torch.ones(()))
        counts = torch.ones_like(p)
        at = (places + 0.5) * strides[:, None]
        for box, o in zip(ignored, ignored_owner):
            inside = ((at >= box[:2]) & (at <= box[2:])).all(-1)
            counts[o][inside & ~found[o]] = 0
    bce = -(target * log_p + (1 - target) * torch.log1p(-p.clamp(max=1 - 1e-5)))
    total = target.sum().clamp(min=8.0)
    score_loss = (counts * (target - p).abs() ** 2 * bce).sum() / total
    if not found.any():
        return score_loss, values.sum() * 0
    _, g = giou(boxes[found], faces[which[found]])
    return score_loss, ((1 - g) * target[found]).sum() / total
