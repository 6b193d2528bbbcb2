"""A training script that would run for ten minutes."""

import time

print("asleep", flush=True)
time.sleep(600)
