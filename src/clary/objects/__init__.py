"""The object store behind S3: files on disk, and a database of its own that says which of them are objects.

A body is written to a new file under a random id and fsynced; the row that names it is the commit point. Files are
never changed, so a copy is a hard link, and a reader needs no lock. `ObjectStore` is the single writer (in control);
`ObjectReader` reads beside it from any process; `Intake` takes in bodies where they arrive.
"""

from clary.objects.intake import Intake
from clary.objects.model import Attributes, Bucket, ObjectInfo
from clary.objects.reader import ObjectReader
from clary.objects.store import ObjectStore

__all__ = ["Attributes", "Bucket", "Intake", "ObjectInfo", "ObjectReader", "ObjectStore"]
