"""EC2's describe calls. Texts are AWS's, as recorded in public test suites."""

import pytest

from clary.services.catalogue import REGISTRY
from clary.services.ec2.filters import like
from clary.wire import models

OFFERED = sorted(REGISTRY.services["ec2"].operations)


@pytest.fixture
def ec2(shared_inner):
    return shared_inner.service("ec2")


def test_every_region_has_a_default_vpc_with_a_subnet_in_each_zone(ec2):
    (vpc,) = ec2.call("DescribeVpcs", Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    assert (vpc["CidrBlock"], vpc["OwnerId"], vpc["State"]) == ("172.31.0.0/16", "000000000000", "available")
    mine = [{"Name": "vpc-id", "Values": [vpc["VpcId"]]}]
    subnets = ec2.call("DescribeSubnets", Filters=mine)["Subnets"]
    assert [each["AvailabilityZone"] for each in subnets] == [f"us-east-1{letter}" for letter in "abcdef"]
    assert [each["CidrBlock"] for each in subnets[:2]] == ["172.31.0.0/20", "172.31.16.0/20"]
    assert subnets[0]["AvailableIpAddressCount"] == 4091
    assert len({each["SubnetId"] for each in subnets}) == 6
    (group,) = ec2.call("DescribeSecurityGroups", GroupNames=["default"], Filters=mine)["SecurityGroups"]
    assert group["IpPermissions"][0]["UserIdGroupPairs"][0]["GroupId"] == group["GroupId"]
    main = [*mine, {"Name": "association.main", "Values": ["true"]}]
    (table,) = ec2.call("DescribeRouteTables", Filters=main)["RouteTables"]
    (gateway,) = ec2.call("DescribeInternetGateways")["InternetGateways"]
    assert [route["GatewayId"] for route in table["Routes"]] == ["local", gateway["InternetGatewayId"]]
    (acl,) = ec2.call("DescribeNetworkAcls", Filters=mine)["NetworkAcls"]
    assert {each["SubnetId"] for each in acl["Associations"]} == {each["SubnetId"] for each in subnets}
    (options,) = ec2.call("DescribeDhcpOptions", DhcpOptionsIds=[vpc["DhcpOptionsId"]])["DhcpOptions"]
    assert options["DhcpConfigurations"][0]["Values"] == [{"Value": "ec2.internal"}]
    rules = ec2.call("DescribeSecurityGroupRules", Filters=[{"Name": "group-id", "Values": [group["GroupId"]]}])
    assert [each["IsEgress"] for each in rules["SecurityGroupRules"]] == [False, True]


def test_a_network_is_the_same_each_time_and_another_one_elsewhere(shared_inner):
    def vpc(region):
        return shared_inner("ec2", "DescribeVpcs", region=region)["Vpcs"][0]["VpcId"]

    assert vpc("eu-west-1") == vpc("eu-west-1") != vpc("us-east-1")


def test_attributes_of_a_vpc_are_a_default_ones(ec2):
    vpc = ec2.call("DescribeVpcs")["Vpcs"][0]["VpcId"]
    said = ec2.call("DescribeVpcAttribute", VpcId=vpc, Attribute="enableDnsHostnames")
    assert said == {"VpcId": vpc, "EnableDnsHostnames": {"Value": True}}
    missing = "The vpc ID 'vpc-1' does not exist"
    refused = ec2.refusal("DescribeVpcAttribute", VpcId="vpc-1", Attribute="enableDnsSupport")
    assert refused == ("InvalidVpcID.NotFound", missing)
    attributes = ec2.call("DescribeAccountAttributes", AttributeNames=["default-vpc"])["AccountAttributes"]
    assert attributes[0]["AttributeValues"] == [{"AttributeValue": vpc}]


def test_regions_are_those_of_the_partition(shared_inner):
    def regions(spoken, **params):
        return {
            each["RegionName"]: each for each in shared_inner("ec2", "DescribeRegions", spoken, **params)["Regions"]
        }

    assert len(regions("us-east-1")) == 17
    assert regions("us-east-1")["eu-west-1"]["Endpoint"] == "ec2.eu-west-1.amazonaws.com"
    assert regions("us-east-1", AllRegions=True)["ap-east-1"]["OptInStatus"] == "not-opted-in"
    assert regions("ap-east-1")["ap-east-1"]["OptInStatus"] == "opted-in"
    assert set(regions("cn-north-1")) == {"cn-north-1", "cn-northwest-1"}
    assert "my-lab" in regions("my-lab")


def test_zones_have_names_and_ids(shared_inner):
    def zones(region, **params):
        found = shared_inner("ec2", "DescribeAvailabilityZones", region, **params)["AvailabilityZones"]
        return [(each["ZoneName"], each["ZoneId"]) for each in found]

    assert zones("eu-central-1")[0] == ("eu-central-1a", "euc1-az1")
    assert zones("ap-northeast-1")[1] == ("ap-northeast-1c", "apne1-az2")
    assert zones("us-gov-west-1")[0][1] == "usgw1-az1"
    assert zones("us-west-2", ZoneNames=["us-west-2b"]) == [("us-west-2b", "usw2-az2")]
    (zone,) = shared_inner("ec2", "DescribeAvailabilityZones", ZoneNames=["us-east-1a"])["AvailabilityZones"]
    assert zone["GroupLongName"] == "US East (N. Virginia) 1"
    refused = shared_inner.refusal("ec2", "DescribeAvailabilityZones", ZoneNames=["us-east-1z"])
    assert refused == ("InvalidParameterValue", "Invalid availability zone: [us-east-1z]")


def test_instance_types_are_those_that_jobs_can_have(ec2):
    wanted = ["m5.xlarge", "m6g.large", "g5.12xlarge"]
    found = ec2.call("DescribeInstanceTypes", InstanceTypes=wanted)["InstanceTypes"]
    assert [(each["InstanceType"], each["VCpuInfo"]["DefaultVCpus"]) for each in found] == [
        ("g5.12xlarge", 48),
        ("m5.xlarge", 4),
        ("m6g.large", 2),
    ]
    assert found[0]["GpuInfo"]["Gpus"][0]["Count"] == 4
    assert found[2]["ProcessorInfo"]["SupportedArchitectures"] == ["arm64"]
    refused = ec2.refusal("DescribeInstanceTypes", InstanceTypes=["x1.16xlarge"])
    assert refused == ("InvalidInstanceType", "The following supplied instance types do not exist: [x1.16xlarge]")
    asked = [{"Name": "instance-type", "Values": ["m5.x*"]}]
    offered = ec2.call("DescribeInstanceTypeOfferings", LocationType="availability-zone", Filters=asked)
    assert len(offered["InstanceTypeOfferings"]) == 6


def test_a_list_comes_in_pages(ec2):
    first = ec2.call("DescribeSubnets", MaxResults=5)
    second = ec2.call("DescribeSubnets", MaxResults=5, NextToken=first["NextToken"])
    assert (len(first["Subnets"]), len(second["Subnets"]), "NextToken" in second) == (5, 1, False)
    assert ec2.refusal("DescribeSubnets", NextToken="§")[0] == "InvalidNextToken"
    text = "The parameter SubnetIds cannot be used with the parameter MaxResults"
    refused = ec2.refusal("DescribeSubnets", SubnetIds=["subnet-1"], MaxResults=5)
    assert refused == ("InvalidParameterCombination", text)


def test_filters_that_do_not_exist_are_refused(ec2):
    refused = ec2.refusal("DescribeVpcs", Filters=[{"Name": "colour", "Values": ["red"]}])
    assert refused == ("InvalidParameterValue", "The filter 'colour' is invalid")
    assert ec2.refusal("DescribeVpcs", Filters=[{"Values": ["red"]}])[0] == "MissingParameter"
    assert ec2.call("DescribeVpcs", Filters=[{"Name": "tag:team", "Values": ["*"]}])["Vpcs"] == []


@pytest.mark.parametrize(
    ("text", "pattern", "fits"),
    [
        ("m5.xlarge", "m5.*", True),
        ("m5.xlarge", "*.?large", True),
        ("m5.large", "*.?large", False),
        ("a*b", r"a\*b", True),
        ("axb", r"a\*b", False),
        ("", "", True),
        ("", "*", True),
        ("a", "", False),
        ("abcab", "*ab", True),
        ("a" * 5000, "*a" * 40 + "b", False),
        ("a\\", "a\\", True),
    ],
)
def test_stars_and_question_marks_stand_for_letters(text, pattern, fits):
    assert like(text, pattern) is fits


@pytest.mark.parametrize("operation", OFFERED)
def test_who_may_do_it_is_told_so_by_a_dry_run_and_it_is_not_done(ec2, operation):
    needed = {"VpcId": "vpc-1", "Attribute": "enableDnsSupport"} if operation == "DescribeVpcAttribute" else {}
    assert "DryRun" in models.operation("ec2", operation).input_shape.members
    text = "Request would have succeeded, but DryRun flag is set."
    assert ec2.refusal(operation, DryRun=True, **needed) == ("DryRunOperation", text)


def test_what_nobody_has_made_does_not_exist(ec2):
    assert ec2.call("DescribeInstances") == {"Reservations": []}
    anything = [{"Name": "instance-state-name", "Values": ["running"]}]
    assert ec2.call("DescribeInstances", Filters=anything) == {"Reservations": []}
    text = "The instance ID 'i-1' does not exist"
    assert ec2.refusal("DescribeInstances", InstanceIds=["i-1"]) == ("InvalidInstanceID.NotFound", text)
    text = "The networkInterface ID 'eni-1' does not exist"
    refused = ec2.refusal("DescribeNetworkInterfaces", NetworkInterfaceIds=["eni-1"])
    assert refused == ("InvalidNetworkInterfaceID.NotFound", text)
