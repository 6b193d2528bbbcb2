"""The Python runtime of Lambda functions: what runs in an execution environment around the user's handler."""
