"""Small images, pushed by ECR's operations alone."""

import hashlib
import json

from clary.services.ecr.manifests import OCI_INDEX, OCI_MANIFEST

POLICY_TEXT = json.dumps(
    {
        "rules": [
            {
                "rulePriority": 1,
                "description": "keep one",
                "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1},
                "action": {"type": "expire"},
            }
        ]
    }
)


def digest(data):
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def push_layer(ecr, data, repository="app", part=None):
    upload = ecr.call("InitiateLayerUpload", repositoryName=repository)["uploadId"]
    size = part or len(data)
    for first in range(0, len(data), size):
        piece = data[first : first + size]
        ecr.call(
            "UploadLayerPart",
            repositoryName=repository,
            uploadId=upload,
            partFirstByte=first,
            partLastByte=first + len(piece) - 1,
            layerPartBlob=piece,
        )
    said = digest(data)
    ecr.call("CompleteLayerUpload", repositoryName=repository, uploadId=upload, layerDigests=[said])
    return said


def has(ecr, layer, repository="app"):
    asked = ecr.call("BatchCheckLayerAvailability", repositoryName=repository, layerDigests=[layer])
    return asked["layers"][0]["layerAvailability"] == "AVAILABLE"


def manifest(*layers, **more):
    config, *rest = ({"mediaType": "application/x", "digest": digest(data), "size": len(data)} for data in layers)
    return json.dumps({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": rest, **more})


def index(*manifests):
    listed = [{"mediaType": OCI_MANIFEST, "digest": digest(m.encode()), "size": len(m)} for m in manifests]
    return json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": listed})


def push(ecr, name, tag=None, repository="app"):
    """An image that has its name in its only layer; the text of its manifest."""
    layers = (b"config", f"layer of {name}".encode())
    for layer in layers:
        if not has(ecr, digest(layer), repository):
            push_layer(ecr, layer, repository)
    text = manifest(*layers)
    put(ecr, text, tag, repository)
    return text


def put(ecr, text, tag=None, repository="app"):
    more = {"imageTag": tag} if tag else {}
    return ecr.call("PutImage", repositoryName=repository, imageManifest=text, **more)["image"]
