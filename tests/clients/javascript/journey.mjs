// AWS's SDK for JavaScript, version 3, as a service of Node uses it; what it is answered is printed.
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import {
  CompleteMultipartUploadCommand, CreateBucketCommand, CreateMultipartUploadCommand, DeleteBucketCommand,
  DeleteObjectsCommand, GetObjectCommand, HeadObjectCommand, ListObjectVersionsCommand, ListObjectsV2Command,
  PutBucketVersioningCommand, PutObjectCommand, S3Client, UploadPartCommand, paginateListObjectsV2, waitUntilBucketExists,
} from "@aws-sdk/client-s3";
import {
  CreateEndpointCommand, CreateEndpointConfigCommand, CreateModelCommand, DeleteEndpointCommand,
  DescribeModelCommand, DescribeTrainingJobCommand, ListModelsCommand, SageMakerClient, waitUntilEndpointInService,
} from "@aws-sdk/client-sagemaker";
import {
  InvokeEndpointCommand, InvokeEndpointWithResponseStreamCommand, SageMakerRuntimeClient,
} from "@aws-sdk/client-sagemaker-runtime";
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";

const [role, image, archive] = process.argv.slice(2);
const say = (name, value) => console.log(`${name} ${JSON.stringify(value)}`);
const Bucket = "javascript-v3";
const s3 = new S3Client({});
const refused = async (sent) => sent.then(() => "accepted", (error) => [error.name, error.$metadata.httpStatusCode]);

async function objects() {
  await s3.send(new CreateBucketCommand({ Bucket }));
  await waitUntilBucketExists({ client: s3, maxWaitTime: 60 }, { Bucket });
  const Key = "folder/ünï code & plus+.txt";
  const put = await s3.send(new PutObjectCommand({ Bucket, Key, Body: "hello", Metadata: { kind: "text" } }));
  const got = await s3.send(new GetObjectCommand({ Bucket, Key, ChecksumMode: "ENABLED" }));
  say("object", [await got.Body.transformToString(), got.Metadata, got.ETag === put.ETag, got.ChecksumCRC32]);
  const part = await s3.send(new GetObjectCommand({ Bucket, Key, Range: "bytes=1-3" }));
  say("range", [await part.Body.transformToString(), part.ContentRange]);
  const stream = Readable.from([Buffer.alloc(70000, "a"), Buffer.alloc(70000, "b")]);
  await s3.send(new PutObjectCommand({ Bucket, Key: "stream", Body: stream, ContentLength: 140000 }));
  say("stream", (await s3.send(new HeadObjectCommand({ Bucket, Key: "stream" }))).ContentLength);
  say("unchanged", await refused(s3.send(new GetObjectCommand({ Bucket, Key, IfNoneMatch: put.ETag }))));
  say("missing", await refused(s3.send(new GetObjectCommand({ Bucket, Key: "nothing" }))));
  say("no head", await refused(s3.send(new HeadObjectCommand({ Bucket, Key: "nothing" }))));
  const listed = await s3.send(new ListObjectsV2Command({ Bucket, Delimiter: "/" }));
  say("listed", [listed.Contents.map((each) => each.Key), listed.CommonPrefixes.map((each) => each.Prefix)]);
}

async function parts() {
  const whole = Buffer.concat([Buffer.alloc(5 * 2 ** 20, "x"), Buffer.from("the end")]);
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: "parts", ChecksumAlgorithm: "SHA256" }));
  const Parts = [];
  for (const [index, Body] of [whole.subarray(0, 5 * 2 ** 20), whole.subarray(5 * 2 ** 20)].entries()) {
    const PartNumber = index + 1;
    const sent = await s3.send(new UploadPartCommand({ Bucket, Key: "parts", UploadId, PartNumber, Body, ChecksumAlgorithm: "SHA256" }));
    Parts.push({ PartNumber, ETag: sent.ETag, ChecksumSHA256: sent.ChecksumSHA256 });
  }
  const done = await s3.send(new CompleteMultipartUploadCommand({ Bucket, Key: "parts", UploadId, MultipartUpload: { Parts } }));
  const got = await s3.send(new GetObjectCommand({ Bucket, Key: "parts" }));
  const digest = (bytes) => createHash("sha256").update(bytes).digest("hex");
  say("parts", [done.ChecksumSHA256.endsWith("-2"), digest(await got.Body.transformToByteArray()) === digest(whole)]);
}

async function* everyVersion(asked) {
  for (let at = {}, more = true; more; ) {
    const page = await s3.send(new ListObjectVersionsCommand({ Bucket, ...asked, ...at }));
    yield* page.Versions ?? [];
    more = page.IsTruncated;
    at = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
  }
}

