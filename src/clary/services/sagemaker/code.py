"""Git repositories and start scripts that notebooks are given
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateCodeRepository.html)."""

from __future__ import annotations

from clary.services.context import Context
from clary.services.declaring import declare
from clary.services.resources import Params, Resource
from clary.services.sagemaker.kept_errors import does_not_exist, in_use, invalid
from clary.services.sagemaker.service import SERVICE
from clary.store.rows import Row

ALL = ("Create", "Describe", "List", "Update", "Delete")


def _new_secret(_context: Context, row: Row, params: Params) -> Params:
    """Only the secret of a repository can be changed."""
    return {**row.spec, "GitConfig": {**row.spec["GitConfig"], **params.get("GitConfig", {})}}


CODE_REPOSITORY = Resource(
    kind="code-repository",
    noun="CodeRepository",
    plural="CodeRepositories",
    list_member="CodeRepositorySummaryList",
    sort_by="Name",
    descending=False,
    exists=invalid("Code repository already exists: {arn}"),
    missing=invalid('Cannot find CodeRepository: "{arn}"'),
    update=_new_secret,
    verbs=ALL,
)

NOTEBOOK_LIFECYCLE = Resource(
    kind="notebook-instance-lifecycle-config",
    noun="NotebookInstanceLifecycleConfig",
    list_member="NotebookInstanceLifecycleConfigs",
    exists=invalid(
        "Unable to create Notebook Instance Lifecycle Config {arn}. "
        "(Details: Notebook Instance Lifecycle Config already exists.)"
    ),
    missing=invalid(
        "Unable to describe Notebook Instance Lifecycle Config '{arn}'. "
        "(Details: Notebook Instance Lifecycle Config does not exist.)"
    ),
    verbs=ALL,
)

STUDIO_LIFECYCLE = Resource(
    kind="studio-lifecycle-config",
    noun="StudioLifecycleConfig",
    list_member="StudioLifecycleConfigs",
    exists=in_use("StudioLifecycleConfig"),
    missing=does_not_exist("StudioLifecycleConfig"),
    equal={"AppTypeEquals": "StudioLifecycleConfigAppType"},
)

APP_IMAGE_CONFIG = Resource(
    kind="app-image-config",
    noun="AppImageConfig",
    list_member="AppImageConfigs",
    exists=in_use("AppImageConfig"),
    missing=does_not_exist("AppImageConfig"),
    verbs=ALL,
)

for _each in (CODE_REPOSITORY, NOTEBOOK_LIFECYCLE, STUDIO_LIFECYCLE, APP_IMAGE_CONFIG):
    declare(SERVICE, _each, effect="keeps state")
