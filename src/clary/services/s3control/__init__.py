"""S3 Control: what is said of all buckets of an account, and the tags of one."""