async function versions() {
  await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }));
  for (const Body of ["one", "two"]) await s3.send(new PutObjectCommand({ Bucket, Key: "versioned", Body }));
  const found = [];
  for await (const each of everyVersion({ Prefix: "versioned", MaxKeys: 1 })) found.push(each);
  const read = ({ VersionId }) => s3.send(new GetObjectCommand({ Bucket, Key: "versioned", VersionId }));
  say("versions", await Promise.all(found.map(async (each) => (await read(each)).Body.transformToString())));
}

async function emptied() {
  const Objects = [];
  for await (const { Key, VersionId } of everyVersion({})) Objects.push({ Key, VersionId });
  const gone = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
  let left = 0;
  for await (const page of paginateListObjectsV2({ client: s3 }, { Bucket })) left += page.KeyCount;
  say("emptied", [gone.Deleted.length, gone.Errors ?? [], left]);
  await s3.send(new DeleteBucketCommand({ Bucket }));
  say("gone", await refused(s3.send(new ListObjectsV2Command({ Bucket }))));
}

async function identities() {
  const sts = new STSClient({});
  say("who", (await sts.send(new GetCallerIdentityCommand({}))).Arn.split("/")[0]);
  const { Credentials: given } = await sts.send(new AssumeRoleCommand({ RoleArn: role, RoleSessionName: "node" }));
  const own = { accessKeyId: given.AccessKeyId, secretAccessKey: given.SecretAccessKey, sessionToken: given.SessionToken };
  const assumed = new STSClient({ credentials: own });
  say("assumed", [(await assumed.send(new GetCallerIdentityCommand({}))).Arn.endsWith("/node"), given.Expiration instanceof Date]);
  const wrong = new STSClient({ credentials: { ...own, secretAccessKey: "wrong" } });
  say("wrong key", await refused(wrong.send(new GetCallerIdentityCommand({}))));
}

async function endpoint() {
  const sagemaker = new SageMakerClient({}), runtime = new SageMakerRuntimeClient({});
  const name = "javascript-v3";
  await s3.send(new PutObjectCommand({ Bucket, Key: "model.tar.gz", Body: Buffer.from(archive, "base64") }));
  await sagemaker.send(new CreateModelCommand({
    ModelName: name, ExecutionRoleArn: role,
    PrimaryContainer: { Image: image, ModelDataUrl: `s3://${Bucket}/model.tar.gz`, Environment: { SAGEMAKER_PROGRAM: "inference.py" } },
  }));
  const described = await sagemaker.send(new DescribeModelCommand({ ModelName: name }));
  say("model", [described.CreationTime instanceof Date, described.PrimaryContainer.Image === image]);
  say("models", (await sagemaker.send(new ListModelsCommand({ NameContains: name }))).Models.length);
  say("again", await refused(sagemaker.send(new CreateModelCommand({ ModelName: name, ExecutionRoleArn: role, PrimaryContainer: { Image: image } }))));
  say("no job", await refused(sagemaker.send(new DescribeTrainingJobCommand({ TrainingJobName: "nobody" }))));
  const variant = { VariantName: "all", ModelName: name, InitialInstanceCount: 1, InstanceType: "ml.m5.large" };
  await sagemaker.send(new CreateEndpointConfigCommand({ EndpointConfigName: name, ProductionVariants: [variant] }));
  await sagemaker.send(new CreateEndpointCommand({ EndpointName: name, EndpointConfigName: name }));
  const waited = await waitUntilEndpointInService({ client: sagemaker, minDelay: 1, maxDelay: 1, maxWaitTime: 120 }, { EndpointName: name });
  say("endpoint", waited.state);
  const asked = { EndpointName: name, ContentType: "text/plain", Body: "1,2,3" };
  const answer = await runtime.send(new InvokeEndpointCommand(asked));
  say("answer", [Buffer.from(answer.Body).toString(), answer.InvokedProductionVariant]);
  const streamed = await runtime.send(new InvokeEndpointWithResponseStreamCommand(asked));
  const pieces = [];
  for await (const event of streamed.Body) pieces.push(event.PayloadPart.Bytes);
  say("streamed", Buffer.concat(pieces).toString());
  const failed = await runtime.send(new InvokeEndpointCommand({ ...asked, Body: "fail" })).catch((error) => error);
  say("failed", [failed.name, failed.$metadata.httpStatusCode, failed.OriginalStatusCode]);
  await sagemaker.send(new DeleteEndpointCommand({ EndpointName: name }));
}

for (const each of [objects, parts, versions, identities, endpoint, emptied]) await each();
