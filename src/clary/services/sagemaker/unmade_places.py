"""What would have to run or to be reserved for somebody, and cannot be made yet (`unmade.py`): notebooks, apps,
clusters, MLflow, devices' deployments, capacity, routers, schedules, executions of pipelines."""

from __future__ import annotations

from clary.services.resources import Resource
from clary.services.sagemaker.kept_errors import invalid
from clary.services.sagemaker.pipelines import EXECUTION
from clary.services.sagemaker.service import SERVICE
from clary.services.sagemaker.studio import APP
from clary.services.sagemaker.unmade import Unmade, kind_of, refuse
from clary.services.sagemaker.unmade_jobs import EDGE_PACKAGING

NOTEBOOK = Unmade(
    kind_of("NotebookInstance", "notebook-instance", "NotebookInstances", invalid("RecordNotFound")),
    "Notebook instances are not started by this version of Clary",
    makes=("CreateNotebookInstance",),
    acts=(
        "CreatePresignedNotebookInstanceUrl",
        "StartNotebookInstance",
        "StopNotebookInstance",
        "UpdateNotebookInstance",
        "DeleteNotebookInstance",
    ),
)

STUDIO_APP = Unmade(APP, "No app of Studio runs in Clary", makes=("CreateApp",), acts=("DeleteApp",))

PIPELINE_EXECUTION = Unmade(
    EXECUTION,
    "Pipelines are kept and not executed by this version of Clary",
    acts=(
        "DescribePipelineDefinitionForExecution",
        "ListPipelineExecutionSteps",
        "ListPipelineParametersForExecution",
        "RetryPipelineExecution",
        "StopPipelineExecution",
        "UpdatePipelineExecution",
    ),
)

MONITORING_SCHEDULE = Unmade(
    kind_of("MonitoringSchedule", "monitoring-schedule", "MonitoringScheduleSummaries"),
    "Schedules of monitoring are not executed by this version of Clary",
    makes=("CreateMonitoringSchedule",),
    acts=(
        "StartMonitoringSchedule",
        "StopMonitoringSchedule",
        "UpdateMonitoringSchedule",
        "DeleteMonitoringSchedule",
        "UpdateMonitoringAlert",
        "ListMonitoringAlerts",
    ),
)

_OF_SCHEDULE = {"MonitoringScheduleName": "MonitoringScheduleName"}

MONITORING_EXECUTION = Unmade(
    kind_of(
        "MonitoringExecution",
        "monitoring-execution",
        "MonitoringExecutionSummaries",
        equal={**_OF_SCHEDULE, "EndpointName": "EndpointName", "StatusEquals": "MonitoringExecutionStatus"},
        verbs=("List",),
    ),
    MONITORING_SCHEDULE.because,
)

MONITORING_ALERT = Unmade(
    kind_of(
        "MonitoringAlert",
        "monitoring-alert-history",
        "MonitoringAlertHistory",
        plural="MonitoringAlertHistory",
        equal={**_OF_SCHEDULE, "MonitoringAlertName": "MonitoringAlertName", "StatusEquals": "AlertStatus"},
        verbs=("List",),
    ),
    MONITORING_SCHEDULE.because,
)

CLUSTER = Unmade(
    kind_of("Cluster", "cluster", "ClusterSummaries"),
    "Clary has no HyperPod clusters",
    makes=("CreateCluster",),
    acts=(
        "UpdateCluster",
        "UpdateClusterSoftware",
        "DeleteCluster",
        "StartClusterHealthCheck",
        "DescribeClusterNode",
        "ListClusterNodes",
        "BatchAddClusterNodes",
        "BatchDeleteClusterNodes",
        "BatchRebootClusterNodes",
        "BatchReplaceClusterNodes",
        "AttachClusterNodeNetworkInterface",
        "AttachClusterNodeVolume:ClusterArn",
        "DetachClusterNodeVolume:ClusterArn",
        "DescribeClusterEvent",
        "ListClusterEvents",
        "DescribeClusterOperation",
        "ListClusterOperations",
        "CreateClusterExtension:ClusterArn",
        "DescribeClusterExtension:ClusterArn",
        "ListClusterExtensions:ClusterArn",
        "UpdateClusterExtension:ClusterArn",
        "DeleteClusterExtension:ClusterArn",
        "CreateClusterSchedulerConfig:ClusterArn",
        "CreateComputeQuota:ClusterArn",
    ),
)

