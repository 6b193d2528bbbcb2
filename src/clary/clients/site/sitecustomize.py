"""What every Python started from a shell with `clary env` does first: point AWS's hard-coded hosts at Clary, wait
for the server instead of sleeping, and end well.

Nothing is imported here that the program does not import itself: modules are patched when they are first imported.
An existing `sitecustomize` further down `sys.path` runs before. For Python 3.6 and later, standard library only.
"""

import atexit
import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
import threading
import time

ENDPOINT = "AWS_ENDPOINT_URL"
AWS_SUFFIXES = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")
FIRST_WAIT = 0.05
"""Seconds of the first wait of a poll loop; later ones are a twentieth of the time already waited."""
SHARE_OF_ELAPSED = 0.05
FORGET_AFTER = 5.0
"""A loop that has not slept for so many seconds (on top of its poll) has ended; its next sleep begins anew."""
GLOO_WORKER = "pt_gloo_runloop"
"""What PyTorch calls the threads that do gloo's collectives."""
REST_LOOKS = 3
REST_INTERVAL = 0.001
REST_AT_MOST = 5.0
"""Seconds."""


def _run_shadowed_sitecustomize():
    """The sitecustomize that ours hides (a distribution's, an editor's) keeps its effect."""
    here = os.path.dirname(os.path.abspath(__file__))
    others = [entry for entry in sys.path if os.path.abspath(entry or os.curdir) != here]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", others)
    if spec is None or spec.loader is None:
        return
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)


def _is_aws_host(url):
    host = url.split("://", 1)[-1].split("/", 1)[0].split(":", 1)[0].lower()
    return host.endswith(AWS_SUFFIXES)


def _redirect_endpoints(botocore_session):
    """Clients that were given an AWS address, and those of a botocore too old for AWS_ENDPOINT_URL, reach Clary."""
    create_client = botocore_session.Session.create_client
    version = tuple(int(part) for part in botocore_session.__dict__["__version__"].split(".")[:2])

    def create_client_at_clary(self, service_name, *args, **kwargs):
        clary = os.environ.get(ENDPOINT)
        given = kwargs.get("endpoint_url")
        if clary and ((given and _is_aws_host(given)) or (not given and len(args) < 5 and version < (1, 31))):
            kwargs["endpoint_url"] = clary
        client = create_client(self, service_name, *args, **kwargs)
        if clary and service_name != "s3" and client.meta.endpoint_url == clary:
            client.meta.events.register("before-sign", _stay_at(clary.split("://", 1)[-1].split("/", 1)[0]))
        return client

    botocore_session.Session.create_client = create_client_at_clary


def _stay_at(host):
    """What some operations put before the host (`streaming-`, the account of S3 Control) makes a name that nobody
    resolves where the host is this machine. Buckets' hosts are S3's own business."""

    def stay(request, **_):
        scheme, _, rest = request.url.partition("://")
        asked, slash, path = rest.partition("/")
        if asked != host and asked.endswith(host):
            request.url = scheme + "://" + host + slash + path

    return stay


class PollClock:
    """The `time` module as poll loops see it: `sleep` is short, and `time` runs on as if it had been long.

    The SDK describes a job once in 30 seconds of its own clock while it tails the logs, so the clock must follow the
    sleeps. A loop that holds a time limit of the user's (a local variable `timeout`) is given the true time; so are
    all loops of a clock that does not `run_ahead`.
    """

    def __init__(self, real, run_ahead=True):
        self._real = real
        self._run_ahead = run_ahead
        self._local = threading.local()

    def __getattr__(self, name):
        return getattr(self._real, name)

    def sleep(self, seconds):
        """Sleep for a twentieth of what this loop has waited for, at least 0.05 s, never more than `seconds`."""
        frame = sys._getframe(1)
        now = self._real.monotonic()
        loop, began, last = getattr(self._local, "loop", (None, now, now))
        if loop != id(frame) or now - last > FORGET_AFTER:
            began = now
        wait = min(seconds, max(FIRST_WAIT, (now - began) * SHARE_OF_ELAPSED))
        self._real.sleep(wait)
        self._local.loop = (id(frame), began, self._real.monotonic())
        if self._run_ahead and frame.f_locals.get("timeout") is None:
            self._local.ahead = getattr(self._local, "ahead", 0.0) + seconds - wait

    def time(self):
        """The true time and what was not slept in this thread."""
        if sys._getframe(1).f_locals.get("timeout") is not None:
            return self._real.time()
        return self._real.time() + getattr(self._local, "ahead", 0.0)


