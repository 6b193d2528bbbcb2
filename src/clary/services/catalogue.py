"""Everything that Clary offers. A resource's file is imported for the operations that it offers."""

from __future__ import annotations

from clary.services.iam import groups, keys, policies, roles, simulation, tags, users
from clary.services.iam.service import SERVICE as IAM
from clary.services.registry import Registry
from clary.services.sagemaker_runtime import invocations
from clary.services.sagemaker_runtime.service import SERVICE as SAGEMAKER_RUNTIME
from clary.services.sts import identities, sessions
from clary.services.sts import roles as assumed_roles
from clary.services.sts.service import SERVICE as STS

_RESOURCES = (groups, keys, policies, roles, simulation, tags, users, identities, sessions, assumed_roles, invocations)

REGISTRY = Registry([IAM, STS, SAGEMAKER_RUNTIME])
