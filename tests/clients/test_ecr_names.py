"""`clary images setup`, in a network and with an /etc of its own: scripts that compose AWS's names push and pull."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.test_ecr_clients import PAGE, needs
from tests.environments import python_of
from tests.namespaces import alone
from tests.running import CLARY

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("clients")]

NAME = "000000000000.dkr.ecr.us-east-1.amazonaws.com"

LOOPBACK = """\
import fcntl, socket, struct
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
    fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14x", b"lo", 1))
"""
"""SIOCSIFFLAGS with IFF_UP (netdevice(7)): a new network's loopback is down."""

ALONE = f"""\
mount --make-rprivate /
cp -a /etc etc
mount --bind etc /etc
cp -a /etc before
{sys.executable} -c {shlex.quote(LOOPBACK)}
"""

BEGIN = """\
trap 'clary down --all &> /dev/null || true' EXIT
clary up --detach
"""

END = f"""\
skopeo copy docker://{NAME}/composed:1 docker://{NAME}/composed:2
aws ecr describe-images --repository-name composed --query 'sort(imageDetails[].imageTags[])' --output text
clary down
clary images setup --undo
diff -r --no-dereference before /etc
echo all is as it was
"""

USER = """\
mount -t tmpfs folders /mnt
mkdir /mnt/data
chown 65534:65534 /mnt/data
clary images setup --data-dir /mnt/data
setpriv --reuid=65534 --regid=65534 --clear-groups test -r /mnt/data/tls/key.pem
cat /proc/sys/net/ipv4/ip_unprivileged_port_start
clary images setup --undo --data-dir /mnt/data
test ! -e /mnt/data/tls
cat /proc/sys/net/ipv4/ip_unprivileged_port_start
diff -r --no-dereference before /etc
"""


@needs("podman", "skopeo")
def test_a_script_that_composes_awss_name_pushes_to_it(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text('FROM scratch\nCOPY Dockerfile /\nCMD ["/serve"]\n')
    _, setup, push = re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL)
    setup = setup.replace("sudo ", "").replace("~/.clary", str(tmp_path / "data"))
    said = _alone(ALONE + BEGIN + setup + push + END, tmp_path).splitlines()
    assert f"/etc/hosts: 127.45.99.1 {NAME}" in said
    assert "1\t2" in said
    assert said[-1] == "all is as it was"


@needs("setpriv")
def test_the_user_that_clary_runs_as_may_listen_until_it_is_undone(tmp_path: Path) -> None:
    said = _alone(ALONE + USER, tmp_path).splitlines()
    assert [line for line in said if line.isdigit()] == ["443", "1024"]


@needs("setpriv")
def test_whoever_is_not_root_is_told_what_to_run(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    (tmp_path / "data").mkdir()
    command = [str(CLARY), "images", "setup", "--data-dir", str(tmp_path / "data")]
    ordinary = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    done = subprocess.run(
        [*ordinary, *command],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if "Permission denied" in done.stderr:
        pytest.skip("another user may not read this Python")
    assert done.returncode == 1
    assert f"sudo {CLARY} images setup --data-dir {tmp_path / 'data'}" in done.stderr


def _alone(script: str, folder: Path) -> str:
    (folder / "storage.conf").write_text(
        f'[storage]\ndriver = "vfs"\ngraphroot = "{folder}/images"\nrunroot = "{folder}/run"\n'
    )
    own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment = {
        **own,
        "PATH": os.pathsep.join([str(CLARY.parent), str(python_of("cli").parent), os.environ["PATH"]]),
        "HOME": str(folder),
        "CLARY_DATA_DIR": str(folder / "data"),
        "REGISTRY_AUTH_FILE": str(folder / "auth.json"),
        "CONTAINERS_STORAGE_CONF": str(folder / "storage.conf"),
        "BUILDAH_ISOLATION": "chroot",
    }
    done = subprocess.run(
        [*alone("--net"), "bash", "-euo", "pipefail", "-c", script],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout
