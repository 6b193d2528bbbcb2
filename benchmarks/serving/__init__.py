"""Clary's endpoints and other model servers, side by side: `python -m benchmarks.serving --help`."""
