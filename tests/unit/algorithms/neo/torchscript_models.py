"""Models of PyTorch, compiled for `test_torchscript.py`: `PYTHON torchscript_models.py FOLDER`."""

import json
import sys
from pathlib import Path

import torch
from torch import nn

from clary.algorithms.neo import torchscript
from clary.algorithms.neo.compiled import Uncompilable
from clary.toolkit.sessions import Session


class Picture(nn.Module):
    def __init__(self):
        super().__init__()
        self.seen, self.usual, self.last = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(4 * 9, 5)

    def forward(self, x):
        x = torch.max_pool2d(torch.relu(self.usual(self.seen(x))), 2)
        return torch.softmax(self.last(torch.dropout(x, 0.5, self.training).flatten(1)), 1)


class Words(nn.Module):
    def __init__(self):
        super().__init__()
        self.meaning, self.read, self.last = nn.Embedding(50, 4), nn.LSTM(4, 6, batch_first=True), nn.Linear(6, 2)

    def forward(self, words, weight):
        states, (last, _) = self.read(self.meaning(words) * weight.unsqueeze(-1))
        if words.size(1) > 4:
            states = states * 2
        return self.last(states[:, -1]), last[0]


class Fixed(nn.Module):
    def forward(self, x):
        return x.reshape(1, 6) @ torch.ones(6, 2)


class Named(nn.Module):
    def forward(self, x):
        return {"double": x * 2}


class Noise(nn.Module):
    def forward(self, x):
        return x + torch.rand_like(x)


def told(model, shapes, form="onnx", name="model.pth"):
    folder = Path(sys.argv[1], str(len(list(Path(sys.argv[1]).iterdir()))))
    folder.mkdir()
    if isinstance(model, torch.jit.ScriptModule):
        torch.jit.save(model, folder / name)
    else:
        torch.save(model, folder / name)
    try:
        content, proof = torchscript.from_folder(folder, shapes, form)
    except Uncompilable as refused:
        return str(refused)
    except Exception as error:
        return type(error).__name__ + str(error)[:200]
    session = Session(content)
    return [[list(each) for each in session.inputs], session.outputs, proof.difference]


torch.manual_seed(0)
picture, example = Picture().eval(), torch.rand(1, 3, 8, 8)
traced = torch.jit.trace(picture, example)
words = torch.jit.script(Words().eval())
attention = torch.jit.trace(nn.TransformerEncoderLayer(8, 2, 16).eval(), torch.rand(4, 1, 8), check_trace=False)
print(
    json.dumps(
        {
            "named": told(traced, {"image": [1, 3, 8, 8]}),
            "listed": told(torch.jit.script(picture), [[1, 3, 8, 8]], name="own.pt"),
            "traced": told(traced, {}),
            "words": told(words, {"words": [1, 5], "weight": [1, 5]}),
            "attention": told(attention, {}),
            "fixed": told(torch.jit.script(Fixed()), {"x": [2, 3]}),
            "dictionary": told(torch.jit.script(Named()), {"x": [1, 3]}),
            "noise": told(torch.jit.script(Noise()), {"x": [1, 3]}),
            "no shapes": told(words, {}),
            "wrong shapes": told(traced, {"image": [1, 3, 8]}),
            "no shape": told(traced, {"image": "1,3,8,8"}),
            "weights": told(picture.state_dict(), {"image": [1, 3, 8, 8]}),
            "pmml": told(traced, {}, "pmml"),
        }
    )
)
