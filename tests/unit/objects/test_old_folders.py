"""Data folders of earlier versions open, with all that is in them."""

import sqlite3

from clary.objects import ObjectStore
from clary.objects.body import receive_bytes
from clary.objects.completion import ChosenPart, Completion
from clary.objects.model import NULL_VERSION
from clary.objects.schema import _MIGRATIONS, NAME


def test_a_folder_without_versions_opens_and_can_keep_them_then(root):
    root.mkdir()
    (root / "files" / "aa").mkdir(parents=True)
    (root / "files" / "aa" / ("a" * 32)).write_bytes(b"old")
    old = sqlite3.connect(root / NAME)
    old.executescript(f"{_MIGRATIONS[0]} PRAGMA user_version=1;")
    old.execute("INSERT INTO bucket VALUES ('b', '1', 'us-east-1', 0, '{}')")
    layout = '[["%s",3,1,{},0]]' % ("a" * 32)
    old.execute("INSERT INTO object VALUES ('b', ?, 'e', 3, 1000, '{}', ?)", (b"k", layout))
    old.commit()
    old.close()
    store = ObjectStore(root)
    found = store.head("b", "k")
    assert (found.version, b"".join(store.read(found))) == (NULL_VERSION, b"old")
    store.set_bucket("b", "Versioning", {"Status": "Enabled"})
    new = store.put_bytes("b", "k", b"new")
    assert store.version("b", "k", NULL_VERSION).layout == layout
    assert [entry.version.version for entry in store.version_page("b").versions] == [new.version, NULL_VERSION]
    store.close()


def test_an_upload_that_an_earlier_version_began_is_completed(root):
    root.mkdir()
    old = sqlite3.connect(root / NAME)
    old.executescript(f"{''.join(_MIGRATIONS[:3])} PRAGMA user_version=3;")
    old.execute("INSERT INTO bucket VALUES ('b', '1', 'us-east-1', 0, '{}')")
    old.execute("INSERT INTO upload VALUES ('u', 'b', ?, 1000, '{}', '{}', 'CRC64NVME', 0)", (b"k",))
    old.commit()
    old.close()
    store = ObjectStore(root)
    part = store.uploads.put_part("b", "k", "u", 1, receive_bytes(store.files, b"part"))
    info = store.uploads.complete("b", "k", "u", Completion([ChosenPart(1, part.etag)]))
    assert b"".join(store.read(info)) == b"part"
    store.close()
