"""The edge is light: what it loads is there again half a second after a kill."""

import subprocess
import sys


def test_the_edge_loads_no_database_and_no_controllers():
    script = "import sys, clary.app.edge; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert not {"sqlalchemy", "clary.store.store", "clary.controllers", "rich", "typer"} & set(loaded)
