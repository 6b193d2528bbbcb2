"""S3: which operations are offered. The handlers stand in one file per resource."""

from __future__ import annotations

from clary.services.registry import Service
from clary.services.s3.access import access

SERVICE = Service("s3", access, "clary.services.s3.operations")
