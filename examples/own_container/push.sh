#!/bin/sh
# Build the image of this folder and push it to ECR, as for AWS: `push.sh NAME:TAG [options of the build]`.
# REGISTRY is where to push to (ACCOUNT.dkr.ecr.REGION.amazonaws.com if not said); ENGINE is podman or docker.
set -eu
name=$1
shift
engine=${ENGINE:-podman}
account=$(aws sts get-caller-identity --query Account --output text)
registry=${REGISTRY:-$account.dkr.ecr.$AWS_DEFAULT_REGION.amazonaws.com}

aws ecr create-repository --repository-name "${name%%:*}" --query repository.repositoryUri --output text
aws ecr get-login-password | $engine login --username AWS --password-stdin "$registry"
$engine build --tag "$name" "$@" "$(dirname "$0")"
$engine tag "$name" "$registry/$name"
$engine push "$registry/$name"