_OF_CLUSTER = {"ClusterArn": "ClusterArn", "Status": "Status"}


def _of_cluster(noun: str, kind: str) -> Unmade:
    """What is set up on a cluster that is there."""
    resource = kind_of(noun, kind, f"{noun}Summaries", named=f"{noun}Id", equal=_OF_CLUSTER)
    return Unmade(resource, CLUSTER.because, acts=(f"Update{noun}", f"Delete{noun}"))


SCHEDULER_CONFIG = _of_cluster("ClusterSchedulerConfig", "cluster-scheduler-config")
COMPUTE_QUOTA = _of_cluster("ComputeQuota", "compute-quota")

TRACKING_SERVER = Unmade(
    kind_of(
        "MlflowTrackingServer",
        "mlflow-tracking-server",
        "TrackingServerSummaries",
        named="TrackingServerName",
        arn_named="TrackingServerArn",
    ),
    "Clary has no MLflow tracking servers: start one of your own, and name its address to MLflow",
    makes=("CreateMlflowTrackingServer",),
    acts=(
        "CreatePresignedMlflowTrackingServerUrl",
        "StartMlflowTrackingServer",
        "StopMlflowTrackingServer",
        "UpdateMlflowTrackingServer",
        "DeleteMlflowTrackingServer",
    ),
)


def _addressed(noun: str, kind: str) -> Resource:
    """One that is named by its ARN."""
    return kind_of(noun, kind, "Summaries", named="Arn", arn_named="Arn", equal={"Status": "Status"})


MLFLOW_APP = Unmade(
    _addressed("MlflowApp", "mlflow-app"),
    TRACKING_SERVER.because,
    makes=("CreateMlflowApp",),
    acts=("CreatePresignedMlflowAppUrl", "UpdateMlflowApp", "DeleteMlflowApp"),
)

PARTNER_APP = Unmade(
    _addressed("PartnerApp", "partner-app"),
    "Clary has no partner applications",
    makes=("CreatePartnerApp",),
    acts=("CreatePartnerAppPresignedUrl", "UpdatePartnerApp", "DeletePartnerApp"),
)

EDGE_DEPLOYMENT = Unmade(
    kind_of("EdgeDeploymentPlan", "edge-deployment", "EdgeDeploymentPlanSummaries", equal={}),
    EDGE_PACKAGING.because,
    makes=("CreateEdgeDeploymentPlan",),
    acts=(
        "CreateEdgeDeploymentStage",
        "DeleteEdgeDeploymentStage",
        "StartEdgeDeploymentStage",
        "StopEdgeDeploymentStage",
        "ListStageDevices",
        "DeleteEdgeDeploymentPlan",
    ),
)

TRAINING_PLAN = Unmade(
    kind_of("TrainingPlan", "training-plan", "TrainingPlanSummaries"),
    "Clary has no capacity to reserve: what runs here runs on this machine",
    makes=("CreateTrainingPlan",),
    acts=("DescribeTrainingPlanExtensionHistory:TrainingPlanArn",),
)

RESERVED_CAPACITY = Unmade(
    kind_of("ReservedCapacity", "reserved-capacity", named="ReservedCapacityArn", verbs=("Describe",)),
    TRAINING_PLAN.because,
    acts=("ListUltraServersByReservedCapacity",),
)

INFERENCE_ROUTER = Unmade(
    kind_of("InferenceRouter", "inference-router", "InferenceRouters"),
    "No request is routed by an inference router in this version of Clary",
    makes=("CreateInferenceRouter",),
    acts=("UpdateInferenceRouter", "DeleteInferenceRouter"),
)

for _each in (
    NOTEBOOK,
    STUDIO_APP,
    PIPELINE_EXECUTION,
    MONITORING_SCHEDULE,
    MONITORING_EXECUTION,
    MONITORING_ALERT,
    CLUSTER,
    SCHEDULER_CONFIG,
    COMPUTE_QUOTA,
    TRACKING_SERVER,
    MLFLOW_APP,
    PARTNER_APP,
    EDGE_DEPLOYMENT,
    TRAINING_PLAN,
    RESERVED_CAPACITY,
    INFERENCE_ROUTER,
):
    refuse(SERVICE, _each)
