"""What a warm parent of PyTorch's environments imports besides torch, where this torch has it.

An optimizer's first step imports torch's compiler, which takes as long as torch itself. Nothing here computes.
"""

from __future__ import annotations

import importlib
import importlib.util

import torch.distributed  # type: ignore[import-not-found,unused-ignore]
import torch.nn.parallel  # type: ignore[import-not-found,unused-ignore]
import torch.optim  # type: ignore[import-not-found,unused-ignore]
import torch.utils.data  # type: ignore[import-not-found,unused-ignore]  # noqa: F401

for name in ("torch._dynamo",):  # since PyTorch 2.0
    if importlib.util.find_spec(name):
        importlib.import_module(name)
