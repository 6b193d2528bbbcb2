"""What plain XGBoost predicts, in an image's own environment."""

import json
import subprocess
from pathlib import Path

PROGRAM = Path(__file__).with_name("plain.py")


def plainly(python, **asked):
    """Predictions for `ask`; see plain.py."""
    done = subprocess.run(
        [python, str(PROGRAM)], input=json.dumps(asked), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
