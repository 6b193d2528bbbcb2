"""AWS's "Example IAM identity-based policies"
(https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_examples.html), each asked what it says it is for, and
what it says that it keeps out. The documents are the user guide's, by their pages' names: `published_examples.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from clary.identity.grammar import check_identity_policy
from clary.identity.policy import PolicySet, Question, compile_policy, decide

EXAMPLES = json.loads(Path(__file__).with_name("published_examples.json").read_text())

ACCOUNT = "111122223333"
YES, NO, DENIED = "allowed", "implicitDeny", "explicitDeny"
ME = {"aws:username": "ann", "aws:userid": "AIDAANN"}
USER = "arn:aws:iam::111122223333:user/ann"
OTHER = "arn:aws:iam::111122223333:user/bob"
ROLE = "arn:aws:iam::111122223333:role/r"
MFA = {**ME, "aws:MultiFactorAuthPresent": "true"}
WITHOUT = {**ME, "aws:MultiFactorAuthPresent": "false"}
COGNITO = {"cognito-identity.amazonaws.com:sub": "us-east-1:7"}
GROUP = "arn:aws:iam::111122223333:group/AllUsers"


def instance(name: str = "i-1", account: str = "111122223333", region: str = "us-east-2") -> str:
    return f"arn:aws:ec2:{region}:{account}:instance/{name}"


def volume(name: str = "vol-1") -> str:
    return f"arn:aws:ec2:us-east-2:111122223333:volume/{name}"


def table(name: str) -> str:
    return f"arn:aws:dynamodb:us-east-2:111122223333:table/{name}"


def bucket(key: str = "", name: str = "bucket-name") -> str:
    return f"arn:aws:s3:::{name}{key and '/'}{key}"


Row = tuple[str, str, str, Mapping[str, str | list[str]], str]

ROWS: list[Row] = [
    ("aws-dates", "service-prefix:action-name", "*", {"aws:CurrentTime": "2020-05-01T00:00:00Z"}, YES),
    ("aws-dates", "service-prefix:action-name", "*", {"aws:CurrentTime": "2020-07-01T00:00:00Z"}, NO),
    ("aws-dates", "service-prefix:action-name", "*", {}, NO),
    ("aws-enable-disable-regions", "account:EnableRegion", "*", {"account:TargetRegion": "ap-east-1"}, YES),
    ("aws-enable-disable-regions", "account:EnableRegion", "*", {"account:TargetRegion": "me-south-1"}, NO),
    ("aws-enable-disable-regions", "account:ListRegions", "*", {}, YES),
    ("aws_deny-ip", "s3:GetObject", "*", {"aws:SourceIp": "198.51.100.1", "aws:ViaAWSService": "false"}, DENIED),
    ("aws_deny-ip", "s3:GetObject", "*", {"aws:SourceIp": "203.0.113.9", "aws:ViaAWSService": "false"}, NO),
    ("aws_deny-ip", "s3:GetObject", "*", {"aws:SourceIp": "198.51.100.1", "aws:ViaAWSService": "true"}, NO),
    ("aws_deny-requested-region", "ec2:RunInstances", "*", {"aws:RequestedRegion": "us-east-1"}, DENIED),
    ("aws_deny-requested-region", "ec2:RunInstances", "*", {"aws:RequestedRegion": "eu-west-3"}, NO),
    ("aws_deny-requested-region", "iam:GetUser", USER, {"aws:RequestedRegion": "us-east-1"}, NO),
    ("aws_mfa-dates", "service-prefix-1:x", "*", {**MFA, "aws:CurrentTime": "2017-08-01T00:00:00Z"}, YES),
    ("aws_mfa-dates", "service-prefix-1:x", "*", {**WITHOUT, "aws:CurrentTime": "2017-08-01T00:00:00Z"}, NO),
    ("aws_mfa-dates", "service-prefix-2:other", "*", {**MFA, "aws:CurrentTime": "2017-08-01T00:00:00Z"}, NO),
    ("aws_my-sec-creds-self-manage-mfa-only", "iam:EnableMFADevice", USER, ME, YES),
    ("aws_my-sec-creds-self-manage-mfa-only", "iam:EnableMFADevice", OTHER, ME, NO),
    ("aws_my-sec-creds-self-manage-mfa-only", "iam:DeactivateMFADevice", USER, WITHOUT, DENIED),
    ("aws_my-sec-creds-self-manage-mfa-only", "iam:DeactivateMFADevice", USER, MFA, YES),
    ("aws_my-sec-creds-self-manage-mfa-only", "s3:GetObject", bucket("k"), ME, DENIED),
    ("aws_my-sec-creds-self-manage-no-mfa", "iam:CreateAccessKey", USER, ME, YES),
    ("aws_my-sec-creds-self-manage-no-mfa", "iam:CreateAccessKey", OTHER, ME, NO),
    ("aws_my-sec-creds-self-manage-no-mfa", "iam:GetAccountSummary", "*", ME, YES),
    ("aws_my-sec-creds-self-manage-pass-accesskeys-ssh", "iam:UploadSSHPublicKey", USER, ME, YES),
    ("aws_my-sec-creds-self-manage-pass-accesskeys-ssh", "iam:UploadSigningCertificate", USER, ME, NO),
    ("aws_my-sec-creds-self-manage-password-only", "iam:ChangePassword", USER, ME, YES),
    ("aws_my-sec-creds-self-manage-password-only", "iam:CreateAccessKey", USER, ME, NO),
    ("aws_my-sec-creds-self-manage", "iam:CreateAccessKey", USER, MFA, YES),
    ("aws_my-sec-creds-self-manage", "iam:CreateAccessKey", USER, WITHOUT, DENIED),
    ("datapipeline_not-owned", "datapipeline:DeletePipeline", "*",
     {**ME, "datapipeline:PipelineCreator": "AIDABOB"}, DENIED),
    ("datapipeline_not-owned", "datapipeline:DeletePipeline", "*",
     {**ME, "datapipeline:PipelineCreator": "AIDAANN"}, NO),
    ("dynamodb_attributes", "dynamodb:Query", table("table-name"),
     {"dynamodb:Attributes": ["column-name-1", "column-name-3"], "dynamodb:Select": "SPECIFIC_ATTRIBUTES"}, YES),
    ("dynamodb_attributes", "dynamodb:Query", table("table-name"), {"dynamodb:Attributes": ["column-name-1", "x"]}, NO),
    ("dynamodb_attributes", "dynamodb:GetItem", table("table-name"), {"dynamodb:Attributes": ["column-name-2"]}, YES),
    ("dynamodb_attributes", "dynamodb:Query", table("table-name"),
     {"dynamodb:Attributes": ["column-name-1"], "dynamodb:Select": "ALL_ATTRIBUTES"}, NO),
    ("dynamodb_items", "dynamodb:GetItem", table("MyTable"), {**COGNITO, "dynamodb:LeadingKeys": ["us-east-1:7"]}, YES),
    ("dynamodb_items", "dynamodb:GetItem", table("MyTable"), {**COGNITO, "dynamodb:LeadingKeys": ["us-east-1:8"]}, NO),
    ("dynamodb_specific-table", "dynamodb:BatchGetItem", table("MyTable"), {}, YES),
    ("dynamodb_specific-table", "dynamodb:BatchGetItem", table("Other"), {}, NO),
    ("dynamodb_specific-table", "dynamodb:ListTables", "*", {}, YES),
    ("ec2-start-stop-match-tags", "ec2:StartInstances", instance(),
     {"aws:ResourceTag/CostCenter": "7", "aws:PrincipalTag/CostCenter": "7"}, YES),
    ("ec2-start-stop-match-tags", "ec2:StartInstances", instance(),
     {"aws:ResourceTag/CostCenter": "7", "aws:PrincipalTag/CostCenter": "8"}, NO),
    ("ec2-start-stop-match-tags", "ec2:StartInstances", instance(), {"aws:ResourceTag/CostCenter": "7"}, NO),
    ("ec2-start-stop-tags", "ec2:StopInstances", "arn:aws:ec2:region:account-id:instance/i-1",
     {"aws:ResourceTag/Project": "DataAnalytics", "aws:PrincipalTag/Department": "Data"}, YES),
    ("ec2-start-stop-tags", "ec2:StopInstances", "arn:aws:ec2:region:account-id:instance/i-1",
     {"aws:ResourceTag/Project": "DataAnalytics", "aws:PrincipalTag/Department": "data"}, NO),
    ("ec2_ebs-owner", "ec2:AttachVolume", volume(), {**ME, "aws:ResourceTag/VolumeUser": "ann"}, YES),
    ("ec2_ebs-owner", "ec2:AttachVolume", volume(), {**ME, "aws:ResourceTag/VolumeUser": "bob"}, NO),
    ("ec2_ebs-owner", "ec2:AttachVolume", instance(), {**ME, "aws:ResourceTag/Department": "Development"}, YES),
    ("ec2_instance-securitygroup", "ec2:StartInstances", instance("i-instance-id"), {}, YES),
    ("ec2_instance-securitygroup", "ec2:StartInstances", instance("i-other"), {}, NO),
    ("ec2_instance-securitygroup", "ec2:DescribeInstances", "*", {}, YES),
    ("ec2_instances-subnet", "ec2:RunInstances", "arn:aws:ec2:us-east-2::image/ami-7", {}, YES),
    ("ec2_instances-subnet", "ec2:RunInstances", "arn:aws:ec2:us-east-2:111122223333:subnet/subnet-subnet-id", {}, YES),
    ("ec2_instances-subnet", "ec2:RunInstances", "arn:aws:ec2:us-east-2:111122223333:subnet/subnet-other", {}, NO),
    ("ec2_instances-subnet", "ec2:GetConsoleOutput", instance(), {}, YES),
    ("ec2_region", "ec2:RunInstances", "*", {"ec2:Region": "us-east-2"}, YES),
    ("ec2_region", "ec2:RunInstances", "*", {"ec2:Region": "us-west-2"}, NO),
    ("ec2_require-mfa", "ec2:RunInstances", "*", ME, YES),
    ("ec2_require-mfa", "ec2:StopInstances", instance(), ME, DENIED),
    ("ec2_require-mfa", "ec2:StopInstances", instance(), MFA, YES),
    ("ec2_securitygroups-vpc", "ec2:AuthorizeSecurityGroupIngress", f"arn:aws:ec2:region:{ACCOUNT}:security-group/sg-1",
     {"aws:ResourceTag/Department": "Test"}, YES),
    ("ec2_securitygroups-vpc", "ec2:AuthorizeSecurityGroupIngress", f"arn:aws:ec2:region:{ACCOUNT}:security-group/sg-1",
     {"aws:ResourceTag/Department": "Production"}, NO),
    ("ec2_securitygroups-vpc", "ec2:DescribeTags", "*", {}, YES),
    ("ec2_tag-owner", "ec2:StartInstances", instance(), {**ME, "aws:ResourceTag/Owner": "ann"}, YES),
    ("ec2_tag-owner", "ec2:StartInstances", instance(), {**ME, "aws:ResourceTag/Owner": "Ann"}, NO),
    ("ec2_terminate-ip", "ec2:TerminateInstances", instance(), {"aws:SourceIp": "192.0.2.77"}, YES),
    ("ec2_terminate-ip", "ec2:TerminateInstances", instance(), {"aws:SourceIp": "192.0.3.1"}, DENIED),
    ("ec2_volumes-instance", "ec2:AttachVolume", volume(), {"ec2:SourceInstanceARN": instance("instance-id")}, YES),
    ("ec2_volumes-instance", "ec2:AttachVolume", volume(), {"ec2:SourceInstanceARN": instance("i-2")}, NO),
    ("ec2_volumes-instance", "ec2:AttachVolume", volume(), {}, NO),
    ("iam-add-tag-user-role", "iam:TagUser", USER,
     {"aws:RequestTag/CostCenter": "A-123", "aws:TagKeys": ["CostCenter"]}, YES),
    ("iam-add-tag-user-role", "iam:TagUser", USER,
     {"aws:RequestTag/CostCenter": "C-1", "aws:TagKeys": ["CostCenter"]}, NO),
    ("iam-add-tag-user-role", "iam:TagRole", ROLE,
     {"aws:RequestTag/CostCenter": "A-123", "aws:TagKeys": ["CostCenter", "More"]}, NO),
    ("iam-add-tag", "iam:TagUser", USER,
     {"iam:ResourceTag/JobFunction": "Manager", "aws:RequestTag/Department": "Marketing",
                                          "aws:TagKeys": ["Department"]}, YES),
    ("iam-add-tag", "iam:TagUser", USER,
     {"iam:ResourceTag/JobFunction": "Clerk", "aws:RequestTag/Department": "Marketing",
                                          "aws:TagKeys": ["Department"]}, NO),
    ("iam-assume-tagged-role", "sts:AssumeRole", ROLE, {"iam:ResourceTag/Project": "ExampleCorpABC"}, YES),
    ("iam-assume-tagged-role", "sts:AssumeRole", ROLE, {"iam:ResourceTag/Project": "ExampleCorpXYZ"}, NO),
    ("iam-credential-report", "iam:GetCredentialReport", "*", {}, YES),
    ("iam-credential-report", "iam:ListUsers", "*", {}, NO),
    ("iam-manage-tags", "iam:UntagRole", ROLE, {"aws:TagKeys": ["Department"]}, YES),
    ("iam-manage-tags", "iam:UntagRole", ROLE, {"aws:TagKeys": ["Department", "Other"]}, NO),
    ("iam-manage-tags", "iam:UntagRole", ROLE, {}, YES),
    ("iam-new-user-tag", "iam:CreateUser", USER, {}, YES),
    ("iam-new-user-tag", "iam:CreateUser", USER,
     {"aws:RequestTag/Department": "Development", "aws:RequestTag/JobFunction": "Employee",
      "aws:TagKeys": ["Department", "JobFunction"]}, YES),
    ("iam-new-user-tag", "iam:CreateUser", USER,
     {"aws:RequestTag/Department": "HR", "aws:TagKeys": ["Department"]}, NO),
    ("iam-passrole-service", "iam:PassRole", ROLE, {"iam:PassedToService": "cloudwatch.amazonaws.com"}, YES),
    ("iam-passrole-service", "iam:PassRole", ROLE, {"iam:PassedToService": "sagemaker.amazonaws.com"}, NO),
    ("iam-passrole-service", "iam:PassRole", ROLE, {}, NO),
    ("iam_credentials_console", "iam:UpdateAccessKey", USER, ME, YES),
    ("iam_credentials_console", "iam:ResetServiceSpecificCredential", USER, ME, YES),
    ("iam_credentials_console", "iam:UpdateAccessKey", OTHER, ME, NO),
    ("iam_limit-managed", "iam:AttachUserPolicy", USER,
     {"iam:PolicyARN": "arn:aws:iam::111122223333:policy/policy-name-1"}, YES),
    ("iam_limit-managed", "iam:AttachUserPolicy", USER,
     {"iam:PolicyARN": "arn:aws:iam::aws:policy/AdministratorAccess"}, NO),
    ("iam_manage-group-membership", "iam:AddUserToGroup", "arn:aws:iam::111122223333:group/MarketingTeam", {}, YES),
    ("iam_manage-group-membership", "iam:AddUserToGroup", "arn:aws:iam::111122223333:group/Admins", {}, NO),
    ("iam_mfa-selfmanage", "iam:DeactivateMFADevice", USER, MFA, YES),
    ("iam_mfa-selfmanage", "iam:DeactivateMFADevice", USER, WITHOUT, DENIED),
    ("iam_mfa-selfmanage", "iam:EnableMFADevice", USER, WITHOUT, YES),
    ("iam_mfa-selfmanage", "s3:GetObject", bucket("k"), ME, DENIED),
    ("iam_multiple-services-console", "s3:GetObject", bucket("k", "mine"), ME, YES),
    ("iam_multiple-services-console", "s3:GetObject", bucket("k", "logs"), ME, DENIED),
    ("iam_multiple-services-console", "ec2:TerminateInstances", instance("i-1234567890abcdef0"), ME, DENIED),
    ("iam_multiple-services-console", "iam:UpdateLoginProfile", USER, ME, YES),
    ("iam_multiple-services-console", "iam:UpdateLoginProfile", OTHER, ME, NO),
    ("iam_policy-sim-console", "iam:GetRolePolicy", ROLE, {}, YES),
    ("iam_policy-sim-console", "iam:PutRolePolicy", ROLE, {}, NO),
    ("iam_policy-sim-path-console", "iam:GetUser", "arn:aws:iam::111122223333:user/Department/Development/ann",
     {}, YES),
    ("iam_policy-sim-path-console", "iam:GetUser", USER, {}, NO),
    ("iam_policy-sim-path", "iam:SimulatePrincipalPolicy", "arn:aws:iam::111122223333:user/Department/Development/a",
     {}, YES),
    ("iam_policy-sim-path", "iam:SimulatePrincipalPolicy", "arn:aws:iam::111122223333:user/Department/Sales/a", {}, NO),
    ("iam_policy-sim", "iam:SimulateCustomPolicy", "*", {}, YES),
    ("iam_policy-sim", "iam:GetUser", USER, {}, NO),
    ("iam_read-only-console-no-reporting", "iam:ListRoles", "*", {}, YES),
    ("iam_read-only-console-no-reporting", "iam:GenerateCredentialReport", "*", {}, NO),
    ("iam_read-only-console", "iam:GenerateCredentialReport", "*", {}, YES),
    ("iam_read-only-console", "iam:DeleteUser", USER, {}, NO),
    ("iam_service-accessed-data-orgs", "organizations:ListRoots", "*", {}, YES),
    ("iam_service-accessed-data-orgs", "iam:GenerateOrganizationsAccessReport", "*",
     {"iam:OrganizationsPolicyId": "p-policy123"}, YES),
    ("iam_service-accessed-data-orgs", "iam:GenerateOrganizationsAccessReport", "*",
     {"iam:OrganizationsPolicyId": "p-x"}, NO),
    ("iam_set-account-pass-policy", "iam:UpdateAccountPasswordPolicy", "*", {}, YES),
    ("iam_set-account-pass-policy", "iam:DeleteAccountPasswordPolicy", "*", {}, NO),
    ("iam_users-manage-group", "iam:ListGroups", "*", ME, YES),
    ("iam_users-manage-group", "iam:GetGroup", GROUP, ME, YES),
    ("iam_users-manage-group", "iam:AddUserToGroup", GROUP, ME, DENIED),
    ("iam_users-manage-group", "iam:AddUserToGroup", GROUP, {"aws:username": "mjackson"}, YES),
    ("lambda-access-dynamodb", "dynamodb:Scan", table("SampleTable"), {}, YES),
    ("lambda-access-dynamodb", "dynamodb:DeleteTable", table("SampleTable"), {}, NO),
    ("rds_db-console", "rds:CreateDBSnapshot", "*", {}, YES),
    ("rds_db-console", "rds:DeleteDBInstance", "*", {}, NO),
    ("rds_region", "rds:CreateDBInstance", "arn:aws:rds:region:111122223333:db:mine", {}, YES),
    ("rds_region", "rds:CreateDBInstance", "arn:aws:rds:elsewhere:111122223333:db:mine", {}, NO),
    ("rds_region", "rds:DescribeDBInstances", "*", {}, YES),
    ("rds_tag-owner", "rds:RebootDBInstance", "*", {**ME, "rds:db-tag/Owner": "ANN"}, YES),
    ("rds_tag-owner", "rds:RebootDBInstance", "*", {**ME, "rds:db-tag/Owner": "bob"}, NO),
    ("resource_account_data_exch", "ec2:RunInstances", "*", {"aws:ResourceAccount": "999999999999"}, DENIED),
    ("resource_account_data_exch", "ec2:RunInstances", "*", {"aws:ResourceAccount": "111122223333"}, NO),
    ("resource_account_data_exch", "s3:GetObject", bucket("k"), {"aws:ResourceAccount": "999999999999"}, DENIED),
    ("resource_account_data_exch", "s3:GetObject", bucket("k"),
     {"aws:ResourceAccount": "999999999999", "aws:CalledVia": ["dataexchange.amazonaws.com"]}, NO),
    ("s3_cognito-bucket", "s3:ListBucket", bucket(),
     {**COGNITO, "s3:prefix": "cognito/application-name/us-east-1:7/x"}, YES),
    ("s3_cognito-bucket", "s3:ListBucket", bucket(),
     {**COGNITO, "s3:prefix": "cognito/application-name/us-east-1:8/"}, NO),
    ("s3_cognito-bucket", "s3:PutObject", bucket("cognito/application-name/us-east-1:7/k"), COGNITO, YES),
    ("s3_cognito-bucket", "s3:PutObject", bucket("cognito/application-name/us-east-1:8/k"), COGNITO, NO),
    ("s3_cognito-bucket", "s3:PutObject", bucket("cognito/application-name//k"), {}, NO),
    ("s3_deny-except-bucket", "s3:PutObject", bucket("k"), {}, YES),
    ("s3_deny-except-bucket", "s3:PutObject", bucket("k", "other"), {}, NO),
    ("s3_deny-except-bucket", "ec2:RunInstances", instance(), {}, DENIED),
    ("s3_federated-home-directory-console", "s3:GetObject", bucket("home/AIDAANN/k"), ME, YES),
    ("s3_federated-home-directory-console", "s3:GetObject", bucket("home/AIDABOB/k"), ME, NO),
    ("s3_federated-home-directory-console", "s3:ListBucket", bucket(), {**ME, "s3:prefix": ""}, YES),
    ("s3_full-access-except-production", "s3:GetObject", bucket("k", "any"), {"aws:MultiFactorAuthAge": "9999"}, YES),
    ("s3_full-access-except-production", "s3:GetObject", bucket("k", "Production"),
     {"aws:MultiFactorAuthAge": "1801"}, DENIED),
    ("s3_full-access-except-production", "s3:GetObject", bucket("k", "Production"),
     {"aws:MultiFactorAuthAge": "1800"}, YES),
    ("s3_full-access-except-production", "s3:GetObject", bucket("k", "Production"), {}, DENIED),
    ("s3_home-directory-console", "s3:DeleteObject", bucket("home/ann/k"), ME, YES),
    ("s3_home-directory-console", "s3:DeleteObject", bucket("home/anna/k"), ME, NO),
    ("s3_home-directory-console", "s3:ListBucket", bucket(), {**ME, "s3:prefix": "home/ann/photos"}, YES),
    ("s3_home-directory-console", "s3:ListBucket", bucket(), {**ME, "s3:prefix": "home/bob/"}, NO),
    ("s3_rw-bucket-console", "s3:GetObject", bucket("k"), {}, YES),
    ("s3_rw-bucket-console", "s3:GetObjectAcl", bucket("k"), {}, NO),
    ("s3_rw-bucket-console", "s3:ListAllMyBuckets", "*", {}, YES),
    ("s3_rw-bucket", "s3:DeleteObject", bucket("k"), {}, YES),
    ("s3_rw-bucket", "s3:DeleteObject", bucket("k", "other"), {}, NO),
    ("s3_rw-bucket", "s3:DeleteBucket", bucket(), {}, NO),
]  # fmt: skip


@pytest.mark.parametrize(("name", "action", "resource", "context", "expected"), ROWS)
def test_an_example_decides_as_its_page_says(
    name: str, action: str, resource: str, context: Mapping[str, str | list[str]], expected: str
) -> None:
    own = PolicySet(compile_policy(EXAMPLES[name], name))
    keys = {key.lower(): tuple([value] if isinstance(value, str) else value) for key, value in context.items()}
    assert decide(Question(action, resource, lambda: keys), own).effect == expected


def test_every_example_is_asked_for_both_outcomes() -> None:
    for name in EXAMPLES:
        effects = {row[4] for row in ROWS if row[0] == name}
        assert len(effects) > 1, name


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_is_a_policy(name: str) -> None:
    assert check_identity_policy(json.dumps(EXAMPLES[name]))
