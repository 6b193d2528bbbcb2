"""Repositories as clients of ECR use them. The error texts are those of moto's and Terraform's recordings of AWS."""

import json

import pytest

from tests.unit.services.ecr.pushing import POLICY_TEXT, digest, has, push, push_layer

ACCOUNT = "000000000000"
HERE = f"in the registry with id '{ACCOUNT}'"


def test_a_new_repository_is_described_as_aws_does(ecr):
    made = ecr.call(
        "CreateRepository",
        repositoryName="team/app",
        imageTagMutability="IMMUTABLE",
        imageScanningConfiguration={"scanOnPush": True},
        encryptionConfiguration={"encryptionType": "KMS"},
        tags=[{"Key": "team", "Value": "one"}],
    )["repository"]
    assert made["repositoryArn"] == f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/team/app"
    assert made["repositoryUri"] == f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/team/app"
    assert made["encryptionConfiguration"] == {"encryptionType": "KMS", "kmsKey": "alias/aws/ecr"}
    assert made["imageTagMutability"] == "IMMUTABLE"
    assert ecr.call("DescribeRepositories", repositoryNames=["team/app"])["repositories"] == [made]
    assert ecr.call("ListTagsForResource", resourceArn=made["repositoryArn"])["tags"] == [
        {"Key": "team", "Value": "one"}
    ]


def test_a_name_is_taken_once(ecr):
    assert ecr.refusal("CreateRepository", repositoryName="app") == (
        "RepositoryAlreadyExistsException",
        f"The repository with name 'app' already exists {HERE}",
    )


def test_made_twice_by_one_call_that_was_tried_again_is_made_once(inner, ecr):
    inner.invocation_id = "one-call"
    first = ecr.call("CreateRepository", repositoryName="again")
    assert ecr.call("CreateRepository", repositoryName="again") == first


@pytest.mark.parametrize(
    ("operation", "more"),
    [
        ("DeleteRepository", {}),
        ("DescribeImages", {}),
        ("InitiateLayerUpload", {}),
        ("GetLifecyclePolicy", {}),
        ("PutImageTagMutability", {"imageTagMutability": "MUTABLE"}),
    ],
)
def test_what_is_not_there_is_named(ecr, operation, more):
    assert ecr.refusal(operation, repositoryName="nothing", **more) == (
        "RepositoryNotFoundException",
        f"The repository with name 'nothing' does not exist {HERE}",
    )


def test_pages_in_order_of_the_names(ecr):
    for name in ("b", "c", "a"):
        ecr.call("CreateRepository", repositoryName=f"x/{name}")
    first = ecr.call("DescribeRepositories", maxResults=2)
    rest = ecr.call("DescribeRepositories", maxResults=2, nextToken=first["nextToken"])
    names = [each["repositoryName"] for page in (first, rest) for each in page["repositories"]]
    assert names == ["app", "x/a", "x/b", "x/c"]
    assert "nextToken" not in rest


def test_one_with_images_is_deleted_only_by_force_and_takes_everything_along(inner, ecr):
    push(ecr, "one", "latest")
    upload = ecr.call("InitiateLayerUpload", repositoryName="app")["uploadId"]
    ecr.call(
        "UploadLayerPart", repositoryName="app", uploadId=upload, partFirstByte=0, partLastByte=0, layerPartBlob=b"x"
    )
    assert ecr.refusal("DeleteRepository", repositoryName="app") == (
        "RepositoryNotEmptyException",
        (
            f"The repository with name 'app' in registry with id '{ACCOUNT}' cannot be deleted because it still "
            "contains images"
        ),
    )
    ecr.call("DeleteRepository", repositoryName="app", force=True)
    assert list(inner.objects.list("ecr/layers")) == []
    ecr.call("CreateRepository", repositoryName="app")
    assert ecr.call("ListImages", repositoryName="app")["imageIds"] == []
    assert not has(ecr, digest(b"config"))


def test_deleting_one_leaves_those_whose_names_begin_alike(ecr):
    ecr.call("CreateRepository", repositoryName="app-2")
    layer = push_layer(ecr, b"kept", "app-2")
    ecr.call("DeleteRepository", repositoryName="app")
    assert has(ecr, layer, "app-2")


def test_tags_of_a_repository_come_and_go(ecr):
    arn = f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/app"
    ecr.call("TagResource", resourceArn=arn, tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    ecr.call("UntagResource", resourceArn=arn, tagKeys=["a"])
    assert ecr.call("ListTagsForResource", resourceArn=arn)["tags"] == [{"Key": "b", "Value": "2"}]
    assert ecr.refusal("TagResource", resourceArn=arn, tags=[{"Key": "aws:x", "Value": ""}])[0] == (
        "InvalidTagParameterException"
    )


def test_policies_are_kept_and_checked(ecr):
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*"}]})
    assert ecr.refusal("GetRepositoryPolicy", repositoryName="app") == (
        "RepositoryPolicyNotFoundException",
        f"Repository policy does not exist for the repository with name 'app' {HERE}",
    )
    assert ecr.refusal("SetRepositoryPolicy", repositoryName="app", policyText="{}") == (
        "InvalidParameterException",
        "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'",
    )
    ecr.call("SetRepositoryPolicy", repositoryName="app", policyText=policy)
    assert ecr.call("GetRepositoryPolicy", repositoryName="app")["policyText"] == policy
    assert ecr.call("DeleteRepositoryPolicy", repositoryName="app")["policyText"] == policy
    assert ecr.refusal("DeleteRepositoryPolicy", repositoryName="app")[0] == "RepositoryPolicyNotFoundException"


def test_a_lifecycle_policy_is_kept_and_told(ecr):
    assert ecr.refusal("GetLifecyclePolicy", repositoryName="app") == (
        "LifecyclePolicyNotFoundException",
        f"Lifecycle policy does not exist for the repository with name 'app' {HERE}",
    )
    ecr.call("PutLifecyclePolicy", repositoryName="app", lifecyclePolicyText=POLICY_TEXT)
    assert ecr.call("GetLifecyclePolicy", repositoryName="app")["lifecyclePolicyText"] == POLICY_TEXT
    ecr.call("DeleteLifecyclePolicy", repositoryName="app")
    assert ecr.refusal("GetLifecyclePolicy", repositoryName="app")[0] == "LifecyclePolicyNotFoundException"


def test_the_right_that_each_call_needs_names_the_repository(inner, ecr):
    inner.authorizer.needed.clear()
    ecr.call("ListImages", repositoryName="app")
    ecr.call("GetAuthorizationToken")
    needed = [(access.action, access.resource) for access in inner.authorizer.needed]
    assert needed == [
        ("ecr:ListImages", f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/app"),
        ("ecr:GetAuthorizationToken", "*"),
    ]
