#!/usr/bin/python3
"""Step 4: writes the trained weights as ONNX.

    export.py --weights WORK/best.pt --out scrim-face.onnx [--shift 0.0]

Normalisation is folded into the convolutions. The file has YuNet's outputs, without
landmarks, so that OpenCV 4.6 and Scrim's own kernels read it alike. --shift is added
to the logits of both scores: it moves what a threshold of 0.3 means.
"""

import argparse
import hashlib

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from network import HEAD, INPUT_SCALE, STRIDES, Network
from onnxnet import OnnxNetwork

SIDE = 640  # what the file says of its input; both engines take other sizes


class Writer:
    """Collects the nodes of a graph."""

    def __init__(self):
        self.nodes, self.constants, self.count = [], [], 0

    def name(self):
        self.count += 1
        return f"v{self.count}"

    def constant(self, value):
        name = self.name()
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, op, inputs, out=None, **attributes):
        out = out or self.name()
        self.nodes.append(helper.make_node(op, inputs, [out], **attributes))
        return out

    def conv(self, x, weight, bias, stride=1, groups=1):
        side = weight.shape[2]
        return self.node("Conv", [x, self.constant(weight.detach().numpy()), self.constant(bias.detach().numpy())],
                         kernel_shape=[side, side], strides=[stride, stride], pads=[side // 2] * 4, dilations=[1, 1], group=groups)

    def relu(self, x):
        return self.node("Relu", [x])

    def unit(self, x, u):
        scale, bias = fold(u.bn)
        x = self.conv(x, u.pw.weight, torch.zeros(u.pw.out_channels))
        return self.relu(self.conv(x, u.dw.weight * scale[:, None, None, None], bias, groups=u.dw.groups))

    def pool(self, x):
        return self.node("MaxPool", [x], kernel_shape=[2, 2], strides=[2, 2], pads=[0, 0, 0, 0])

    def add(self, fine, coarse):
        up = self.node("Resize", [coarse, self.constant(np.zeros(0, np.float32)), self.constant(np.array([1, 1, 2, 2], np.float32))],
                       mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor")
        return self.node("Add", [fine, up])

    def head(self, x, h, stride, shift):
        for kind, n in HEAD:
            pw, dw = getattr(h, kind + "_pw"), getattr(h, kind + "_dw")
            bias = dw.bias if kind == "bbox" else dw.bias + shift
            v = self.conv(self.conv(x, pw.weight, pw.bias), dw.weight, bias, groups=n)
            v = self.node("Transpose", [v], perm=[0, 2, 3, 1])
            shape, name = self.constant(np.array([1, -1, n], np.int64)), f"{kind}_{stride}"
            if kind == "bbox":
                self.node("Reshape", [v, shape], name)
            else:
                self.node("Sigmoid", [self.node("Reshape", [v, shape])], name)


def fold(bn):
    """Returns what a normalisation multiplies by, and what it adds."""
    scale = bn.weight / torch.sqrt(bn.running_var + bn.eps)
    return scale, bn.bias - bn.running_mean * scale


def write(net, path, shift=0.0):
    """Writes the network and returns the file's SHA-256."""
    w = Writer()
    scale, bias = fold(net.stem_bn)
    x = w.relu(w.conv("input", net.stem.weight * INPUT_SCALE * scale[:, None, None, None], bias, stride=2))
    maps = []
    for stage in (net.s4, net.s8, net.s16, net.s32):
        x = w.pool(x)
        for u in stage:
            x = w.unit(x, u)
        maps.append(x)
    _, x8, x16, x32 = maps
    x16 = w.unit(w.add(x16, x32), net.neck16)
    x8 = w.unit(w.add(x8, x16), net.neck8)
    for x, tower, head, stride in zip((x8, x16, x32), net.tower, net.heads, STRIDES):
        w.head(w.unit(x, tower), head, stride, shift)
    outputs = [helper.make_tensor_value_info(f"{kind}_{s}", TensorProto.FLOAT, [1, (SIDE // s) ** 2, n])
               for kind, n in HEAD for s in STRIDES]
    graph = helper.make_graph(w.nodes, "scrim-face", [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, SIDE, SIDE])],
                              outputs, w.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], producer_name="scrim")
    model.ir_version = 6
    onnx.checker.check_model(model)
    data = model.SerializeToString()
    with open(path, "wb") as f:
        f.write(data)
    return hashlib.sha256(data).hexdigest()


def load(path):
    c = torch.load(path)
    net = Network(**{k: tuple(v) if isinstance(v, list) else v for k, v in c["spec"].items()})
    net.load_state_dict(c["state"])
    return net.eval(), c


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--weights", required=True)
    p.add_argument("--out", required=True)
    p.add_argument("--shift", type=float, default=0.0)
    o = p.parse_args()
    net, c = load(o.weights)
    sum256 = write(net, o.out, o.shift)
    # What was written says what the network says.
    x = torch.rand(1, 3, 96, 128, generator=torch.Generator().manual_seed(1)) * 255
    with torch.no_grad():
        want = net(x)
        got = OnnxNetwork(o.out).outputs(x)
    for a, (cls, obj, box) in zip(want, got):
        a[:, :2] = torch.sigmoid(a[:, :2] + o.shift)
        worst = (a - torch.cat([cls, obj, box], 1)).abs().max().item()
        if worst > 1e-3:
            raise SystemExit(f"{o.out} differs from the network by {worst}")
    print(f"{o.out}: {c['step']} steps, {c['crops']} crops, SHA-256 {sum256}")


if __name__ == "__main__":
    main()
