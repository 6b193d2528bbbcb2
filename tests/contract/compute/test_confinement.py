"""What a container's walls hold: files, users, processes, limits."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from clary.compute import plan
from clary.compute.base import Container, Exited, Limits, Mount
from tests.contract.compute.conftest import until


def test_host_files_are_not_there(confined, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("x")
    hidden = [
        secret,
        confined.settings.data_dir,
        "/etc/shadow",
        "/boot",
        "/old_root",
        "/var/lib/dpkg",
        "/etc/hosts.host",
    ]
    script = (
        "for path in " + " ".join(map(str, hidden)) + "; do [ -e $path ] && echo $path; done; ls -A /home /tmp /var/log"
    )
    assert confined.run(script)[1].split() == ["/home:", "/tmp:", "/var/log:"]


def test_the_servers_home_is_not_there(confined):
    confined.run("true")
    _, output = confined.run(
        "find / -xdev -name .ssh -o -xdev -name .gitconfig -o -xdev -name .bash_history 2>/dev/null"
    )
    assert output == ""


def test_the_system_is_read_only_and_the_rest_of_the_root_writable(confined):
    closed = "/usr /etc/ssl /opt/clary/clary/toolkit /proc/sys/kernel /sys/kernel"
    open_ = "/ /opt /opt/ml /root /var/lib /tmp /var/tmp /run /dev/shm /srv $HOME"
    _, output = confined.run(
        f"for d in {closed}; do (echo > $d/x) 2>/dev/null && echo $d; done;"
        f"for d in {open_}; do echo x > $d/x && cat $d/x; done"
    )
    assert output.split() == ["x"] * 11


def test_mounts_are_seen_where_they_were_asked_for(confined, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "data.csv").write_text("1,2\n")
    (tmp_path / "out").mkdir()
    (tmp_path / "one.json").write_text("{}\n")
    mounts = (
        Mount(str(tmp_path / "out"), "/opt/ml/model", writable=True),
        Mount(str(tmp_path / "in"), "/opt/ml/input/data/train"),
        Mount(str(tmp_path / "one.json"), "/opt/ml/input/config/hyperparameters.json"),
        Mount(str(tmp_path / "in"), "/opt/ml/model/nested"),
    )
    script = (
        "cat /opt/ml/input/data/train/data.csv /opt/ml/input/config/*.json /opt/ml/model/nested/data.csv;"
        "cp /opt/ml/input/data/train/data.csv /opt/ml/model/copy;"
        "echo 2>/dev/null > /opt/ml/input/data/train/no || echo refused"
    )
    state, output = confined.run(script, mounts=mounts, workdir="/opt/ml/model")
    assert (state.code, output.split()) == (0, ["1,2", "{}", "1,2", "refused"])
    assert (tmp_path / "out" / "copy").read_text() == "1,2\n"


_FORBIDDEN = (
    "umount /opt/clary/clary/toolkit",
    "umount /proc",
    "mount -t tmpfs x /mnt",
    "mount -o remount,rw /usr",
    "hostname changed",
    "mknod /x c 1 3",
    "ip link add d0 type dummy",
    "nsenter -t 1 -m true",
    "chroot / true",
)


def test_no_privilege_can_be_gained_or_wall_taken_down(confined):
    tried = "".join(f"{command} 2>/dev/null && echo '{command}';" for command in _FORBIDDEN)
    _, output = confined.run(f"grep NoNewPrivs /proc/self/status; {tried} true")
    assert output.split() == ["NoNewPrivs:", "1"]


def test_a_user_namespace_within_uncovers_nothing(confined):
    tried = "umount /proc || umount -l /usr || mount -o remount,rw /usr"
    _, output = confined.run(f"unshare -Urm sh -c '{tried}' 2>/dev/null && echo taken down; true")
    assert output == ""


CHANGE = """
for path in /proc/sys/kernel/core_pattern /proc/sys/vm/overcommit_memory /proc/sys/net/ipv4/ip_forward; do
    (cat $path > $path) 2>/dev/null && echo $path
