"""What SageMaker offers and Clary does not carry out: refused, with the reason. What could only come from such a call
is found to be absent: lists are empty, and what is named does not exist."""

from __future__ import annotations

from clary.errors import AWSError, ValidationError
from clary.services.context import Context
from clary.services.resources import Output, Params
from clary.services.sagemaker.service import SERVICE

_BECAUSE: dict[str, tuple[str, ...]] = {
    "Pipelines are kept and not executed by this version of Clary": (
        "RetryPipelineExecution",
        "SendPipelineExecutionStepFailure",
        "SendPipelineExecutionStepSuccess",
        "StartPipelineExecution",
    ),
    "Processing jobs are not executed by this version of Clary": ("CreateProcessingJob",),
    "Schedules of monitoring are not executed by this version of Clary": (
        "CreateMonitoringSchedule",
        "StartMonitoringSchedule",
        "StopMonitoringSchedule",
        "UpdateMonitoringAlert",
        "UpdateMonitoringSchedule",
    ),
    "Notebook instances are not started by this version of Clary": (
        "CreateNotebookInstance",
        "CreatePresignedNotebookInstanceUrl",
        "StartNotebookInstance",
        "StopNotebookInstance",
        "UpdateNotebookInstance",
    ),
    "No app of Studio runs in Clary": ("CreateApp", "CreatePresignedDomainUrl", "StartSession"),
    "AutoML jobs are not executed by this version of Clary": ("CreateAutoMLJob", "CreateAutoMLJobV2"),
    "Labeling jobs are not executed by this version of Clary": ("CreateLabelingJob", "RenderUiTemplate"),
    "Inference recommendations are not calculated by this version of Clary": (
        "CreateInferenceRecommendationsJob",
        "GetScalingConfigurationRecommendation",
    ),
    "Optimization jobs are not executed by this version of Clary": ("CreateOptimizationJob",),
    "Clary has no HyperPod clusters": ("CreateCluster", "CreateClusterSchedulerConfig", "CreateComputeQuota"),
    "Clary has no MLflow tracking servers: start one of your own, and name its address to MLflow": (
        "CreateMlflowApp",
        "CreateMlflowTrackingServer",
        "CreatePresignedMlflowAppUrl",
        "CreatePresignedMlflowTrackingServerUrl",
    ),
    "Clary has no partner applications": ("CreatePartnerApp", "CreatePartnerAppPresignedUrl"),
    "Clary packages no models for edge devices": (
        "CreateEdgeDeploymentPlan",
        "CreateEdgeDeploymentStage",
        "CreateEdgePackagingJob",
    ),
    "Clary has no capacity to reserve: what runs here runs on this machine": (
        "CreateTrainingPlan",
        "ExtendTrainingPlan",
        "SearchTrainingPlanOfferings",
    ),
    "Clary has no Service Catalog": (
        "DisableSagemakerServicecatalogPortfolio",
        "EnableSagemakerServicecatalogPortfolio",
    ),
    "Clary exports no model cards as PDF": ("CreateModelCardExportJob",),
    "Policies on endpoints are not enforced by this version of Clary": ("PutEndpointPolicy",),
}

for _reason, _names in _BECAUSE.items():
    for _name in _names:
        SERVICE.refuse(ValidationError(f"{_name} is not offered by Clary. {_reason}."), _name)

_NONE: dict[str, str] = {
    "ListAutoMLJobs": "AutoMLJobSummaries",
    "ListClusters": "ClusterSummaries",
    "ListEdgeDeploymentPlans": "EdgeDeploymentPlanSummaries",
    "ListEdgePackagingJobs": "EdgePackagingJobSummaries",
    "ListInferenceRecommendationsJobs": "InferenceRecommendationsJobs",
    "ListLabelingJobs": "LabelingJobSummaryList",
    "ListMlflowTrackingServers": "TrackingServerSummaries",
    "ListMonitoringAlertHistory": "MonitoringAlertHistory",
    "ListMonitoringExecutions": "MonitoringExecutionSummaries",
    "ListMonitoringSchedules": "MonitoringScheduleSummaries",
    "ListModelCardExportJobs": "ModelCardExportJobSummaries",
    "ListNotebookInstances": "NotebookInstances",
    "ListOptimizationJobs": "OptimizationJobSummaries",
    "ListPartnerApps": "Summaries",
    "ListProcessingJobs": "ProcessingJobSummaries",
    "ListTrainingPlans": "TrainingPlanSummaries",
}
"""Lists of what nobody can have made, and the member that is empty."""


