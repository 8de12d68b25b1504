"""Runs an exported network in PyTorch, to check that it says what the trained one says."""

import onnx
import onnx.numpy_helper
import torch
import torch.nn.functional as F

from network import STRIDES


class OnnxNetwork:
    """A network read from an ONNX file. Pictures are BGR, 0 to 255."""

    def __init__(self, path):
        graph = onnx.load(path).graph
        self.nodes = list(graph.node)
        self.input = graph.input[0].name
        self.weights = {t.name: torch.from_numpy(onnx.numpy_helper.to_array(t).copy()) for t in graph.initializer}

    def outputs(self, x):
        """Returns [cls, obj, box] for each stride, as maps, of a batch in NCHW."""
        v = {self.input: x}
        for n in self.nodes:
            a = {i.name: onnx.helper.get_attribute_value(i) for i in n.attribute}
            i = [v.get(k, self.weights.get(k)) for k in n.input]
            if n.op_type == "Conv":
                y = F.conv2d(i[0], i[1], i[2], stride=a["strides"], padding=a["pads"][:2], groups=a["group"])
            elif n.op_type == "Relu":
                y = F.relu(i[0])
            elif n.op_type == "MaxPool":
                y = F.max_pool2d(i[0], 2)
            elif n.op_type == "Resize":
                y = F.interpolate(i[0], scale_factor=2)
            elif n.op_type == "Add":
                y = i[0] + i[1]
            elif n.op_type == "Sigmoid":
                y = torch.sigmoid(i[0])
            elif n.op_type in ("Transpose", "Reshape"):
                y = i[0]  # only the order of the outputs; ours stay maps
            else:
                raise ValueError(f"operator {n.op_type}")
            v[n.output[0]] = y
        return [[v[f"{kind}_{s}"] for kind in ("cls", "obj", "bbox")] for s in STRIDES]
