"""The container contract from outside: what stands below /opt/ml, what is taken from there, and what is run."""