def _empty(name: str, member: str) -> None:
    @SERVICE.operation(name, effect="refused", on=lambda _call: ["*"])
    def list_(_context: Context, _params: Params) -> Output:
        return {member: []}


for _name, _member in _NONE.items():
    _empty(_name, _member)

_ABSENT: dict[str, tuple[str, ...]] = {
    "Could not find requested job with name: {}": (
        "DescribeProcessingJob:ProcessingJobName",
        "StopProcessingJob:ProcessingJobName",
        "DeleteProcessingJob:ProcessingJobName",
    ),
    "RecordNotFound": ("DescribeNotebookInstance:NotebookInstanceName", "DeleteNotebookInstance:NotebookInstanceName"),
}
_NOT_FOUND = (
    "DescribeAutoMLJob:AutoMLJobName",
    "DescribeAutoMLJobV2:AutoMLJobName",
    "StopAutoMLJob:AutoMLJobName",
    "ListCandidatesForAutoMLJob:AutoMLJobName",
    "DescribeCluster:ClusterName",
    "DescribeClusterNode:ClusterName",
    "ListClusterNodes:ClusterName",
    "UpdateCluster:ClusterName",
    "DeleteCluster:ClusterName",
    "DescribeEdgeDeploymentPlan:EdgeDeploymentPlanName",
    "DeleteEdgeDeploymentPlan:EdgeDeploymentPlanName",
    "DescribeEdgePackagingJob:EdgePackagingJobName",
    "StopEdgePackagingJob:EdgePackagingJobName",
    "DescribeInferenceRecommendationsJob:JobName",
    "StopInferenceRecommendationsJob:JobName",
    "ListInferenceRecommendationsJobSteps:JobName",
    "DescribeLabelingJob:LabelingJobName",
    "StopLabelingJob:LabelingJobName",
    "DescribeMlflowTrackingServer:TrackingServerName",
    "UpdateMlflowTrackingServer:TrackingServerName",
    "StartMlflowTrackingServer:TrackingServerName",
    "StopMlflowTrackingServer:TrackingServerName",
    "DeleteMlflowTrackingServer:TrackingServerName",
    "DescribeModelCardExportJob:ModelCardExportJobArn",
    "DescribeMonitoringSchedule:MonitoringScheduleName",
    "DeleteMonitoringSchedule:MonitoringScheduleName",
    "DescribeOptimizationJob:OptimizationJobName",
    "StopOptimizationJob:OptimizationJobName",
    "DeleteOptimizationJob:OptimizationJobName",
    "DescribePipelineExecution:PipelineExecutionArn",
    "DescribePipelineDefinitionForExecution:PipelineExecutionArn",
    "ListPipelineExecutionSteps:PipelineExecutionArn",
    "ListPipelineParametersForExecution:PipelineExecutionArn",
    "StopPipelineExecution:PipelineExecutionArn",
    "UpdatePipelineExecution:PipelineExecutionArn",
    "DescribeTrainingPlan:TrainingPlanName",
)


def _absent(said: str, text: str, code: str) -> None:
    name, _, member = said.partition(":")

    @SERVICE.operation(name, effect="refused")
    def refuse(_context: Context, params: Params) -> Output:
        raise AWSError(code, text.format(params.get(member, "")))


for _text, _operations in _ABSENT.items():
    for _said in _operations:
        _absent(_said, _text, "ValidationException")

for _said in _NOT_FOUND:
    _absent(_said, "'{}' does not exist.", "ResourceNotFound")
