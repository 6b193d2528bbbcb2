"""Elastic Container Registry: repositories, images and layers. The registry's own protocol, which `docker push` speaks,
is `clary.distribution`, and calls the operations here."""
