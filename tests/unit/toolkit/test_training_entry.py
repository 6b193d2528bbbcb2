"""A user's training script, run as the public training toolkit runs it."""

import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import zipfile

import pytest


def told(result):
    """The object that a script has printed as its line beginning with `told`."""
    line = next(line for line in result.stdout.splitlines() if line.startswith("told "))
    return json.loads(line[5:])


TELL = "import json, os, sys\nprint('told ' + json.dumps({}), flush=True)\n"


def test_hyperparameters_are_arguments_and_variables(opt):
    opt.script(
        TELL.format("[sys.argv[1:], os.environ['SM_HPS'], os.environ['SM_HP_EPOCHS']]"), epochs=5, name_=None, x="a b"
    )
    arguments, all_of_them, one = told(opt.train())
    assert arguments == ["--epochs", "5", "--name_", "", "-x", "a b"]
    assert json.loads(all_of_them) == {"epochs": 5, "name_": None, "x": "a b"}
    assert one == "5"


def test_the_contracts_folders_are_variables(opt):
    opt.write("inputdataconfig.json", {"train": {"TrainingInputMode": "File"}})
    opt.script(TELL.format("{k: v for k, v in os.environ.items() if k.startswith('SM_')}"))
    found = told(opt.train())
    assert found["SM_CHANNEL_TRAIN"] == str(opt.base / "input/data/train")
    assert found["SM_CHANNELS"] == '["train"]'
    assert found["SM_MODEL_DIR"] == str(opt.base / "model")
    assert found["SM_OUTPUT_DATA_DIR"] == str(opt.base / "output/data")
    assert found["SM_CURRENT_HOST"] == "algo-1"
    assert found["SM_NUM_GPUS"] == "0"
    assert json.loads(found["SM_TRAINING_ENV"])["hosts"] == ["algo-1"]
    assert found["SM_MODULE_NAME"] == "train"


def test_success_leaves_exit_code_0_and_the_mark(opt):
    opt.script("print('fine')")
    result = opt.train()
    assert result.returncode == 0
    assert "fine" in result.stdout
    assert "Reporting training SUCCESS" in result.stdout
    assert (opt.base / "output/success").exists()
    assert opt.failure() is None


def test_a_failing_scripts_last_line_is_the_reason(opt):
    opt.script("def f():\n    raise ValueError('no such column')\nf()")
    result = opt.train()
    assert result.returncode == 1
    assert opt.failure().startswith('ExecuteUserScriptError:\nExitCode 1\nErrorMessage "ValueError: no such column"')
    assert result.stderr.endswith("ValueError: no such column\n")
    assert "clary" not in result.stderr.split("Traceback")[1].replace(str(opt.base), "")


def test_a_syntax_error_is_the_reason(opt):
    opt.script("def broken(:\n")
    assert opt.train().returncode == 1
    assert "SyntaxError" in opt.failure()


@pytest.mark.parametrize(
    ("ending", "code"), [("sys.exit(3)", 3), ("os._exit(4)", 4), ("os.abort()", 134), ("sys.exit('bad data')", 1)]
)
def test_every_way_to_end_badly_fails_the_job(opt, ending, code):
    opt.script(f"import os, sys\n{ending}")
    assert opt.train().returncode == 1
    assert f"ExitCode {code}\n" in opt.failure()


