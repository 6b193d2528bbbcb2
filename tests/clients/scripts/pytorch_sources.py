"""SDK 2's ways to bring a PyTorch script: a folder in S3, a git repository, dependencies, an image by its address."""

import io
import os
import subprocess
import tarfile
import tempfile

import sagemaker
from sagemaker.estimator import Estimator
from sagemaker.pytorch import PyTorch

TRAIN = """
import torch
{imports}
print("said:", "{word}", torch.ones(2).sum().item(), flush=True)
"""
REPOSITORY = "https://git.example.com/mine/scripts.git"
COMMON = {"instance_count": 1, "instance_type": "ml.m5.large"}
VERSION = {"framework_version": "2.6.0", "py_version": "py312"}
session, role = sagemaker.Session(), sagemaker.get_execution_role()


def write(folder, name, text):
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, name)
    with open(path, "w") as file:
        file.write(text)
    return path


def in_s3(folder):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        archive.add(write(folder, "train.py", TRAIN.format(imports="", word="from S3")), "train.py")
    bucket = session.default_bucket()
    session.boto_session.client("s3").put_object(Bucket=bucket, Key="sources/mine.tar.gz", Body=packed.getvalue())
    return {"entry_point": "train.py", "source_dir": f"s3://{bucket}/sources/mine.tar.gz"}


def in_git(folder):
    write(os.path.join(folder, "scripts"), "train.py", TRAIN.format(imports="", word="from git"))
    git = ["git", "-C", folder, "-c", "user.name=a", "-c", "user.email=a@example.com"]
    for command in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *command], check=True)
    # the SDK takes addresses of the network only: git itself is told where this one lies
    os.environ.update(
        GIT_CONFIG_COUNT="1", GIT_CONFIG_KEY_0=f"url.file://{folder}.insteadOf", GIT_CONFIG_VALUE_0=REPOSITORY
    )
    return {
        "git_config": {"repo": REPOSITORY, "branch": "main"},
        "entry_point": "train.py",
        "source_dir": "scripts",
    }


def with_dependencies(folder):
    helper = write(os.path.join(folder, "shared"), "beside.py", "WORD = 'dependencies'\n")
    text = TRAIN.format(imports="import shared.beside", word="with dependencies")
    return {"entry_point": write(folder, "train.py", text), "dependencies": [os.path.dirname(helper)]}


with tempfile.TemporaryDirectory() as root:
    for number, way in enumerate((in_s3, in_git, with_dependencies)):
        PyTorch(role=role, **way(os.path.join(root, str(number))), **VERSION, **COMMON).fit()
    uri = sagemaker.image_uris.retrieve(
        "pytorch",
        session.boto_region_name,
        version="2.6.0",
        py_version="py312",
        image_scope="training",
        instance_type="ml.m5.large",
    )
    write(os.path.join(root, "last"), "train.py", TRAIN.format(imports="", word="by address"))
    Estimator(uri, role, entry_point="train.py", source_dir=os.path.join(root, "last"), **COMMON).fit()
