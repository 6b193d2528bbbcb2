"""S3 Control: what is said of all buckets of an account, and the tags of one."""

from clary.services.s3control import access_points, public_access_block, tags
from clary.services.s3control.service import SERVICE

__all__ = ["SERVICE", "access_points", "public_access_block", "tags"]
