"""Jobs that nobody can make yet (`unmade.py`)."""

from __future__ import annotations

from dataclasses import replace

from clary.services.sagemaker.kept_errors import invalid
from clary.services.sagemaker.service import SERVICE
from clary.services.sagemaker.unmade import Unmade, kind_of, refuse

PROCESSING = Unmade(
    kind_of(
        "ProcessingJob",
        "processing-job",
        "ProcessingJobSummaries",
        invalid("Could not find requested job with name: {name}"),
    ),
    "Processing jobs are not executed by this version of Clary",
    makes=("CreateProcessingJob",),
    acts=("StopProcessingJob", "DeleteProcessingJob"),
)

AUTOML = Unmade(
    kind_of("AutoMLJob", "automl-job", "AutoMLJobSummaries"),
    "AutoML jobs are not executed by this version of Clary",
    makes=("CreateAutoMLJob", "CreateAutoMLJobV2"),
    acts=("DescribeAutoMLJobV2", "StopAutoMLJob", "ListCandidatesForAutoMLJob"),
)

LABELING = Unmade(
    kind_of("LabelingJob", "labeling-job", "LabelingJobSummaryList"),
    "Labeling jobs are not executed by this version of Clary",
    makes=("CreateLabelingJob",),
    acts=("StopLabelingJob",),
)

LABELING_OF_TEAM = Unmade(
    replace(
        LABELING.resource,
        plural="LabelingJobsForWorkteam",
        equal={"WorkteamArn": "HumanTaskConfig.WorkteamArn"},
        verbs=("List",),
    ),
    LABELING.because,
)

EDGE_PACKAGING = Unmade(
    kind_of("EdgePackagingJob", "edge-packaging-job", "EdgePackagingJobSummaries"),
    "Clary packages no models for edge devices",
    makes=("CreateEdgePackagingJob",),
    acts=("StopEdgePackagingJob",),
)

INFERENCE_RECOMMENDATIONS = Unmade(
    kind_of(
        "InferenceRecommendationsJob",
        "inference-recommendations-job",
        "InferenceRecommendationsJobs",
        named="JobName",
        arn_named="JobArn",
    ),
    "Inference recommendations are not calculated by this version of Clary",
    makes=("CreateInferenceRecommendationsJob",),
    acts=(
        "StopInferenceRecommendationsJob",
        "ListInferenceRecommendationsJobSteps",
        "GetScalingConfigurationRecommendation:InferenceRecommendationsJobName",
    ),
)

AI_RECOMMENDATION = Unmade(
    kind_of("AIRecommendationJob", "ai-recommendation-job", "AIRecommendationJobs"),
    INFERENCE_RECOMMENDATIONS.because,
    makes=("CreateAIRecommendationJob",),
    acts=("StopAIRecommendationJob", "DeleteAIRecommendationJob"),
)

AI_BENCHMARK = Unmade(
    kind_of("AIBenchmarkJob", "ai-benchmark-job", "AIBenchmarkJobs"),
    "Benchmarks of endpoints are not executed by this version of Clary",
    makes=("CreateAIBenchmarkJob",),
    acts=("StopAIBenchmarkJob", "DeleteAIBenchmarkJob"),
)

OPTIMIZATION = Unmade(
    kind_of("OptimizationJob", "optimization-job", "OptimizationJobSummaries"),
    "Optimization jobs are not executed by this version of Clary",
    makes=("CreateOptimizationJob",),
    acts=("StopOptimizationJob", "DeleteOptimizationJob"),
)

CARD_EXPORT = Unmade(
    kind_of(
        "ModelCardExportJob",
        "model-card-export-job",
        "ModelCardExportJobSummaries",
        named="ModelCardExportJobArn",
        equal={"ModelCardName": "ModelCardName", "StatusEquals": "Status"},
    ),
    "Clary exports no model cards as PDF",
    makes=("CreateModelCardExportJob",),
)

CUSTOMIZATION = Unmade(
    kind_of(
        "Job",
        "job",
        "JobSummaries",
        within=("JobCategory",),
        equal={"JobCategory": "JobCategory", "StatusEquals": "JobStatus"},
    ),
    "Jobs that customize models are not executed by this version of Clary",
    makes=("CreateJob",),
    acts=("StopJob", "DeleteJob"),
)

TRAINING_SESSION = Unmade(
    kind_of("TrainingSession", "training-session", "TrainingSessionSummaries", whole="TrainingSessionDetail"),
    CUSTOMIZATION.because,
    makes=("CreateTrainingSession",),
    acts=("StopTrainingSession", "DeleteTrainingSession"),
)

for _each in (
    PROCESSING,
    AUTOML,
    LABELING,
    LABELING_OF_TEAM,
    EDGE_PACKAGING,
    INFERENCE_RECOMMENDATIONS,
    AI_RECOMMENDATION,
    AI_BENCHMARK,
    OPTIMIZATION,
    CARD_EXPORT,
    CUSTOMIZATION,
    TRAINING_SESSION,
):
    refuse(SERVICE, _each)
