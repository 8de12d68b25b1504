"""The network: a dense, anchor-free detector at strides 8, 16 and 32.

Its parts are those that Scrim's kernels run well (redact/infer): a first layer of
3×3 with stride 2, units of a pointwise and a depthwise 3×3 convolution, pools of
2×2, and sums with a coarser map. The family is YuNet's (W. Wu, H. Peng and S. Yu,
Machine Intelligence Research 20, 2023); depth, widths, loss, labels and weights
are our own.
"""

import torch
import torch.nn as nn
import torch.nn.functional as F

STRIDES = (8, 16, 32)
# Pictures come as 0 to 255; this keeps the first layer's weights near 1.
INPUT_SCALE = 1 / 64
# What a head says of each cell: class, objectness, box.
HEAD = (("cls", 1), ("obj", 1), ("bbox", 4))


class Unit(nn.Module):
    """A pointwise convolution, a depthwise one, and a rectifier."""

    def __init__(self, cin, cout):
        super().__init__()
        self.pw = nn.Conv2d(cin, cout, 1, bias=False)
        self.dw = nn.Conv2d(cout, cout, 3, padding=1, groups=cout, bias=False)
        self.bn = nn.BatchNorm2d(cout)

    def forward(self, x):
        return F.relu(self.bn(self.dw(self.pw(x))), inplace=True)


class Head(nn.Module):
    """The outputs of one scale."""

    def __init__(self, cin):
        super().__init__()
        for name, n in HEAD:
            pw, dw = nn.Conv2d(cin, n, 1), nn.Conv2d(n, n, 3, padding=1, groups=n)
            nn.init.normal_(pw.weight, std=0.02)
            nn.init.zeros_(pw.bias)
            nn.init.zeros_(dw.bias)
            with torch.no_grad():  # begins as if there were only the pointwise one
                dw.weight.mul_(0.2)
                dw.weight[:, :, 1, 1] = 1
            setattr(self, name + "_pw", pw)
            setattr(self, name + "_dw", dw)
        nn.init.constant_(self.cls_dw.bias, -3.0)
        nn.init.constant_(self.obj_dw.bias, -3.0)
        with torch.no_grad():
            self.bbox_dw.bias.copy_(torch.tensor([0.5, 0.5, 1.0, 1.2]))

    def forward(self, x):
        return torch.cat([getattr(self, n + "_dw")(getattr(self, n + "_pw")(x)) for n, _ in HEAD], 1)


def units(*widths):
    return nn.Sequential(*(Unit(a, b) for a, b in zip(widths, widths[1:])))


class Network(nn.Module):
    """The whole network. It takes BGR pictures of 0 to 255 in NCHW, of sides that
    are multiples of 32, and returns a map of six values for each stride."""

    def __init__(self, stem=16, s4=(32, 32), s8=(64, 64), s16=(64, 64, 64), s32=(64, 64, 64)):
        super().__init__()
        self.spec = {"stem": stem, "s4": s4, "s8": s8, "s16": s16, "s32": s32}
        self.stem = nn.Conv2d(3, stem, 3, 2, 1, bias=False)
        self.stem_bn = nn.BatchNorm2d(stem)
        self.s4 = units(stem, *s4)
        self.s8 = units(s4[-1], *s8)
        self.s16 = units(s8[-1], *s16)
        self.s32 = units(s16[-1], *s32)
        c = s8[-1]
        self.neck16, self.neck8 = Unit(c, c), Unit(c, c)
        self.tower = nn.ModuleList(Unit(c, c) for _ in STRIDES)
        self.heads = nn.ModuleList(Head(c) for _ in STRIDES)

    def forward(self, x):
        x = F.relu(self.stem_bn(self.stem(x * INPUT_SCALE)), inplace=True)
        x = self.s4(F.max_pool2d(x, 2))
        x8 = self.s8(F.max_pool2d(x, 2))
        x16 = self.s16(F.max_pool2d(x8, 2))
        x32 = self.s32(F.max_pool2d(x16, 2))
        x16 = self.neck16(x16 + F.interpolate(x32, scale_factor=2))
        x8 = self.neck8(x8 + F.interpolate(x16, scale_factor=2))
        return [h(t(v)) for h, t, v in zip(self.heads, self.tower, (x8, x16, x32))]


def products(net, width=640, height=384):
    """Returns the multiplications of one pass over a picture of that size."""
    total = 0
    size = {}

    def hook(module, _, out):
        nonlocal total
        w = module.weight
        total += w.numel() * out.shape[2] * out.shape[3]
        size[module] = out.shape

    handles = [m.register_forward_hook(hook) for m in net.modules() if isinstance(m, nn.Conv2d)]
    was = net.training
    net.eval()
    with torch.no_grad():
        net(torch.zeros(1, 3, height, width))
    net.train(was)
    for h in handles:
        h.remove()
    return total


if __name__ == "__main__":
    n = Network()
    print(f"{products(n) / 1e6:.0f} million products at 640x384, {sum(p.numel() for p in n.parameters())} parameters")
