"""What SageMaker offers, Clary does not carry out, and names no resource: refused, with the reason. The kinds of
resources that nobody can make are in `unmade_jobs.py` and `unmade_places.py`."""

from __future__ import annotations

from clary.services.sagemaker.errors import not_carried_out
from clary.services.sagemaker.service import SERVICE
from clary.services.sagemaker.unmade_jobs import CUSTOMIZATION, INFERENCE_RECOMMENDATIONS, LABELING
from clary.services.sagemaker.unmade_places import CLUSTER, PIPELINE_EXECUTION, STUDIO_APP, TRAINING_PLAN

_BECAUSE: dict[str, tuple[str, ...]] = {
    PIPELINE_EXECUTION.because: (
        "SendPipelineExecutionStepFailure",
        "SendPipelineExecutionStepSuccess",
        "StartPipelineExecution",
    ),
    STUDIO_APP.because: ("CreatePresignedDomainUrl", "StartSession"),
    LABELING.because: ("RenderUiTemplate",),
    INFERENCE_RECOMMENDATIONS.because: ("ListModelMetadata",),
    CLUSTER.because: ("ListClusterExtensionVersions",),
    TRAINING_PLAN.because: ("ExtendTrainingPlan", "SearchTrainingPlanOfferings"),
    CUSTOMIZATION.because: ("DescribeJobSchemaVersion", "ListJobSchemaVersions"),
    "The address of a hub content's files is in its document: read them from Amazon S3": (
        "CreateHubContentPresignedUrls",
    ),
}

for _reason, _names in _BECAUSE.items():
    for _name in _names:
        SERVICE.refuse(not_carried_out(_name, _reason), _name)
