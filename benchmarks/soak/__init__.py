"""Endpoints under load for hours, disturbed all the while: `python -m benchmarks.soak --help`."""
