"""Amazon S3, one file per resource, over the object store in `clary.objects`."""
