"""From `Handler="module.function"` to what is called."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any, Callable

from clary.toolkit.function.errors import HandlerMissing, own_frames

Function = Callable[[Any, Any], Any]

_LAYERS = "LAMBDA_LAYERS_ROOT"


def search_path(task_root: str) -> None:
    """Where modules are looked for: the function's own, its layers', and then the runtime's."""
    version = "{}.{}".format(*sys.version_info[:2])
    root = os.environ.pop(_LAYERS, "/opt/python")
    layers = [os.path.join(root, "lib", "python" + version, "site-packages"), root]  # noqa: PTH118
    wanted = [task_root, *(path for path in layers if os.path.isdir(path))]  # noqa: PTH112
    sys.path[:] = [*wanted, *(path for path in sys.path if path not in wanted)]


def load(name: str) -> Function:
    """The handler. Raises HandlerMissing, as AWS says it."""
    module_name, dot, function_name = name.rpartition(".")
    if not dot:
        raise HandlerMissing(
            "Runtime.MalformedHandlerName", "Bad handler '{}': not enough values to unpack".format(name)
        )
    module = _module(module_name.replace("/", "."))
    try:
        found: Function = getattr(module, function_name)
    except AttributeError:
        message = "Handler '{}' missing on module '{}'".format(function_name, module_name)
        raise HandlerMissing("Runtime.HandlerNotFound", message) from None
    return found


def _module(name: str) -> Any:  # noqa: ANN401  a module of the function's
    try:
        return importlib.import_module(name)
    except ImportError as error:
        message = "Unable to import module '{}': {}".format(name, error)
        raise HandlerMissing("Runtime.ImportModuleError", message) from error
    except SyntaxError as error:
        message = "Syntax error in module '{}': {}".format(name, error)
        where = ['  File "{}" Line {}\n    {}\n'.format(error.filename, error.lineno, (error.text or "").strip())]
        raise HandlerMissing("Runtime.UserCodeSyntaxError", message, where) from error
    except Exception as error:
        raise HandlerMissing(type(error).__name__, str(error), own_frames(error.__traceback__)) from error
