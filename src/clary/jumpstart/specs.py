"""What the SDKs are told of a model: the manifest's headers and the specs.

Their form is what SDK 2.257's `sagemaker.jumpstart.types` and SDK 3.27's `sagemaker.core.jumpstart.types` read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.algorithms.base.schema import Choice, Flag, Kind, Number
from clary.algorithms.gradient_boosting import hyperparameters, scripts
from clary.images.accounts import REGISTRIES
from clary.images.gradient_boosting import REPOSITORIES
from clary.images.repository import Repository
from clary.jumpstart import samples
from clary.jumpstart.offered import Model

MANIFEST, PROPRIETARY_MANIFEST = "models_manifest.json", "proprietary-sdk-manifest.json"

_FAMILIES = """
c4 c5 c5d c5n c6a c6g c6gd c6gn c6i c6id c6in c7g c7i c7i-flex c8g c8i c8i-flex dl1 g4dn g5 g6 g6e g7 g7e gr6
inf1 inf2 m4 m5 m5d m6a m6g m6gd m6i m6id m6in m7i m7i-flex m8g m8i m8i-flex p2 p3 p3dn p4d p4de p5 p5e p5en
p6-b200 p6-b300 p6e-gb200 r5 r5d r6g r6gd r6i r6id r7gd r7i r8g r8i r8i-flex t2 t3 trn1 trn1n trn2
"""
FAMILIES = tuple(_FAMILIES.split())
"""One image runs on all of them."""
_LISTED = ("large", "xlarge", "2xlarge", "4xlarge", "12xlarge", "24xlarge")
_DEFAULT_TYPE = "ml.m5.xlarge"
_OLDEST_SDK = "2.49.0"
_ALIAS = "image"

_HYPERPARAMETERS = {"catboost": hyperparameters.CATBOOST, "lightgbm": hyperparameters.LIGHTGBM}
_METRICS: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("catboost", "classification"): {"AUC": "bestTest =", "MultiClass": "bestTest ="},
    ("catboost", "regression"): {"RMSE": "bestTest ="},
    ("lightgbm", "classification"): {
        name: f"{name}:"
        for name in (
            *("binary_logloss", "binary_error", "auc", "average_precision", "multi_logloss", "multi_error", "auc_mu"),
            "cross_entropy",
        )
    },
    ("lightgbm", "regression"): {name: f"{name}:" for name in ("rmse", "l1", "l2", "huber", "fair")},
}
"""What stands before a metric in the log (https://docs.aws.amazon.com/sagemaker/latest/dg/lightgbm-tuning.html,
…/catboost-tuning.html)."""

_VERBOSE = "application/json;verbose"


def header(model: Model, version: str) -> dict[str, str]:
    """One entry of the manifest."""
    return {
        "model_id": model.id,
        "version": version,
        "min_version": _OLDEST_SDK,
        "spec_key": spec_key(model, version),
        "search_keywords": f"{model.title}, tabular {model.task}",
    }


def spec_key(model: Model, version: str) -> str:
    """Where a model's spec lies."""
    return f"community_models_specs/{model.id}/specs_v{version}.json"


def training_script_key(model: Model, version: str) -> str:
    """Where its training script lies."""
    return f"source-directory-tarballs/{model.library}/transfer_learning/{model.task}/v{version}/sourcedir.tar.gz"


def inference_script_key(model: Model, version: str) -> str:
    """Where its inference script lies."""
    return f"source-directory-tarballs/{model.library}/inference/{model.task}/v{version}/sourcedir.tar.gz"


def training_artifact_key(model: Model) -> str:
    """Where the archive lies that SDKs hand to a job as its channel `model`."""
    return f"{model.library}-training/train-{model.id}.tar.gz"


def inference_artifact_key(model: Model) -> str:
    """Where the trained model lies."""
    return f"{model.library}-infer/prepack/infer-prepack-{model.id}.tar.gz"


def spec(model: Model, version: str) -> dict[str, Any]:
    """All that an SDK needs to train and to deploy it."""
    types = [f"ml.m5.{size}" for size in _LISTED]
    return {
        "model_id": model.id,
        "url": f"https://docs.aws.amazon.com/sagemaker/latest/dg/{model.library}.html",
        "version": version,
        "min_sdk_version": _OLDEST_SDK,
        "resource_name_base": f"{model.library}-{model.task}",
        "incremental_training_supported": False,
        **_training(model, version, types),
        **_hosting(model, version, types),
    }


