"""Where a database may lie: SQLite's locks and shared memory do not hold on network file systems."""

from __future__ import annotations

from pathlib import Path

from clary.errors import ClaryError

_NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "fuse.sshfs", "fuse.glusterfs", "lustre"})


def _unescape(mount_point: str) -> str:
    """`/proc` writes blanks and backslashes of paths in octal (proc_pid_mountinfo(5))."""
    return mount_point.encode().decode("unicode_escape").encode("latin-1").decode("utf-8", "surrogateescape")


def filesystem_type(path: Path, mountinfo: str) -> str:
    """The type of the file system that holds `path`, from the text of `/proc/self/mountinfo`; empty if unknown."""
    best, found = -1, ""
    for line in mountinfo.splitlines():
        mounted, _, source = line.partition(" - ")
        fields = mounted.split(" ")
        if len(fields) < 5:
            continue
        point = _unescape(fields[4])
        if path.is_relative_to(point) and len(point) >= best:  # of equal ones the later lies on top
            best, found = len(point), source.split(" ", 1)[0]
    return found


def refuse_network(database: Path, mountinfo: str | None = None) -> None:
    """Raises ClaryError where `database` would lie on a network file system."""
    if mountinfo is None:
        proc = Path("/proc/self/mountinfo")
        mountinfo = proc.read_text(errors="surrogateescape") if proc.exists() else ""
    kind = filesystem_type(database.parent.resolve(), mountinfo)
    if kind in _NETWORK:
        raise ClaryError(
            f"The data folder {database.parent} lies on a network file system ({kind}), where databases get damaged.",
            "Name a folder on a local disk with --data-dir.",
        )
