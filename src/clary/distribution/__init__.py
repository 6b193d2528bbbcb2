"""The image registry as `docker push` and `docker pull` speak to it: the OCI distribution protocol
(https://github.com/opencontainers/distribution-spec/blob/main/spec.md) on the edge's own port.

It decides nothing: each request becomes operations of ECR, authorised as such. Bodies stream through the same intake as
S3's, and come from the same files.
"""
