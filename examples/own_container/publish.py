"""From an endpoint to a web page: a Lambda function, a REST API in front of it, and the page in a bucket.

Run it after `eval "$(clary env)"`: `python publish.py ENDPOINT_NAME`; it prints the page's address. Role, function and
API are named after the endpoint.
"""

import io
import json
import os
import sys
import zipfile

import boto3
from botocore.exceptions import ClientError

HERE = os.path.dirname(os.path.abspath(__file__))
DAY = 86400


def role(name):
    """What the function may do: ask endpoints, and write its log."""
    iam = boto3.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]
    ask = {
        "Effect": "Allow",
        "Action": "sagemaker:InvokeEndpoint",
        "Resource": f"arn:aws:sagemaker:*:*:endpoint/{name}",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [ask]})
    iam.put_role_policy(RoleName=name, PolicyName="ask", PolicyDocument=document)
    iam.attach_role_policy(RoleName=name, PolicyArn="arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole")
    return made["Arn"]


def function(endpoint):
    """The function of the folder `function`, as a zip; its ARN."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(os.path.join(HERE, "function", "predict.py"), "predict.py")
    client = boto3.client("lambda")
    made = client.create_function(
        FunctionName=endpoint,
        Runtime="python3.12",
        Role=role(endpoint),
        Handler="predict.handler",
        Code={"ZipFile": packed.getvalue()},
        Timeout=30,
        MemorySize=256,
        Environment={"Variables": {"ENDPOINT_NAME": endpoint}},
    )
    client.get_waiter("function_active_v2").wait(FunctionName=endpoint)
    return made["FunctionArn"]


def rest_api(name, arn):
    """POST /predict asks the function, OPTIONS /predict tells browsers that pages of every site may; its address."""
    gateway, region = boto3.client("apigateway"), boto3.session.Session().region_name
    api = gateway.create_rest_api(name=name, endpointConfiguration={"types": ["REGIONAL"]})
    resource = gateway.create_resource(restApiId=api["id"], parentId=api["rootResourceId"], pathPart="predict")
    place = {"restApiId": api["id"], "resourceId": resource["id"]}

    gateway.put_method(**place, httpMethod="POST", authorizationType="NONE")
    gateway.put_integration(
        **place,
        httpMethod="POST",
        type="AWS_PROXY",
        integrationHttpMethod="POST",
        uri=f"arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{arn}/invocations",
    )
    account = arn.split(":")[4]
    boto3.client("lambda").add_permission(
        FunctionName=name,
        StatementId="api",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceArn=f"arn:aws:execute-api:{region}:{account}:{api['id']}/*/POST/predict",
    )
    allow_pages(gateway, place)
    gateway.create_deployment(restApiId=api["id"], stageName="prod")
    return address(gateway, api["id"], region)


def allow_pages(gateway, place):
    """CORS: what a browser asks before a page of another site may POST JSON."""
    said = {"Origin": "*", "Methods": "POST,OPTIONS", "Headers": "Content-Type"}
    names = {about: f"method.response.header.Access-Control-Allow-{about}" for about in said}
    options = {**place, "httpMethod": "OPTIONS"}
    gateway.put_method(**options, authorizationType="NONE")
    gateway.put_integration(**options, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
    gateway.put_method_response(**options, statusCode="200", responseParameters=dict.fromkeys(names.values(), True))
    gateway.put_integration_response(
        **options, statusCode="200", responseParameters={names[about]: f"'{value}'" for about, value in said.items()}
    )


def address(gateway, api, region):
    """On AWS the API has a host of its own; so it has here, below `localhost`, at Clary's port."""
    endpoint = gateway.meta.endpoint_url
    if "amazonaws.com" in endpoint:
        return f"https://{api}.execute-api.{region}.amazonaws.com/prod/predict"
    return f"http://{api}.execute-api.localhost:{endpoint.rpartition(':')[2].rstrip('/')}/prod/predict"


def page(name, api):
    """The page in a bucket, asking this API; a link to it for a day."""
    s3, account = boto3.client("s3"), boto3.client("sts").get_caller_identity()["Account"]
    bucket = f"{name}-{account}"
    try:
        s3.create_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] != "BucketAlreadyOwnedByYou":
            raise
    with open(os.path.join(HERE, "web", "index.html"), encoding="utf-8") as file:
        html = file.read().replace("API_ADDRESS", api)
    s3.put_object(Bucket=bucket, Key="index.html", Body=html.encode(), ContentType="text/html; charset=utf-8")
    return s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "index.html"}, ExpiresIn=DAY)


def main():
    name = sys.argv[1]
    api = rest_api(name, function(name))
    print("API:", api)
    print("page:", page(name, api))


if __name__ == "__main__":
    main()
