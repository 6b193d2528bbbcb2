"""`python -m clary.toolkit.function.begin`: the program of an execution environment. What it needs is in `serve`, which
a warm parent has imported; a module that is run as a program must not have been."""

from __future__ import annotations

from clary.toolkit.function.serve import main

if __name__ == "__main__":
    main()