def _training(model: Model, version: str, types: list[str]) -> dict[str, Any]:
    sample = samples.REGRESS if model.task == "regression" else samples.MULTICLASS
    return {
        "training_supported": True,
        "training_artifact_key": training_artifact_key(model),
        "training_script_key": training_script_key(model, version),
        "training_instance_type_variants": _images(model),
        "default_training_instance_type": _DEFAULT_TYPE,
        "supported_training_instance_types": types,
        "default_training_dataset_key": samples.folder(sample),
        "training_vulnerable": False,
        "training_dependencies": [],
        "training_vulnerabilities": [],
        "training_volume_size": 30,
        "hyperparameters": [*_own_hyperparameters(model), *_CONTAINERS],
        "metrics": [
            {"Name": name, "Regex": f"{before} ([0-9\\.]+)"}
            for name, before in _METRICS[model.library, model.task].items()
        ],
        "estimator_kwargs": {},
        "fit_kwargs": {},
    }


def _hosting(model: Model, version: str, types: list[str]) -> dict[str, Any]:
    return {
        "hosting_artifact_key": inference_artifact_key(model),
        "hosting_prepacked_artifact_key": inference_artifact_key(model),
        "hosting_script_key": inference_script_key(model, version),
        "hosting_use_script_uri": False,
        "hosting_instance_type_variants": _images(model),
        "default_inference_instance_type": _DEFAULT_TYPE,
        "supported_inference_instance_types": types,
        "inference_vulnerable": False,
        "inference_dependencies": [],
        "inference_vulnerabilities": [],
        "inference_environment_variables": [
            _variable("SAGEMAKER_PROGRAM", scripts.INFERENCE_PROGRAM),
            _variable("SAGEMAKER_SUBMIT_DIRECTORY", "/opt/ml/model/code"),
            _variable("SAGEMAKER_CONTAINER_LOG_LEVEL", "20"),
        ],
        "predictor_specs": _predictor(model),
        "deprecated": False,
        "model_kwargs": {},
        "deploy_kwargs": {},
    }


def _predictor(model: Model) -> dict[str, Any]:
    accepts = ["application/json"] if model.task == "regression" else [_VERBOSE, "application/json"]
    return {
        "default_content_type": "text/csv",
        "supported_content_types": ["text/csv"],
        "default_accept_type": accepts[0],
        "supported_accept_types": accepts,
    }


def _images(model: Model) -> dict[str, Any]:
    regions = REGISTRIES[_repository(model.library).name]
    return {
        "regional_aliases": {region: {_ALIAS: image_of(model.library, region)} for region in regions},
        "variants": {family: {"regional_properties": {"image_uri": f"${_ALIAS}"}} for family in FAMILIES},
    }


def image_of(library: str, region: str) -> str:
    """The newest image's address."""
    repository = _repository(library)
    account = REGISTRIES[repository.name][region]
    tag = f"{list(repository.tags)[-1]}-cpu-py311"
    return f"{account}.dkr.ecr.{region}.{_domain(region)}/{repository.name}:{tag}"


def _repository(library: str) -> Repository:
    [found] = [repository for repository in REPOSITORIES if repository.framework.name == library]
    return found


def _domain(region: str) -> str:
    return "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"


def _own_hyperparameters(model: Model) -> list[dict[str, Any]]:
    kinds = _HYPERPARAMETERS[model.library]
    return [{"name": name, "scope": "algorithm", **_described(kind)} for name, kind in kinds.items()]


def _described(kind: Kind) -> dict[str, Any]:
    """Type, default and range, as `sagemaker.hyperparameters.validate` reads them."""
    default = kind.default or ""
    if isinstance(kind, Flag):
        return {"type": "text", "default": default, "options": ["True", "False"]}
    if isinstance(kind, Choice):
        return {"type": "text", "default": default, "options": [_spelt(word, default) for word in kind.words]}
    if not isinstance(kind, Number) or kind.words:
        return {"type": "text", "default": default}
    ends = {"min": kind.least, "max": kind.most, "exclusive_min": kind.above, "exclusive_max": kind.below}
    ranged = {name: end for name, end in ends.items() if end is not None}
    return {"type": "int", "default": int(default), **ranged} if kind.whole else _float(default, ranged)


def _float(default: str, ranged: Mapping[str, float]) -> dict[str, Any]:
    return {"type": "float", "default": float(default), **ranged}


def _spelt(word: str, default: str) -> str:
    """As CatBoost spells its words, where the default is one of them."""
    return word if default == default.lower() else hyperparameters.SPELLING[word]


def _variable(name: str, value: str) -> dict[str, Any]:
    return {"name": name, "type": "text", "default": value, "scope": "container", "required_for_model_class": False}


_CONTAINERS = [
    {"name": name, "type": "text", "default": value, "scope": "container"}
    for name, value in (
        ("sagemaker_submit_directory", "/opt/ml/input/data/code/sourcedir.tar.gz"),
        ("sagemaker_program", scripts.TRAINING_PROGRAM),
        ("sagemaker_container_log_level", "20"),
    )
]
"""For those who call CreateTrainingJob themselves: the script's archive is their channel `code`."""
