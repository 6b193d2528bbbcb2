"""SDK 3's @remote: a function of this program runs as a job, with arguments, a result, and its own exceptions."""

import platform

from sagemaker.core.remote_function import remote

SETTINGS = {"instance_type": "ml.m5.large", "image_uri": "functions:latest"}


@remote(**SETTINGS)
def add(first, second):
    return first + second, platform.node()


@remote(**SETTINGS)
def fail():
    raise KeyError("on purpose")


print("result:", add(1, second=2))
try:
    fail()
except KeyError as error:
    print("raised:", repr(error))
