"""How training fails, in the words of the public training toolkit: these texts reach FailureReason."""

from __future__ import annotations

from typing import Optional


class ClientError(Exception):
    """Something that the user can mend."""


class CalledProcessError(ClientError):
    """A process that was started for the user has failed."""

    def __init__(self, command: str, exit_code: int, message: str = "", extra: Optional[str] = None) -> None:
        self.command = command
        self.exit_code = exit_code
        self.message = message
        self.extra = extra
        super().__init__(self._text())

    def _text(self) -> str:
        lines = [f"{type(self).__name__}:", f"ExitCode {self.exit_code}", f'ErrorMessage "{self.message}"']
        if self.extra is not None:
            lines.append(f'ExtraInfo "{self.extra}"')
        lines.append(f'Command "{self.command}"')
        return "\n".join(lines)


class InstallModuleError(CalledProcessError):
    """The user's package could not be installed."""


class InstallRequirementsError(CalledProcessError):
    """requirements.txt could not be installed."""


class ExecuteUserScriptError(CalledProcessError):
    """The user's script has failed."""


class ImportModuleError(ClientError):
    """The user's module cannot be imported."""


class UserError(ClientError):
    """A built-in algorithm was given what it cannot work with."""


class AlgorithmError(Exception):
    """A built-in algorithm has failed by itself."""
