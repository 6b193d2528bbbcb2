"""What the SageMaker Python SDK 2 keeps in SageMaker: runs of experiments, lineage, feature groups, pipelines."""

import sagemaker
from botocore.exceptions import ClientError
from sagemaker.experiments import list_runs
from sagemaker.experiments.experiment import Experiment
from sagemaker.experiments.run import Run, load_run
from sagemaker.feature_store.feature_group import FeatureDefinition, FeatureGroup, FeatureTypeEnum
from sagemaker.lineage.artifact import Artifact
from sagemaker.lineage.association import Association
from sagemaker.lineage.context import Context
from sagemaker.model_card import ModelCard, ModelOverview
from sagemaker.workflow.fail_step import FailStep
from sagemaker.workflow.pipeline import Pipeline

session, role = sagemaker.Session(), sagemaker.get_execution_role()
of_session = {"sagemaker_session": session}

with Run(experiment_name="kept", run_name="first", **of_session) as run:
    run.log_parameters({"rate": 0.1, "kind": "b"})
    for step in range(4):
        run.log_metric("loss", 1.0 / (step + 1), step=step)
    run.log_artifact("data", "s3://nowhere/data", is_output=False)
with load_run(experiment_name="kept", run_name="first", **of_session) as run:
    print("parameters", sorted(run._trial_component.parameters.items()))
    [loss] = run._trial_component.metrics
    print("metric", loss.metric_name, loss.count, loss.max, loss.last)
    arn = run._trial_component.trial_component_arn
values = session.sagemaker_metrics_client.batch_get_metrics(
    MetricQueries=[
        {
            "MetricName": "loss",
            "ResourceArn": arn,
            "MetricStat": "Last",
            "Period": "IterationNumber",
            "XAxisType": "IterationNumber",
        }
    ]
)["MetricQueryResults"][0]
print("values", values["Status"], values["XAxisValues"], [round(each, 2) for each in values["MetricValues"]])
print("runs", [each.run_name for each in list_runs(experiment_name="kept", **of_session)])

context = Context.create(context_name="kept", source_uri="u", context_type="Test", **of_session)
artifact = Artifact.create(artifact_name="kept", source_uri="s3://nowhere/kept", artifact_type="Model", **of_session)
Association.create(
    source_arn=artifact.artifact_arn,
    destination_arn=context.context_arn,
    association_type="ContributedTo",
    **of_session,
)
print("associations", len(list(Association.list(source_arn=artifact.artifact_arn, **of_session))))
print("artifacts", len(list(Artifact.list(source_uri="s3://nowhere/kept", **of_session))))
artifact.delete(disassociate=True)
context.delete(disassociate=True)

features = [FeatureDefinition("id", FeatureTypeEnum.STRING), FeatureDefinition("at", FeatureTypeEnum.FRACTIONAL)]
group = FeatureGroup("kept", feature_definitions=features, **of_session)
group.create(
    s3_uri=False, record_identifier_name="id", event_time_feature_name="at", role_arn=role, enable_online_store=True
)
print("features", group.describe()["FeatureGroupStatus"])
group.delete()

card = ModelCard("kept", model_overview=ModelOverview(model_description="d"), **of_session)
card.create()
card.model_overview.model_description = "another"
card.update()
card.update(status="Approved")
again = ModelCard.load("kept", **of_session)
print("card", again.model_overview.model_description, again.version, again.status.value)
print("history", len(card.get_version_history()), "exports", card.list_export_jobs()["ModelCardExportJobSummaries"])
card.delete()

pipeline = Pipeline("kept", steps=[FailStep("fail", error_message="x")], **of_session)
arns = [pipeline.upsert(role_arn=role)["PipelineArn"] for _ in range(2)]
print("pipeline", arns[0] == arns[1])
try:
    pipeline.start()
except ClientError as error:
    print("start", error.response["Error"]["Code"])
pipeline.delete()
Experiment.load("kept", **of_session)._delete_all(action="--force")
