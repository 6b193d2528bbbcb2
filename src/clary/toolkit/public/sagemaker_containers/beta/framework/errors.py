"""`framework.errors`."""

from __future__ import annotations

from sagemaker_inference.errors import UnsupportedFormatError

from clary.toolkit.errors import ClientError, ExecuteUserScriptError, ImportModuleError, InstallModuleError

__all__ = [
    "ClientError",
    "ExecuteUserScriptError",
    "ImportModuleError",
    "InstallModuleError",
    "UnsupportedFormatError",
]
