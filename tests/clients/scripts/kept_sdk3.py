"""The same of sagemaker-core (the SageMaker Python SDK 3), which misses no member that the model calls required."""

from sagemaker.core.resources import Artifact, Context, Experiment, Hub, ModelPackageGroup, Trial, TrialComponent
from sagemaker.core.shapes import ArtifactSource, ContextSource

group = ModelPackageGroup.create(model_package_group_name="core")
print("group", group.model_package_group_status)
print("listed", "core" in [each.model_package_group_name for each in ModelPackageGroup.get_all()])
experiment = Experiment.create(experiment_name="core")
trial = Trial.create(trial_name="core", experiment_name="core")
component = TrialComponent.create(trial_component_name="core")
context = Context.create(context_name="core", source=ContextSource(source_uri="u"), context_type="Test")
artifact = Artifact.create(source=ArtifactSource(source_uri="s3://nowhere/core"), artifact_type="Test")
hub = Hub.create(hub_name="core", hub_description="d")
print("kept", trial.experiment_name, component.display_name, context.context_type, hub.hub_status)
for each in (group, trial, experiment, component, context, artifact, hub):
    each.delete()
