"""Two models behind one endpoint, half of the traffic each; a named variant; weights that differ."""

import collections
import time

import boto3
import sagemaker
from boston import HOUSES, csv, estimator, train_input, upload

session = sagemaker.Session()
client, runtime = boto3.client("sagemaker"), boto3.client("sagemaker-runtime")
uri = upload(session)
name = f"two-variants-{int(time.time())}"

models = []
for depth in ("2", "6"):
    trained = estimator(session, max_depth=depth)
    trained.fit(train_input(uri), logs=False)
    model = trained.create_model(name=f"{name}-{depth}")
    model.name = f"{name}-{depth}"
    container = {"Image": trained.training_image_uri(), "ModelDataUrl": trained.model_data}
    client.create_model(ModelName=model.name, ExecutionRoleArn=trained.role, PrimaryContainer=container)
    models.append(model.name)

client.create_endpoint_config(
    EndpointConfigName=name,
    ProductionVariants=[
        {
            "VariantName": variant,
            "ModelName": model,
            "InitialInstanceCount": 1,
            "InstanceType": "ml.m5.large",
            "InitialVariantWeight": 1,
        }
        for variant, model in zip(("shallow", "deep"), models)
    ],
)
client.create_endpoint(EndpointName=name, EndpointConfigName=name)
client.get_waiter("endpoint_in_service").wait(EndpointName=name)

row = csv(HOUSES.drop(columns="medv").head(1))
answers = collections.defaultdict(set)
counts = collections.Counter()
for _ in range(400):
    answer = runtime.invoke_endpoint(EndpointName=name, ContentType="text/csv", Body=row)
    counts[answer["InvokedProductionVariant"]] += 1
    answers[answer["InvokedProductionVariant"]].add(answer["Body"].read())
print(counts)
assert set(counts) == {"shallow", "deep"}, counts
assert 140 <= counts["shallow"] <= 260, "six standard deviations around one half"
assert all(len(given) == 1 for given in answers.values()) and answers["shallow"] != answers["deep"], answers

for variant in ("shallow", "deep"):
    for _ in range(10):
        answer = runtime.invoke_endpoint(EndpointName=name, ContentType="text/csv", Body=row, TargetVariant=variant)
        assert answer["InvokedProductionVariant"] == variant

described = client.describe_endpoint(EndpointName=name)
weights = {variant["VariantName"]: variant["CurrentWeight"] for variant in described["ProductionVariants"]}
assert weights == {"shallow": 1.0, "deep": 1.0}, weights

client.delete_endpoint(EndpointName=name)
client.get_waiter("endpoint_deleted").wait(EndpointName=name)
client.create_endpoint(EndpointName=name, EndpointConfigName=name)
client.get_waiter("endpoint_in_service").wait(EndpointName=name)
client.delete_endpoint(EndpointName=name)
