"""Only one control writes."""

import os
import threading

import pytest

from clary.control.writing import only_writer
from clary.errors import ClaryError


def test_a_second_writer_waits_for_the_first_to_end(tmp_path):
    first = only_writer(tmp_path)
    ending = threading.Timer(0.1, os.close, [first])
    ending.start()
    os.close(only_writer(tmp_path, patience=5))
    ending.join()


def test_a_writer_that_stays_is_named(tmp_path):
    first = only_writer(tmp_path)
    with pytest.raises(ClaryError, match="still writes"):
        only_writer(tmp_path, patience=0.05)
    os.close(first)
