"""Runs inside containers: the training entry and the model server, as the public SageMaker toolkits behave.

Standard library only (the framework aside), for the Pythons of old framework images: 3.8 and later. Nothing here knows
that Clary exists: what comes in is `/opt/ml` and the environment.
"""
