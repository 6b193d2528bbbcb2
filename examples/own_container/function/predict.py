"""The Lambda function between a web page and the endpoint: a patient as JSON comes in, a prediction goes out."""

import json
import os

import boto3

FEATURES = (
    "age",
    "anaemia",
    "creatinine_phosphokinase",
    "diabetes",
    "ejection_fraction",
    "high_blood_pressure",
    "platelets",
    "serum_creatinine",
    "serum_sodium",
    "sex",
    "smoking",
    "time",
)

runtime = boto3.client("sagemaker-runtime")


def handler(event, context):
    try:
        patient = json.loads(event["body"])
        row = ",".join(str(float(patient[name])) for name in FEATURES)
    except (KeyError, TypeError, ValueError) as error:
        return answer(400, {"message": "a number is missing or is none: %s" % error})
    said = runtime.invoke_endpoint(
        EndpointName=os.environ["ENDPOINT_NAME"], ContentType="text/csv", Accept="application/json", Body=row
    )
    return answer(200, json.load(said["Body"])[0])


def answer(status, body):
    """What a REST API hands on: pages of every site may read it."""
    headers = {"Content-Type": "application/json", "Access-Control-Allow-Origin": "*"}
    return {"statusCode": status, "headers": headers, "body": json.dumps(body)}
