"""Every resource that is only kept, with all that its API model allows to be said: made, told, listed, searched,
changed and deleted. A new declaration is taken up by itself; what its model does not say of it stands in the tables
here."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from clary.errors import AWSError
from clary.services.catalogue import REGISTRY
from clary.services.resources import shaped
from clary.wire import models
from clary.wire.validation import validate

from . import asked

OPERATIONS = REGISTRY.services["sagemaker"].operations
KEPT = [
    name.removeprefix("Create")
    for name, operation in OPERATIONS.items()
    if name.startswith("Create") and operation.effect == "keeps state"
]
NOUNS = [noun for noun in KEPT if f"Describe{noun}" in OPERATIONS]
TAGS = [{"Key": "team", "Value": "a"}]
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
FEATURES = [{"FeatureName": "id", "FeatureType": "String"}, {"FeatureName": "at", "FeatureType": "String"}]

BEFORE = {
    "ImageVersion": ["Image"],
    "Space": ["Domain", "UserProfile"],
    "Trial": ["Experiment"],
    "UserProfile": ["Domain"],
    "Workteam": ["Workforce"],
}
"""What must be there."""

SAID = {
    "Algorithm": {"ValidationSpecification": None},
    "FeatureGroup": {
        "RecordIdentifierFeatureName": "id",
        "EventTimeFeatureName": "at",
        "FeatureDefinitions": FEATURES,
    },
    "ImageVersion": {"BaseImage": XGBOOST},
    "ModelCard": {"Content": "{}"},
    "ModelPackage": {
        "ModelPackageGroupName": None,
        "ValidationSpecification": None,
        "SourceAlgorithmSpecification": None,
    },
    "Pipeline": {
        "PipelineDefinition": json.dumps({"Version": "2020-12-01", "Steps": []}),
        "PipelineDefinitionS3Location": None,
    },
    "Project": {"ServiceCatalogProvisioningDetails": None, "TemplateProviders": None},
    "Workforce": {"OidcConfig": None},
}
"""Members that mean something, or exclude one another."""

SAID_THEN = {
    "ImageVersion": {"Alias": None},
    "Pipeline": {"PipelineDefinition": SAID["Pipeline"]["PipelineDefinition"], "PipelineDefinitionS3Location": None},
    "FeatureGroup": {"FeatureAdditions": [{"FeatureName": "more", "FeatureType": "Integral"}]},
    "ModelCard": {"ModelCardStatus": None, "Content": '{"a": 1}'},
    "Project": {"ServiceCatalogProvisioningUpdateDetails": None, "TemplateProvidersToUpdate": None},
    "Workforce": {"OidcConfig": None},
}
"""Of an Update."""

NAMING = {"Artifact": ["ArtifactArn"], "ImageVersion": ["ImageName", "Version"]}
"""What names one, where the model requires less."""

LEFT_OUT = ("Tags", "ToRemove", "ToDelete", "DeleteProperties")
"""How members end that are said elsewhere, or undo what others say."""


def operation(verb, noun):
    return models.operation("sagemaker", f"{verb}{noun}")


def request(verb, noun, mark, known):
    """All that the model allows, where it is known already as it is known."""
    shape = operation(verb, noun).input_shape
    means = (SAID if verb == "Create" else SAID_THEN).get(noun, {})
    members = {**asked.full(shape, mark), **{name: known[name] for name in known if name in shape.members}, **means}
    return {name: value for name, value in members.items() if value is not None and not name.endswith(LEFT_OUT)}


def is_within(part, whole):
    """Whether all that was asked for is there; what only the answer says, may be."""
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(name in whole and is_within(value, whole[name]) for name, value in part.items())
    return part == whole


class Kept:
    """One resource of a kind, and what tells it from others."""

    def __init__(self, inner, noun, known=()):
        self._inner, self.noun = inner, noun
        self.request = request("Create", noun, "a", dict(known))
        taken = "Tags" in operation("Create", noun).input_shape.members
        answer = inner("sagemaker", f"Create{noun}", **self.request, **({"Tags": TAGS} if taken else {}))
        self.tags = TAGS if taken else []
        self.known = {**dict(known), **self.request, **answer}
        self.arn = next((value for value in answer.values() if str(value).startswith("arn:")), None)
        described = self.describe()
        self.arn = self.arn or described[f"{noun}Arn"]
        self.known |= {name: described[name] for name in NAMING.get(noun, ()) if name in described}

    def naming(self, verb):
        shape = operation(verb, self.noun).input_shape
        required = shape.required_members if verb == "Describe" else NAMING.get(self.noun, shape.required_members)
        return {name: self.known.get(name, self.arn) for name in required}

    def describe(self):
        answer = self._inner("sagemaker", f"Describe{self.noun}", **self.naming("Describe"))
        return answer.get(self.noun, answer)

    def told(self, said):
        """Of what was asked for, what Describe could say, in its form."""
        shape = operation("Describe", self.noun).output_shape
        shape = shape.members.get(self.noun, shape)
        return shaped(shape, said)

    def is_listed(self):
        required = operation("List", plural(self.noun)).input_shape.required_members
        answer = self._inner("sagemaker", f"List{plural(self.noun)}", **{name: self.known[name] for name in required})
        [listed] = [value for value in answer.values() if isinstance(value, list)]
        return any(self.arn in each.values() or each.get(f"{self.noun}Name") == "a" for each in listed)


def plural(noun):
    return f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"


@pytest.fixture
def inner(emptied_inner):
    return emptied_inner


@pytest.fixture
def make(inner):
    def make(noun):
        known = {}
        for before in BEFORE.get(noun, ()):
            known = Kept(inner, before, known).known
        known = {name: value for name, value in known.items() if name.endswith(("Name", "Id"))}
        return Kept(inner, noun, known)

    return make


def refused(inner, name, **params):
    with pytest.raises(AWSError):
        inner("sagemaker", name, **params)
    return True


@pytest.mark.parametrize("noun", NOUNS)
def test_all_that_a_create_may_say_is_told_and_no_other_account_hears_it(inner, make, noun):
    kept = make(noun)
    said = kept.told(kept.request)
    found = kept.describe()
    assert {name: value for name, value in said.items() if not is_within(value, found.get(name))} == {}
    assert inner("sagemaker", "ListTags", ResourceArn=kept.arn)["Tags"] == kept.tags
    assert kept.is_listed()
    inner.principal = replace(inner.principal, account="111111111111")
    assert refused(inner, f"Describe{noun}", **kept.naming("Describe"))
    assert refused(inner, "ListTags", ResourceArn=kept.arn)
    assert noun == "ImageVersion" or not kept.is_listed()  # the image that is asked for is not there


@pytest.mark.parametrize("noun", [noun for noun in NOUNS if f"Update{noun}" in OPERATIONS])
def test_all_that_an_update_may_say_is_told_from_then_on(inner, make, noun):
    kept = make(noun)
    wanted = {**request("Update", noun, "b", {}), **kept.naming("Update")}
    inner("sagemaker", f"Update{noun}", **wanted)
    said, found = kept.told(wanted), kept.describe()
    assert {name: value for name, value in said.items() if not is_within(value, found.get(name))} == {}


@pytest.mark.parametrize("noun", [noun for noun in NOUNS if f"Delete{noun}" in OPERATIONS])
def test_what_is_deleted_is_gone_with_its_tags(inner, make, noun):
    kept = make(noun)
    inner("sagemaker", f"Delete{noun}", **kept.naming("Delete"))
    assert refused(inner, f"Describe{noun}", **kept.naming("Describe"))
    assert refused(inner, "ListTags", ResourceArn=kept.arn)
    assert not kept.is_listed()


SEARCHED = models.operation("sagemaker", "Search").input_shape.members["Resource"].enum
RECORD = models.load("sagemaker").shape_for("SearchRecord").members
FOUND = [(noun, noun if noun in SEARCHED else f"Experiment{noun}") for noun in NOUNS if noun in RECORD]


@pytest.mark.parametrize(("noun", "resource"), FOUND)
def test_what_aws_searches_is_found(inner, make, noun, resource):
    kept = make(noun)
    by_tag = {"Name": "Tags.team", "Operator": "Equals", "Value": "a"}
    answer = inner("sagemaker", "Search", Resource=resource, SearchExpression={"Filters": [by_tag]})
    assert [kept.arn in json.dumps(each, default=str) for each in answer["Results"]] == [True]


@pytest.mark.parametrize("verb", ["Create", "Update", "List"])
def test_what_breaks_the_model_is_refused_in_its_words(verb):
    """The first member that has a constraint is made to break it."""
    for noun in NOUNS:
        name = f"List{plural(noun)}" if verb == "List" else f"{verb}{noun}"
        if name in OPERATIONS:
            shape = models.operation("sagemaker", name).input_shape
            member, wrong = _breach(shape)
            with pytest.raises(AWSError, match=f"at '{member[0].lower()}{member[1:]}' failed to satisfy constraint"):
                validate(shape, {**asked.full(shape), member: wrong})


def _breach(shape):
    for name, member in shape.members.items():
        if member.type_name == "string" and (member.enum or "pattern" in member.metadata):
            wrong = " no such thing \n"
            if asked.matches(member, wrong):
                continue
            return name, wrong
        if member.type_name == "integer" and "max" in member.metadata:
            return name, int(member.metadata["max"]) + 1
    raise AssertionError(f"{shape.name} has no constraint")
