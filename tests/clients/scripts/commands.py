"""The AWS CLI, command by command in one process."""

import contextlib
import io
import json

from awscli.clidriver import create_clidriver

CLI = create_clidriver()


def aws(*arguments):
    """One command; what it prints, parsed where it is JSON."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        code = CLI.main(list(arguments))
    assert code == 0, (arguments, code, said.getvalue())
    try:
        return json.loads(said.getvalue())
    except ValueError:
        return said.getvalue()
