"""What SageMaker answers instead of a result, in its own words: clients branch on these texts.

Recorded from public issue reports, the SDKs' sources and the acceptors in botocore's waiters.
"""

from __future__ import annotations

from collections.abc import Sequence

from clary.errors import AWSError, ValidationError

REQUESTED_RESOURCE_NOT_FOUND = "Requested resource not found."


def not_found(_arn: str) -> AWSError:
    """Jobs."""
    return ValidationError(REQUESTED_RESOURCE_NOT_FOUND)


def training_job_exists(arn: str) -> AWSError:
    """CreateTrainingJob."""
    return AWSError(
        "ResourceInUse",
        "Training job names must be unique within an AWS account and region, "
        f"and a training job with this name already exists ({arn})",
    )


def training_job_in_status(status: str) -> AWSError:
    """StopTrainingJob of one that has ended."""
    return ValidationError(f"The request was rejected because the training job is in status {status}.")


def tuning_job_exists(arn: str) -> AWSError:
    """CreateHyperParameterTuningJob."""
    name = arn.rpartition("/")[2]
    return AWSError(
        "ResourceInUse",
        f"A hyperparameter tuning job with the name, {name}, already exists. Choose a different name.",
    )


def tuning_job_not_found(arn: str) -> AWSError:
    """Everything else of a tuning job that is not there."""
    name = arn.rpartition("/")[2]
    return AWSError("ResourceNotFound", f"Amazon SageMaker can't find a tuning job called {name}. Type another name.")


def tuning_job_in_status(status: str) -> AWSError:
    """StopHyperParameterTuningJob of one that has ended."""
    return ValidationError(f"The request was rejected because the hyperparameter tuning job is in status {status}.")


def tuning_job_in_use(arn: str) -> AWSError:
    """DeleteHyperParameterTuningJob of one that has not ended."""
    return AWSError("ResourceInUse", f"The hyperparameter tuning job {arn} has not reached a terminal status.")


def no_objective_metric() -> AWSError:
    """CreateHyperParameterTuningJob whose objective no metric definition names."""
    return ValidationError(
        "A metric is required for this hyperparameter tuning job objective. Provide a metric in the metric definitions."
    )


def objective_not_of_algorithm(metric: str, image: str) -> AWSError:
    """CreateHyperParameterTuningJob whose objective a built-in algorithm does not emit."""
    return ValidationError(
        f"The objective metric for the hyperparameter tuning job, [{metric}], isn't valid for the [{image}] algorithm. "
        "Choose a valid objective metric."
    )


def transform_job_exists(arn: str) -> AWSError:
    """CreateTransformJob."""
    return AWSError(
        "ResourceInUse",
        "Job names must be unique within an AWS account and region, "
        f"and a transform job with this name already exists ({arn})",
    )


def transform_job_in_status(status: str) -> AWSError:
    """StopTransformJob of one that has ended."""
    return ValidationError(f"The request was rejected because the transform job is in status {status}.")


def compilation_job_exists(arn: str) -> AWSError:
    """CreateCompilationJob. No public source shows AWS's text, nor those of the next two."""
    return AWSError(
        "ResourceInUse",
        "Compilation job names must be unique within an AWS account and region, "
        f"and a compilation job with this name already exists ({arn})",
    )


def compilation_job_not_found(arn: str) -> AWSError:
    """Everything else of a compilation job that is not there."""
    return AWSError("ResourceNotFound", f'Could not find compilation job "{arn}".')


def compilation_job_in_status(status: str) -> AWSError:
    """StopCompilationJob of one that has ended, DeleteCompilationJob of one that has not."""
    return ValidationError(f"The request was rejected because the compilation job is in status {status}.")


def training_job_in_use(arn: str) -> AWSError:
    """DeleteTrainingJob of one that has not ended, or retains a warm pool."""
    return AWSError(
        "ResourceInUse", f"The training job {arn} has not reached a terminal status, or retains an Available warm pool."
    )


def could_not_find(noun: str, arn: str) -> AWSError:
    """Models, endpoint configurations and endpoints, wherever they are named."""
    return ValidationError(f'Could not find {noun} "{arn}".')


def already_existing(noun: str, arn: str) -> AWSError:
    """The Create of these."""
    return ValidationError(f'Cannot create already existing {noun} "{arn}".')


def in_progress_endpoint(arn: str) -> AWSError:
    """UpdateEndpoint and DeleteEndpoint while another change is under way."""
    return ValidationError(f'Cannot update in-progress endpoint "{arn}".')


def failed_endpoint(arn: str) -> AWSError:
    """UpdateEndpoint of one that has failed: "DeleteEndpoint is the only operation that can be performed on a failed
    endpoint" (API_DescribeEndpoint). No public source shows AWS's text."""
    return ValidationError(f'Cannot update failed endpoint "{arn}". It can only be deleted.')


