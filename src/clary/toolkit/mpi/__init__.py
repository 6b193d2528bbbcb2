"""Scripts that several processes run together by MPI (`distribution={"mpi": {"enabled": True}}`), in every image that
has an `mpirun` (docs/decisions/0021)."""
