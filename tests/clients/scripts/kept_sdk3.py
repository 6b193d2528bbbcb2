"""The same of sagemaker-core (the SageMaker Python SDK 3), which misses no member that the model calls required."""

import inspect

import boto3
from botocore.exceptions import ClientError
from sagemaker.core import resources
from sagemaker.core.helper.session_helper import get_execution_role
from sagemaker.core.resources import (
    AIWorkloadConfig,
    Artifact,
    Context,
    Domain,
    Experiment,
    FeatureGroup,
    Hub,
    ModelCard,
    ModelPackage,
    ModelPackageGroup,
    ProcessingJob,
    Space,
    Trial,
    TrialComponent,
    UserProfile,
)
from sagemaker.core.shapes import (
    AIWorkloadConfigs,
    ArtifactSource,
    ContextSource,
    FeatureDefinition,
    OnlineStoreConfig,
    OwnershipSettings,
    SpaceSettings,
    SpaceSharingSettings,
    UserSettings,
    WorkloadSpec,
)

role = get_execution_role()

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

# its own ModelPackage.create asks the answer for a member that AWS's has not; others know a version by its group's name
made = boto3.client("sagemaker").create_model_package(ModelPackageGroupName="core", SourceUri="s3://nowhere/model")
version = ModelPackage.get(model_package_name=made["ModelPackageArn"])
before = version.model_approval_status
boto3.client("sagemaker").update_model_package(ModelPackageArn=made["ModelPackageArn"], ModelApprovalStatus="Approved")
version = ModelPackage.get(model_package_name=made["ModelPackageArn"])
print("version", version.model_package_version, before, version.model_approval_status)

card = ModelCard.create(model_card_name="core", content="{}", model_card_status="Draft")
card.update(content='{"model_overview": {"model_description": "d"}}')
card.update(model_card_status="Approved")
card = ModelCard.get(model_card_name="core")
print("card", card.model_card_version, card.model_card_status, len(list(card.get_all_versions())))

features = [
    FeatureDefinition(feature_name="id", feature_type="String"),
    FeatureDefinition(feature_name="at", feature_type="Fractional"),
]
table = FeatureGroup.create(
    feature_group_name="core",
    record_identifier_feature_name="id",
    event_time_feature_name="at",
    feature_definitions=features,
    online_store_config=OnlineStoreConfig(enable_online_store=True),
)
table.wait_for_status("Created")
table.update(feature_additions=[FeatureDefinition(feature_name="more", feature_type="Integral")])
table.refresh()
print("features", [each.feature_name for each in table.feature_definitions])

domain = Domain.create(domain_name="core", auth_mode="IAM", default_user_settings=UserSettings(execution_role=role))
domain.wait_for_status("InService")
ann = UserProfile.create(domain_id=domain.domain_id, user_profile_name="ann")
space = Space.create(
    domain_id=domain.domain_id,
    space_name="core",
    ownership_settings=OwnershipSettings(owner_user_profile_name="ann"),
    space_sharing_settings=SpaceSharingSettings(sharing_type="Private"),
    space_settings=SpaceSettings(app_type="JupyterLab"),
)
print("studio", ann.status, space.status, space.ownership_settings.owner_user_profile_name)

specification = AIWorkloadConfigs(workload_spec=WorkloadSpec(inline="{}"))
workload = AIWorkloadConfig.create(ai_workload_config_name="core", ai_workload_configs=specification)
print("workload", workload.ai_workload_configs.workload_spec.inline)

listed = [
    each
    for each in vars(resources).values()
    if inspect.isclass(each) and each.__module__ == resources.__name__ and hasattr(each, "get_all")
]
alone = [
    each
    for each in listed
    if all(asked.default is not asked.empty for asked in inspect.signature(each.get_all).parameters.values())
]
found = {each.__name__: len(list(each.get_all())) for each in alone}
print("lists", len(found) > 60, found["FeatureGroup"] > 0, found["NotebookInstance"], found["Cluster"])
try:
    ProcessingJob.get(processing_job_name="none")
except ClientError as error:
    print("absent", error.response["Error"]["Message"])

boto3.client("sagemaker").delete_model_package(ModelPackageName=made["ModelPackageArn"])
for each in (space, ann, domain, workload, table, card):
    each.delete()
for each in (group, trial, experiment, component, context, artifact, hub):
    each.delete()