def test_being_killed_for_memory_is_said(opt):
    opt.script("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    opt.train()
    assert 'ExtraInfo "OutOfMemory: Process killed by SIGKILL (signal 9)"' in opt.failure()


@pytest.mark.parametrize("ending", ["", "sys.exit()", "sys.exit(0)"])
def test_every_way_to_end_well_succeeds(opt, ending):
    opt.script(f"import sys\n{ending}")
    assert opt.train().returncode == 0


def test_what_a_script_left_open_is_written_out(opt):
    opt.script(
        "import atexit, os, threading\n"
        "f = open(os.path.join(os.environ['SM_MODEL_DIR'], 'open'), 'w')\nf.write('whole')\n"
        "atexit.register(lambda: open(os.path.join(os.environ['SM_MODEL_DIR'], 'exit'), 'w').write('ran'))\n"
        "def late(): open(os.path.join(os.environ['SM_MODEL_DIR'], 'thread'), 'w').write('ran')\n"
        "threading.Timer(0.2, late).start()\n"
    )
    assert opt.train().returncode == 0
    assert {path.name: path.read_text() for path in (opt.base / "model").iterdir()} == {
        "open": "whole",
        "exit": "ran",
        "thread": "ran",
    }


def test_classes_of_a_script_are_pickled_as_main(opt):
    opt.script(
        "import os, pickle\nclass Mine: pass\n"
        "if __name__ == '__main__':\n"
        "    pickle.dump(Mine(), open(os.path.join(os.environ['SM_MODEL_DIR'], 'm'), 'wb'))\n"
    )
    assert opt.train().returncode == 0
    assert b"__main__" in (opt.base / "model/m").read_bytes()


def test_a_script_imports_its_neighbours_and_runs_in_its_folder(opt):
    (opt.base / "sources" / "package").mkdir()
    (opt.base / "sources" / "package" / "__init__.py").write_text("value = 7\n")
    (opt.base / "sources" / "beside.py").write_text("from package import value\n")
    opt.script(TELL.format("[__import__('beside').value, os.getcwd(), __file__]"))
    value, folder, file = told(opt.train())
    assert (value, folder, file) == (7, str(opt.base / "code"), str(opt.base / "code/train.py"))


def test_a_subprocess_of_a_script_finds_the_sources(opt):
    (opt.base / "sources" / "beside.py").write_text("print('from beside', flush=True)\n")
    opt.script("import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'import beside'], check=True)")
    assert "from beside" in opt.train().stdout


def test_sigterm_reaches_the_script(opt):
    opt.script(
        "import os, signal, sys, time\n"
        "def end(*_):\n    open(os.path.join(os.environ['SM_MODEL_DIR'], 'saved'), 'w').write('x')\n    sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end)\nprint('ready', flush=True)\n"
        "while True: time.sleep(0.05)\n"  # a signal that comes just before a long sleep is heard after it
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "clary.toolkit.train"], env=opt.env, stdout=subprocess.PIPE, text=True
    )
    try:
        next(line for line in process.stdout if line == "ready\n")
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        assert (opt.base / "model/saved").exists()
    finally:
        process.kill()
        process.stdout.close()
        process.wait()


def test_a_sigterm_that_comes_before_the_script_is_waited_for_reaches_it_too(opt):
    """Forked, the script may print and be told to end while its parent has had no time yet."""
    opt.script("import time\ntime.sleep(120)\n")
    told_at_once = (
        "import os, runpy, signal\n"
        "os.register_at_fork(after_in_parent=lambda: os.kill(os.getpid(), signal.SIGTERM))\n"
        "runpy.run_module('clary.toolkit.train', run_name='__main__')\n"
    )
    command = [sys.executable, "-c", told_at_once]
    result = subprocess.run(command, env=opt.env, capture_output=True, text=True, timeout=240, check=False)
    assert f"ExitCode {128 + signal.SIGTERM}\n" in result.stdout


def test_a_shell_script_runs_with_its_arguments(opt):
    opt.script('echo "args $@ in $SM_MODEL_DIR"; exit 9', name="train.sh", depth=3)
    result = opt.train()
    assert f"args --depth 3 in {opt.base}/model" in result.stdout
    assert "ExitCode 9" in opt.failure()


def test_a_missing_entry_point_is_said(opt):
    opt.script("", name="train.py")
    (opt.base / "sources/train.py").unlink()
    opt.train()
    assert "can't open file" in opt.failure()
    assert "train.py" in opt.failure()


def test_a_job_without_entry_point_is_told(opt):
    assert opt.train().returncode == 1
    assert "sagemaker_program" in opt.failure()


def test_hyperparameters_that_are_no_json_object_fail_the_job_clearly(opt):
    (opt.base / "input/config/hyperparameters.json").write_text("[1")
    assert opt.train().returncode == 1
    assert opt.failure().startswith("Framework Error")


def test_the_scripts_own_failure_file_stays(opt):
    opt.script(f"open({str(opt.base / 'output/failure')!r}, 'w').write('my reason')\nraise SystemExit(1)")
    opt.train()
    assert opt.failure() == "my reason"


def archive(path, *members):
    with tarfile.open(path, "w:gz") as tar:
        for member, data in members:
            tar.addfile(member, io.BytesIO(data) if data is not None else None)


def member(name, data=b"", **attributes):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for key, value in attributes.items():
        setattr(info, key, value)
    return info, data


