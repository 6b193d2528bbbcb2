"""Everything that Clary offers. The files of resources are imported for the operations that they offer."""

from __future__ import annotations

import clary.services.iam.attachments
import clary.services.iam.boundaries
import clary.services.iam.groups
import clary.services.iam.keys
import clary.services.iam.policies
import clary.services.iam.roles
import clary.services.iam.simulation
import clary.services.iam.tags
import clary.services.iam.users
import clary.services.s3.bucket_settings
import clary.services.s3.buckets
import clary.services.s3.listing
import clary.services.s3.multipart
import clary.services.s3.multipart_listing
import clary.services.s3.object_attributes
import clary.services.s3.objects
import clary.services.s3.tagging
import clary.services.sagemaker.endpoint_configs
import clary.services.sagemaker.endpoints
import clary.services.sagemaker.models
import clary.services.sagemaker.tags
import clary.services.sagemaker.training_jobs
import clary.services.sagemaker_runtime.invocations
import clary.services.sts.identities
import clary.services.sts.roles
import clary.services.sts.sessions  # noqa: F401
from clary.services.iam.service import SERVICE as IAM
from clary.services.registry import Registry
from clary.services.s3.service import SERVICE as S3
from clary.services.sagemaker.service import SERVICE as SAGEMAKER
from clary.services.sagemaker_runtime.service import SERVICE as SAGEMAKER_RUNTIME
from clary.services.sts.service import SERVICE as STS

REGISTRY = Registry([SAGEMAKER, SAGEMAKER_RUNTIME, S3, IAM, STS])
