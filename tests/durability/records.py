"""CloudWatch Logs and metrics, and what SageMaker keeps."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from tests.durability.witness import Doubtful, Hand, Idle, Register, answered
from tests.running import RunningClary

GROUP = "/players"
LINES = ("one line", "two\nlines", "three\n\nlines", "x" * 3000, "ü" * 500)
MOST = 400
"""Events of a stream, before it is deleted and made again."""


class Logs(Hand):
    """One stream. Of a batch that was lost, the first events may be there, each whole."""

    def __init__(self, clary: RunningClary, seed: str, number: int) -> None:
        super().__init__(clary, seed)
        self._logs = clary.client("logs")
        self._group = f"{GROUP}/{number}"
        self._logs.create_log_group(logGroupName=self._group)
        self._where = {"logGroupName": self._group, "logStreamName": "stream"}
        self._stream = Register(f"the stream of {self._group}", first=False)
        self._events: list[str] = []
        self._perhaps: list[str] = []

    def steps(self) -> Sequence[Callable[[], None]]:
        return (self._put, self._put, self._put, self._put, self._renew)

    def check(self) -> None:
        streams = self._logs.describe_log_streams(logGroupName=self._group)["logStreams"]
        self._stream.is_(bool(streams))
        found = self._all() if streams else []
        if not streams or (not found and self._stream.allowed == [True] and not self._events):
            self._events, self._perhaps = [], []
        there = len(self._events)
        assert found[:there] == self._events, "events were lost, or are not whole"
        assert found[there:] == self._perhaps[: len(found) - there], "events that nobody has put, or that are not whole"
        self._events, self._perhaps = found, []

    def _put(self) -> None:
        if self._stream.lost or self._perhaps:
            raise Idle
        if not self._stream.state:
            self._stream.becomes(True, self._logs.create_log_stream, **self._where)
        events = [f"{self.fresh()} {self.chance.choice(LINES)}" for _ in range(self.chance.choice((1, 3, 20)))]
        now = round(time.time() * 1000)
        batch = [{"timestamp": now, "message": event} for event in events]
        try:
            answered(self._logs.put_log_events, **self._where, logEvents=batch)
        except Doubtful:
            self._perhaps = events
            raise
        self._events += events

    def _renew(self) -> None:
        """What a deleted stream had said is gone."""
        if self._stream.lost or self._perhaps or len(self._events) < MOST:
            raise Idle
        self._stream.becomes(False, self._logs.delete_log_stream, **self._where)
        self._events = []

    def _all(self) -> list[str]:
        found: list[str] = []
        token: dict[str, str] = {}
        while True:
            page = self._logs.get_log_events(**self._where, startFromHead=True, **token)
            if not page["events"]:
                return found
            found += [each["message"] for each in page["events"]]
            token = {"nextToken": page["nextForwardToken"]}


class Groups(Hand):
    """Log groups. State of one: None, or what its stream has said, '' where it has said nothing."""

    def __init__(self, clary: RunningClary, seed: str, number: int) -> None:
        super().__init__(clary, seed)
        self._logs = clary.client("logs")
        self._prefix = f"{GROUP}-{number}/"
        self._groups = [Register(f"{self._prefix}{each}") for each in range(4)]

    def steps(self) -> Sequence[Callable[[], None]]:
        return (self._create, self._say, self._say, self._delete, self._delete_stream)

    def check(self) -> None:
        listed = self._logs.describe_log_groups(logGroupNamePrefix=self._prefix)["logGroups"]
        there = {each["logGroupName"] for each in listed}
        for group in self._groups:
            group.is_(self._seen(group.name) if group.name in there else None)

    def _seen(self, name: str) -> str:
        if not self._logs.describe_log_streams(logGroupName=name)["logStreams"]:
            return ""
        said = self._logs.get_log_events(logGroupName=name, logStreamName="s", startFromHead=True)["events"]
        return "".join(each["message"] for each in said)

    def _create(self) -> None:
        group = self.one_of(self._groups, there=False)
        group.becomes("", self._logs.create_log_group, logGroupName=group.name)

    def _say(self) -> None:
        group = self.one_of(self._groups, there=True)
        where = {"logGroupName": group.name, "logStreamName": "s"}
        with suppress(self._logs.exceptions.ResourceAlreadyExistsException):
            answered(self._logs.create_log_stream, **where)
        text = self.fresh()
        event = {"timestamp": round(time.time() * 1000), "message": text}
        group.becomes(group.state + text, self._logs.put_log_events, **where, logEvents=[event])

    def _delete(self) -> None:
        group = self.one_of(self._groups, there=True)
        group.becomes(None, self._logs.delete_log_group, logGroupName=group.name)

    def _delete_stream(self) -> None:
        group = self.one_of(self._groups, there=True)
        if group.state:
            group.becomes("", self._logs.delete_log_stream, logGroupName=group.name, logStreamName="s")


class Metrics(Hand):
    """Each call puts a value to two metrics; both have as many as were acknowledged."""

    def __init__(self, clary: RunningClary, seed: str, number: int) -> None:
        super().__init__(clary, seed)
        self._cloudwatch = clary.client("cloudwatch")
        self._namespace = f"Players/{number}"
        self._put_values = 0
        self._perhaps = 0
        self._alarm = Register(f"alarm-{number}")

    def steps(self) -> Sequence[Callable[[], None]]:
        return (self._put, self._put, self._put, self._put_alarm, self._delete_alarm)

    def check(self) -> None:
        one, two = (self._count(name) for name in ("one", "two"))
        assert one == two, f"half of a call was kept: {one} and {two}"
        assert self._put_values <= one <= self._put_values + self._perhaps, (self._put_values, self._perhaps, one)
        self._put_values, self._perhaps = one, 0
        alarms = self._cloudwatch.describe_alarms(AlarmNames=[self._alarm.name])["MetricAlarms"]
        self._alarm.is_(alarms[0]["Threshold"] if alarms else None)

    def _count(self, name: str) -> int:
        end = datetime.now(UTC) + timedelta(minutes=2)
        points = self._cloudwatch.get_metric_statistics(
            Namespace=self._namespace, MetricName=name, StartTime=end - timedelta(hours=20), EndTime=end, Period=86_400,
            Statistics=["SampleCount"],
        )["Datapoints"]  # fmt: skip
        return round(sum(each["SampleCount"] for each in points))

    def _put(self) -> None:
        data = [{"MetricName": name, "Value": self.chance.random()} for name in ("one", "two")]
        try:
            answered(self._cloudwatch.put_metric_data, Namespace=self._namespace, MetricData=data)
        except Doubtful:
            self._perhaps += 1
            raise
        self._put_values += 1

    def _put_alarm(self) -> None:
        alarm, threshold = self.one_of([self._alarm]), float(self.chance.randrange(10**6))
        alarm.becomes(
            threshold, self._cloudwatch.put_metric_alarm, AlarmName=alarm.name, Namespace=self._namespace,
            MetricName="one", Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=threshold,
            ComparisonOperator="GreaterThanThreshold",
        )  # fmt: skip

    def _delete_alarm(self) -> None:
        alarm = self.one_of([self._alarm], there=True)
        alarm.becomes(None, self._cloudwatch.delete_alarms, AlarmNames=[alarm.name])


class Kept(Hand):
    """SageMaker's contexts and endpoint configurations. State: None, or what it says and its tag."""

    def __init__(self, clary: RunningClary, seed: str, number: int) -> None:
        super().__init__(clary, seed)
        self._sagemaker = clary.client("sagemaker")
        self._contexts = [Register(f"context-{number}-{each}") for each in range(3)]
        self._models = [Register(f"model-{number}-{each}") for each in range(3)]
        self._role = clary.role_arn

    def steps(self) -> Sequence[Callable[[], None]]:
        return (self._create, self._update, self._tag, self._delete, self._create_model, self._delete_model)

    def check(self) -> None:
        contexts = {each["ContextName"]: each["ContextArn"] for each in self._contexts_listed()}
        for context in self._contexts:
            context.is_(self._seen(context.name, contexts.get(context.name)))
        models = {each["ModelName"]: each["ModelArn"] for each in self._models_listed()}
        for model in self._models:
            arn = models.get(model.name)
            model.is_(self._tag_of(arn) if arn else None)

    def _create(self) -> None:
        context = self.one_of(self._contexts, there=False)
        said, tag = self.fresh(), self.fresh()
        source = {"SourceUri": "s3://players/context"}
        context.becomes(
            (said, tag), self._sagemaker.create_context, ContextName=context.name, Source=source, ContextType="T",
            Description=said, Tags=[{"Key": "t", "Value": tag}],
        )  # fmt: skip

    def _update(self) -> None:
        context = self.one_of(self._contexts, there=True)
        said, (_, tag) = self.fresh(), context.state
        update = self._sagemaker.update_context
        context.becomes((said, tag), update, ContextName=context.name, Description=said)

    def _tag(self) -> None:
        context = self.one_of(self._contexts, there=True)
        (said, _), tag = context.state, self.fresh()
        arn = answered(self._sagemaker.describe_context, ContextName=context.name)["ContextArn"]
        tags = [{"Key": "t", "Value": tag}]
        context.becomes((said, tag), self._sagemaker.add_tags, ResourceArn=arn, Tags=tags)

    def _delete(self) -> None:
        context = self.one_of(self._contexts, there=True)
        context.becomes(None, self._sagemaker.delete_context, ContextName=context.name)

    def _create_model(self) -> None:
        model = self.one_of(self._models, there=False)
        tag = self.fresh()
        image = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
        model.becomes(
            tag, self._sagemaker.create_model, ModelName=model.name, ExecutionRoleArn=self._role,
            PrimaryContainer={"Image": image}, Tags=[{"Key": "t", "Value": tag}],
        )  # fmt: skip

    def _delete_model(self) -> None:
        model = self.one_of(self._models, there=True)
        model.becomes(None, self._sagemaker.delete_model, ModelName=model.name)

    def _contexts_listed(self) -> list[dict[str, str]]:
        return [each for page in self._sagemaker.get_paginator("list_contexts").paginate()
                for each in page["ContextSummaries"]]  # fmt: skip

    def _models_listed(self) -> list[dict[str, str]]:
        return [each for page in self._sagemaker.get_paginator("list_models").paginate() for each in page["Models"]]

    def _seen(self, name: str, arn: str | None) -> tuple[str, str] | None:
        if arn is None:
            return None
        return self._sagemaker.describe_context(ContextName=name)["Description"], self._tag_of(arn)

    def _tag_of(self, arn: str) -> str:
        [tag] = self._sagemaker.list_tags(ResourceArn=arn)["Tags"]
        value: str = tag["Value"]
        return value