def test_sources_come_out_of_an_archive(opt):
    opt.script("")
    path = opt.base / "sourcedir.tar.gz"
    archive(path, member("./train.py", b"print('from the archive')"))
    opt.write("hyperparameters.json", {"sagemaker_program": "train.py", "sagemaker_submit_directory": str(path)})
    assert "from the archive" in opt.train().stdout


@pytest.mark.parametrize(
    "members",
    [
        [member("../outside.py", b"x")],
        [member("/absolute.py", b"x")],
        [member("link", type=tarfile.SYMTYPE, linkname="../..")],
        [member("link", type=tarfile.LNKTYPE, linkname="../../etc/passwd")],
        [member("here", type=tarfile.SYMTYPE, linkname="."), member("here/x.py", b"x")],
        [member("device", type=tarfile.CHRTYPE)],
    ],
    ids=["up", "absolute", "symlink", "hardlink", "through-a-link", "device"],
)
def test_an_archive_that_climbs_is_refused(opt, members):
    path = opt.base / "sourcedir.tar.gz"
    archive(path, *members)
    opt.write("hyperparameters.json", {"sagemaker_program": "train.py", "sagemaker_submit_directory": str(path)})
    assert opt.train().returncode == 1
    assert "points outside" in opt.failure()


def test_a_broken_archive_is_told(opt):
    path = opt.base / "sourcedir.tar.gz"
    archive(path, member("train.py", b"x" * 10_000))
    path.write_bytes(path.read_bytes()[:60])
    opt.write("hyperparameters.json", {"sagemaker_program": "train.py", "sagemaker_submit_directory": str(path)})
    assert opt.train().returncode == 1
    assert opt.failure()


def wheel(folder, name, version, text):
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as file:
        file.writestr(f"{name}.py", text)
        file.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        file.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        file.writestr(f"{info}/RECORD", "")


@pytest.fixture
def index(opt, tmp_path):
    """A folder of wheels that pip takes instead of any index."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    opt.env.update(PIP_NO_INDEX="1", PIP_FIND_LINKS=str(folder), PIP_CONFIG_FILE=os.devnull)
    return folder


def test_requirements_are_there_when_the_script_runs(opt, index, sklearn_python):
    wheel(index, "tiny", "1.0", "answer = 42\n")
    (opt.base / "sources/requirements.txt").write_text("# what we need\ntiny\nscikit-learn\n")
    opt.script(TELL.format("[__import__('tiny').answer, __import__('sklearn').__version__]"))
    result = opt.train(sklearn_python)
    assert told(result) == [42, "1.2.1"]


def test_a_requirement_replaces_the_images_version_and_the_image_stays_whole(opt, index, sklearn_python):
    wheel(index, "joblib", "99.0", "__version__ = '99.0'\n")
    (opt.base / "sources/requirements.txt").write_text("joblib==99.0\n")
    opt.script(TELL.format("__import__('joblib').__version__"))
    assert told(opt.train(sklearn_python)) == "99.0"
    (opt.base / "sources/requirements.txt").unlink()
    (opt.base / "code/requirements.txt").unlink()
    assert told(opt.train(sklearn_python)) != "99.0"


def test_requirements_that_are_there_already_cost_no_new_python(opt, index, sklearn_python):
    (opt.base / "sources/requirements.txt").write_text("numpy\n")
    opt.script(TELL.format("sys.executable"))
    assert told(opt.train(sklearn_python)) == sklearn_python


def test_a_requirement_that_cannot_be_had_is_the_reason(opt, index, sklearn_python):
    (opt.base / "sources/requirements.txt").write_text("no-such-package-anywhere\n")
    opt.script("print('never')")
    result = opt.train(sklearn_python)
    assert result.returncode == 1
    assert opt.failure().startswith("InstallRequirementsError:")
    assert "No matching distribution found for no-such-package-anywhere" in opt.failure()


def test_a_package_with_setup_py_is_installed_and_run(opt, index, sklearn_python):
    (opt.base / "sources/setup.py").write_text(
        "from setuptools import setup\nsetup(name='mine', version='1', py_modules=['train'])\n"
    )
    opt.env["PIP_NO_BUILD_ISOLATION"] = "0"  # pip reads it as: without isolation
    opt.script(TELL.format("sys.argv[1:]"), depth=3)
    result = opt.train(sklearn_python)
    assert result.returncode == 0, result.stdout + result.stderr
    assert told(result) == ["--depth", "3"]
