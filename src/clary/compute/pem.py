"""Files of certificates (RFC 7468), put together.

The standard library only, for Pythons of 3.8 and later: keepers read this file too.
"""

from __future__ import annotations

import re

_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----")


def joined(*texts: bytes) -> bytes:
    """All certificates of these texts, each once, in their order; what stands between them is left out."""
    found = (each for text in texts for each in _CERTIFICATE.findall(text.replace(b"\r\n", b"\n")))
    return b"".join(each + b"\n" for each in dict.fromkeys(found))
