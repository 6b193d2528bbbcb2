"""The composition root: builds each process from the parts. Only these files may import anything; one per process, so
that none loads what another needs."""
