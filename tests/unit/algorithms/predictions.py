"""What plain XGBoost predicts, in an image's own environment."""

import json
import subprocess
from pathlib import Path

PROGRAM = Path(__file__).with_name("plain.py")


class Plain:
    """`plain(python, ask=…, …)`: predictions for `ask`, see plain.py. Each environment has one process, which imports
    XGBoost once: that takes a hundred times as long as what the tests ask of it."""

    def __init__(self):
        self._running = {}

    def __call__(self, python, **asked):
        process = self._running.get(python) or self._start(python)
        process.stdin.write(json.dumps(asked) + "\n")
        process.stdin.flush()
        answers = (line for line in process.stdout if line.startswith("answer "))
        answer = next(answers, None)
        assert answer is not None, f"plain XGBoost has ended: {process.wait()}"
        return json.loads(answer.removeprefix("answer "))

    def close(self):
        """End all processes."""
        for process in self._running.values():
            process.communicate()

    def _start(self, python):
        process = subprocess.Popen(
            [python, str(PROGRAM)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self._running[python] = process
        return process