done
(echo h > /proc/sysrq-trigger) 2>/dev/null && echo sysrq
(cat /sys/kernel/uevent_helper > /sys/kernel/uevent_helper) 2>/dev/null && echo uevent
true
"""


def test_no_setting_of_the_kernel_is_changed(confined):
    assert confined.run(CHANGE)[1] == ""


@pytest.mark.skipif(os.geteuid() != 0, reason="for root alone")
def test_no_setting_of_the_kernel_is_changed_where_root_has_no_ids_to_give(confined):
    """Inside another engine's container root may have one id only: the container's user is user 0 outside, too."""
    confined.backend._planner._identity = plan.alone()
    assert confined.run("id -u; " + CHANGE)[1] == "1000"


def test_the_servers_keys_are_not_its_own(confined):
    """Who starts Clary may hold keys (of file systems, of Kerberos) in the session."""
    script = "import ctypes; print(ctypes.CDLL(None).syscall(250, 0, -3, 0))"
    _, inside = confined.run(f'python3 -c "{script}"')
    outside = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert inside.strip() != outside.strip() or inside.strip() == "-1"


def test_only_its_own_processes_are_seen(confined):
    _, output = confined.run("ls /proc | grep -c '^[0-9]*$'; cat /proc/1/environ 2>/dev/null; kill -9 1; echo alive")
    count, alive = output.split()
    assert int(count) <= 6
    assert alive == "alive"


def test_the_host_name_is_the_containers(confined):
    _, output = confined.run("hostname; cat /etc/hostname; getent hosts algo-1 | head -1", hostname="algo-1")
    assert output.split()[:2] == ["algo-1", "algo-1"]
    assert "127.0.0.1" in output


@pytest.mark.parametrize("there", [True, False])
def test_mount_points_do_not_leave_their_mount(confined, tmp_path, there):
    (tmp_path / "model").mkdir()
    if there:
        (tmp_path / "elsewhere").mkdir()
    (tmp_path / "model" / "code").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "code").mkdir()
    mounts = (
        Mount(str(tmp_path / "model"), "/opt/ml/model", writable=True),
        Mount(str(tmp_path / "code"), "/opt/ml/model/code/inner"),
    )
    confined.start("climb", Container(argv=("true",), env={}, log="", mounts=mounts))
    state = confined.end("climb")
    assert isinstance(state, Exited)
    assert state.reason
    assert not (tmp_path / "elsewhere" / "inner").exists()


@pytest.mark.parametrize("target", ["/opt/../../../../../../../../..{}/made", "made", "/shown/made"])
def test_no_folder_is_made_on_the_host_for_a_mount_point(confined, tmp_path, target):
    """The target may be a request's (CheckpointConfig's LocalPath), and folders are made by the server's user."""
    for name in ("outside", "shown", "source"):
        (tmp_path / name).mkdir()
    mounts = (
        Mount(str(tmp_path / "shown"), "/shown"),
        Mount(str(tmp_path / "source"), target.format(tmp_path / "outside"), writable=True),
    )
    confined.start("climb", Container(argv=("true",), env={}, log="", mounts=mounts))
    state = confined.end("climb")
    assert isinstance(state, Exited)
    assert "mount point" in state.reason
    assert not list(tmp_path.rglob("made"))
    assert not list(confined.settings.data_dir.rglob("*made"))


def test_too_many_processes(confined):
    script = "i=0; while [ $i -lt 60 ]; do sleep 5 & i=$((i+1)); done 2>/dev/null; echo $i"
    state, output = confined.run(script, limits=Limits(processes=20))
    assert state.code != 0 or output != "60"


@pytest.mark.parametrize("bytes_", [60_000_000])
def test_too_much_memory_is_told(confined, bytes_):
    script = "python3 -c 'x = []\nwhile True: x.append(bytearray(1_000_000))'"
    state, _ = confined.run(script, limits=Limits(memory_bytes=bytes_))
    assert state.code == 137
    assert state.out_of_memory


def test_processors_are_limited(confined):
    assert confined.run("nproc", limits=Limits(cpus=1))[1] == "1"


def test_containers_have_different_processors(machine):
    """As long as there are enough: each has those that the fewest others have."""
    cores = len(os.sched_getaffinity(0))
    script = "echo $(grep Cpus_allowed_list /proc/self/status); sleep 600"
    for name in map(str, range(cores)):
        machine.shell(name, script, limits=Limits(cpus=1))
        until(lambda name=name: machine.lines(name))
    assert len({machine.output(name) for name in map(str, range(cores))}) == cores
    if cores > 1:
        machine.backend.stop("0", 0)
        machine.end("0")
        machine.launcher.kill()
        machine.launcher.wait()
        machine.start_launcher()  # it knows nothing, and finds out who has what
        machine.shell("again", script, limits=Limits(cpus=1))
        until(lambda: machine.lines("again"))
        assert machine.output("again") == machine.output("0")


def test_no_accelerator_is_seen_unless_asked_for(confined):
    assert confined.run("ls /dev | grep -E 'nvidia|kfd|dri'; echo $CUDA_VISIBLE_DEVICES")[1] == ""
    assert confined.run("echo $CUDA_VISIBLE_DEVICES", limits=Limits(gpus=2))[1] == "0,1"


def test_files_in_memory_count_as_memory(confined):
    script = "head -c 90000000 /dev/zero > /dev/shm/a; sleep 10"
    state, _ = confined.run(script, limits=Limits(memory_bytes=60_000_000))
    assert (state.code, state.out_of_memory) == (137, True) or state.code == 0  # cgroups end `head` alone


def test_open_files_and_shared_memory_are_limited(confined):
    limits = Limits(open_files=123, shared_memory_bytes=2**20)
    _, output = confined.run("ulimit -n; df -B1 /dev/shm | tail -1 | tr -s ' ' | cut -d' ' -f2", limits=limits)
    assert output.split() == ["123", str(2**20)]


def test_removal_of_folders_that_were_closed(confined):
    confined.run("mkdir -p /tmp/a/b; touch /tmp/a/b/c; chmod 0 /tmp/a/b /tmp/a")
    [known] = confined.backend.list()
    confined.backend.remove(known)
    assert not confined.folder(known).exists()