def _shorten_log_tails(module):
    module.time = PollClock(time)


def _shorten_polls(module):
    module.time = PollClock(time, run_ahead=False)


def _validate_configurations_once(module):
    """`clary env` brings a configuration of two lines; SDK 2 checks it against its whole schema at each of some fifty
    look-ups, 0.1 s each. What was found valid last is not checked again."""
    validate = module.validate_sagemaker_config
    valid = []

    def validate_once(sagemaker_config=None):
        text = repr(sagemaker_config)
        if text not in valid:
            validate(sagemaker_config)
            valid[:] = [text]

    module.validate_sagemaker_config = validate_once


def _rest_before_the_end(_module):
    atexit.register(wait_for_gloo_workers)


def wait_for_gloo_workers():
    """Let gloo's threads put down what they hold while Python still runs.

    They may be the last to hold a tensor that Python knows, even after `destroy_process_group`. A thread that comes to
    it while the interpreter ends is ended inside a destructor, and the process that had done its work dies of
    "terminate called without an active exception" (https://github.com/pytorch/pytorch/issues/190489).
    """
    deadline = time.monotonic() + REST_AT_MOST
    looks = 0
    while looks < REST_LOOKS and time.monotonic() < deadline:
        states = _gloo_workers()
        if not states:
            return
        looks = looks + 1 if set(states) == {"S"} else 0
        time.sleep(REST_INTERVAL)  # lets go of the interpreter, for which one of them may be waiting


def _gloo_workers():
    """The states of these threads (proc(5)): "S" for one that waits, "R" for one that runs or would if it could."""
    states = []
    if not os.path.isdir("/proc/self/task"):
        return states
    for thread in os.listdir("/proc/self/task"):
        try:
            with open("/proc/self/task/{}/stat".format(thread)) as file:
                name, _, rest = file.read().partition("(")[2].rpartition(")")
        except OSError:  # it has ended
            continue
        if name == GLOO_WORKER:
            states.append(rest.split()[0])
    return states


LOG_TAILS = (
    "sagemaker.session",
    "sagemaker.core.common_utils",
    "sagemaker.core.helper.session_helper",
    "sagemaker.core.processing",
    "sagemaker.core.remote_function.job",
    "sagemaker.core.transformer",
)
"""Modules of SDK 1 and 2, and of SDK 3, whose loops look at the job only when their clock says that 30 s are over."""

POLLS = (
    "sagemaker.remote_function.client",
    "sagemaker.core.helper.iam_role_resolver",
    "sagemaker.core.remote_function.client",
    "sagemaker.core.resources",
    "sagemaker.serve.model_reuse",
    "sagemaker.train.common_utils.job_wait",
    "sagemaker.train.common_utils.trainer_wait",
    "sagemaker.train.evaluate.execution",
    "sagemaker_core.main.resources",
)
"""Modules of SDK 2 and 3 whose loops look after each sleep, and show or limit the time that has passed."""

CONFIGURATIONS = (
    "sagemaker.config.config",
    "sagemaker.core.config.config",
    "sagemaker.core.utils.intelligent_defaults_helper",
)
"""Modules of SDK 2 and 3 that check the user's configuration, from which others take the check."""

PATCHES = {
    "botocore.session": _redirect_endpoints,
    "torch.distributed.distributed_c10d": _rest_before_the_end,
}
PATCHES.update((name, _shorten_log_tails) for name in LOG_TAILS)
PATCHES.update((name, _shorten_polls) for name in POLLS)
PATCHES.update((name, _validate_configurations_once) for name in CONFIGURATIONS)
"""Module → what is done to it right after it has been imported."""


class _PatchingLoader(importlib.abc.Loader):
    """The module's own loader, and one step more."""

    def __init__(self, loader, patch):
        self._loader = loader
        self._patch = patch

    def create_module(self, spec):
        return self._loader.create_module(spec)

    def exec_module(self, module):
        self._loader.exec_module(module)
        self._patch(module)

    def __getattr__(self, name):
        return getattr(self._loader, name)


class _PatchingFinder(importlib.abc.MetaPathFinder):
    """Finds the modules of PATCHES where the ordinary finders find them."""

    def find_spec(self, fullname, path=None, target=None):
        patch = PATCHES.get(fullname)
        if patch is None:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _PatchingLoader(spec.loader, patch)
        return spec


def begin():
    """Change what is imported from now on."""
    if os.environ.get(ENDPOINT):
        sys.meta_path.insert(0, _PatchingFinder())


if __name__ == "sitecustomize":
    _run_shadowed_sitecustomize()
    begin()
