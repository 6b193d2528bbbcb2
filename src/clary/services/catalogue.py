"""All services that Clary offers: a new one is a folder and a line here. Its operations are read when one is asked for
(docs/decisions/0077)."""

from __future__ import annotations

from clary.services.apigateway.service import SERVICE as APIGATEWAY
from clary.services.apigatewayv2.service import SERVICE as APIGATEWAYV2
from clary.services.applicationautoscaling.service import SERVICE as APPLICATION_AUTOSCALING
from clary.services.cloudwatch.service import SERVICE as CLOUDWATCH
from clary.services.ec2.service import SERVICE as EC2
from clary.services.ecr.service import SERVICE as ECR
from clary.services.iam.service import SERVICE as IAM
from clary.services.kms.service import SERVICE as KMS
from clary.services.lambda_.service import SERVICE as LAMBDA
from clary.services.logs.service import SERVICE as LOGS
from clary.services.organizations.service import SERVICE as ORGANIZATIONS
from clary.services.registry import Registry
from clary.services.s3.service import SERVICE as S3
from clary.services.s3control.service import SERVICE as S3CONTROL
from clary.services.sagemaker.service import SERVICE as SAGEMAKER
from clary.services.sagemaker_metrics.service import SERVICE as SAGEMAKER_METRICS
from clary.services.sagemaker_runtime.service import SERVICE as SAGEMAKER_RUNTIME
from clary.services.secretsmanager.service import SERVICE as SECRETSMANAGER
from clary.services.sns.service import SERVICE as SNS
from clary.services.sqs.service import SERVICE as SQS
from clary.services.ssm.service import SERVICE as SSM
from clary.services.sts.service import SERVICE as STS
from clary.services.tagging.service import SERVICE as TAGGING

REGISTRY = Registry(
    (
        SAGEMAKER,
        SAGEMAKER_METRICS,
        SAGEMAKER_RUNTIME,
        S3,
        S3CONTROL,
        STS,
        IAM,
        LOGS,
        CLOUDWATCH,
        APPLICATION_AUTOSCALING,
        APIGATEWAY,
        APIGATEWAYV2,
        EC2,
        ECR,
        KMS,
        LAMBDA,
        ORGANIZATIONS,
        SECRETSMANAGER,
        SNS,
        SQS,
        SSM,
        TAGGING,
    )
)
"""Every service with every operation that is offered."""