def no_variants(names: Sequence[str], config: str) -> AWSError:
    """UpdateEndpointWeightsAndCapacities of variants that do not serve."""
    return ValidationError(
        f'The variant name(s) "{", ".join(names)}" is/are not present within endpoint configuration "{config}".'
    )


def experiment_exists(arn: str) -> AWSError:
    """CreateInferenceExperiment. No public source shows AWS's text, nor those of the next three."""
    name = arn.rpartition("/")[2]
    return AWSError("ResourceInUse", f"An inference experiment with the name {name} already exists.")


def experiment_not_found(arn: str) -> AWSError:
    """Everything else of an inference experiment that is not there."""
    return AWSError("ResourceNotFound", f'Could not find inference experiment "{arn}".')


def experiment_in_status(arn: str, status: str) -> AWSError:
    """Start, Stop, Update and Delete of an inference experiment when they are not possible."""
    return AWSError("ConflictException", f'The inference experiment "{arn}" is in status {status}.')


def endpoint_in_experiment(endpoint: str, experiment: str) -> AWSError:
    """CreateInferenceExperiment on an endpoint that has one."""
    return AWSError("ResourceInUse", f"Endpoint {endpoint} is used by inference experiment {experiment}.")


def no_objects(uri: str, region: str, role: str) -> AWSError:
    """CreateTrainingJob whose input is not there."""
    bucket = uri.removeprefix("s3://").partition("/")[0]
    return ValidationError(
        f'No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure that the bucket exists in '
        f"the selected region ({region}), that objects exist under that S3 prefix, and that the role "
        f'"{role}" has "s3:ListBucket" permissions on bucket "{bucket}".'
    )


def no_model_data(uri: str) -> AWSError:
    """CreateModel whose artifact is not there."""
    return ValidationError(f"Could not find model data at {uri}.")


def no_access_to_model_data(uri: str, region: str, role: str) -> AWSError:
    """CreateModel whose role may not read the artifact."""
    return ValidationError(
        f'Could not access model data at {uri}. Please ensure that the role "{role}" exists and that its trust '
        'relationship policy allows the action "sts:AssumeRole" for the service principal "sagemaker.amazonaws.com". '
        f'Also ensure that the role has "s3:GetObject" permissions and that the object is located in {region}. '
        'If your Model uses multiple models or uncompressed models, please ensure that the role has "s3:ListBucket" '
        "permission."
    )


def no_access_to_topic(topic: str, role: str) -> AWSError:
    """CreateEndpoint and UpdateEndpoint whose role may not tell what its requests came to."""
    return ValidationError(
        f'The provided role "{role}" is invalid. Please ensure the role exists, that its trust relationship policy '
        'allows the action "sts:AssumeRole" for the service principal "sagemaker.amazonaws.com", and has "sns:Publish" '
        f'permissions for topic "{topic}".'
    )


_PULL_RIGHTS = "ecr:BatchCheckLayerAvailability, ecr:BatchGetImage, ecr:GetDownloadUrlForLayer"


def no_repository(repository: str, registry: str, role: str, hint: str) -> AWSError:
    """A Create that names an image in a repository that is not there."""
    return ValidationError(
        f"Cannot find repository: {repository} in registry ID: {registry} Please check if your ECR repository exists "
        f"and role {role} has proper pull permissions for SageMaker: {_PULL_RIGHTS} {hint}".rstrip()
    )


def no_access_to_repository(repository: str, registry: str, role: str) -> AWSError:
    """A Create whose role may not pull the image."""
    return ValidationError(
        f"Access denied for repository: {repository} in registry ID: {registry}. Please check if your ECR repository "
        f"and image exist and role {role} has proper pull permissions for SageMaker: {_PULL_RIGHTS}"
    )


def limit_exceeded(quota: str, limit: int, asked: int) -> AWSError:
    """More than this machine offers, as AWS says it of an account's quota."""
    return AWSError(
        "ResourceLimitExceeded",
        f"The account-level service limit '{quota}' is {limit} Instances, with current utilization of 0 Instances "
        f"and a request delta of {asked} Instances. Please use AWS Service Quotas to request an increase for this "
        "quota.",
    )


def not_offered(what: str) -> AWSError:
    """Something of the API that Clary does not do: refused, never ignored."""
    return ValidationError(f"{what} is not offered by Clary.")


def not_carried_out(operation: str, because: str) -> AWSError:
    """An operation that Clary does not carry out, with the reason."""
    return ValidationError(f"{operation} is not offered by Clary. {because}.")
