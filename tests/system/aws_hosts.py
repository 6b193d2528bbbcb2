"""A program that knows nothing of Clary and everything of AWS: hosts, signatures and TLS by the standard library alone.

It is run in containers; what it prints is what tests look at.
"""

PROGRAM = """\
#!/usr/bin/env python3
import datetime, hashlib, hmac, http.client, json, os, socket, ssl, sys, urllib.error, urllib.parse, urllib.request


def sign(keys, method, host, path, body, service, headers):
    now = datetime.datetime.now(datetime.timezone.utc)
    stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    digest = hashlib.sha256(body).hexdigest()
    told = {"host": host, "x-amz-date": stamp, "x-amz-content-sha256": digest, **headers}
    if keys.get("Token"):
        told["x-amz-security-token"] = keys["Token"]
    names = ";".join(sorted(told))
    lines = "".join(name + ":" + told[name] + "\\n" for name in sorted(told))
    asked = "\\n".join([method, path, "", lines, names, digest])
    scope = day + "/us-east-1/" + service + "/aws4_request"
    text = "\\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(asked.encode()).hexdigest()])
    key = ("AWS4" + keys["SecretAccessKey"]).encode()
    for word in (*scope.split("/"), text):
        key = hmac.new(key, word.encode(), hashlib.sha256).digest()
    credential = "AWS4-HMAC-SHA256 Credential=" + keys["AccessKeyId"] + "/" + scope
    del told["host"]
    return {**told, "Authorization": credential + ", SignedHeaders=" + names + ", Signature=" + key.hex()}


def proxied(host):
    proxy = urllib.parse.urlsplit(os.environ["HTTPS_PROXY"])
    connection = http.client.HTTPSConnection(proxy.hostname, proxy.port, timeout=60)
    connection.set_tunnel(host, 443)
    return connection


def ask(keys, method, host, path, body, service, headers=()):
    headers = sign(keys, method, host, path, body, service, dict(headers))
    connection = proxied(host)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    return answer.status, data


def main():
    request = urllib.request.Request(
        os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"],
        headers={"Authorization": os.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN"]},
    )
    keys = json.load(urllib.request.urlopen(request, timeout=60))
    for name in ("AWS_ENDPOINT_URL", "S3_ENDPOINT_URL", "PYTHONPATH"):
        os.environ.pop(name, None)
    form = b"Action=GetCallerIdentity&Version=2011-06-15"
    plain = {"content-type": "application/x-www-form-urlencoded"}
    sts = "sts.us-east-1.amazonaws.com"
    signed = sign(keys, "POST", sts, "/", form, "sts", plain)
    said = urllib.request.urlopen(urllib.request.Request("https://" + sts + "/", form, signed), timeout=60).read()
    print("urllib:", said.decode().partition("<Arn>")[2].partition("</Arn>")[0])
    wrong = {**keys, "SecretAccessKey": "wrong"}
    print("another key:", *ask(wrong, "POST", sts, "/", form, "sts", plain.items())[:1])
    bucket = "system-tests.s3.us-east-1.amazonaws.com"
    print("put:", *ask(keys, "PUT", bucket, "/from/inside.txt", b"said inside", "s3")[:1])
    print("get:", *ask(keys, "GET", bucket, "/from/inside.txt", b"", "s3"))
    large = os.urandom(1 << 16) * 128
    print("put 8 MiB:", *ask(keys, "PUT", bucket, "/from/large", large, "s3")[:1])
    print("get 8 MiB:", ask(keys, "GET", bucket, "/from/large", b"", "s3")[1] == large)
    print("global:", *ask(keys, "GET", "s3.amazonaws.com", "/system-tests/from/inside.txt", b"", "s3"))
    json_of = {"content-type": "application/x-amz-json-1.1", "x-amz-target": "SageMaker.ListTrainingJobs"}
    status, said = ask(keys, "POST", "api.sagemaker.us-east-1.amazonaws.com", "/", b"{}", "sagemaker", json_of.items())
    print("jobs:", status, len(json.loads(said)["TrainingJobSummaries"]) > 0)
    runtime = "runtime.sagemaker.us-east-1.amazonaws.com"
    status, said = ask(keys, "POST", runtime, "/endpoints/nobody/invocations", b"1", "sagemaker")
    print("runtime:", status, "nobody" in said.decode())
    try:
        urllib.request.urlopen("https://" + bucket + "/from/inside.txt", timeout=60)
    except urllib.error.HTTPError as error:
        print("unsigned:", error.code)
    try:
        proxied("nobody.invalid").request("GET", "/")
    except OSError as error:
        print("elsewhere:", "502" in str(error))
    trusted = open(os.environ["SSL_CERT_FILE"]).read()
    print("company:", os.environ.get("COMPANY", "-") in trusted)
    print("trusted:", trusted.count("BEGIN CERTIFICATE") > 20, "PRIVATE KEY" in trusted)


def isolated():
    print("told:", sorted(name for name in os.environ if "proxy" in name.lower() or "CERT" in name))
    print("shown:", os.path.exists("/opt/clary/authorities.pem"))


isolated() if os.environ.get("ISOLATED") else main()
print("inside:", [path for path in os.environ.get("HIDDEN", "").split(":") if os.path.exists(path)])
"""

SAID = {
    "another key: 403",
    "put: 200",
    "get: 200 b'said inside'",
    "put 8 MiB: 200",
    "get 8 MiB: True",
    "global: 200 b'said inside'",
    "jobs: 200 True",
    "runtime: 400 True",
    "unsigned: 403",
    "elsewhere: True",
    "company: True",
    "trusted: True False",
    "inside: []",
}
"""What a container that is not isolated prints, and who it is besides."""

ISOLATED = {"told: []", "shown: False", "inside: []"}
