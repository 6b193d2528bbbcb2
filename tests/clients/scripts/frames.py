"""pandas with s3:// addresses, and s3fs itself: files of both kinds, a partitioned folder, large files, versions."""

import pandas
import s3fs

files = s3fs.S3FileSystem()
files.mkdir("s3fs-frames")
frame = pandas.DataFrame({"id": range(1000), "risk": [n / 1000 for n in range(1000)], "kind": ["a", "b"] * 500})

frame.to_csv("s3://s3fs-frames/folder/risks.csv", index=False)
print("csv", pandas.read_csv("s3://s3fs-frames/folder/risks.csv").equals(frame))
frame.to_parquet("s3://s3fs-frames/folder/risks.parquet")
back = pandas.read_parquet("s3://s3fs-frames/folder/risks.parquet", columns=["risk"])
print("parquet", back["risk"].equals(frame["risk"]))
frame.to_parquet("s3://s3fs-frames/parts", partition_cols=["kind"])  # by Arrow itself, which marks three folders
print("partition", len(pandas.read_parquet("s3://s3fs-frames/parts", filters=[("kind", "==", "b")])))
frame.to_json("s3://s3fs-frames/folder/ünï code & plus+.json")
print("listed", [name.rpartition("/")[2] for name in files.ls("s3fs-frames/folder")])
print("found", len(files.find("s3fs-frames")), files.glob("s3fs-frames/**/*.csv"))
print("size", files.du("s3fs-frames/folder/risks.csv") == len(frame.to_csv(index=False)))

block = bytes(range(256)) * 4096
with files.open("s3fs-frames/large.bin", "wb", block_size=5 * 2**20) as file:
    for _ in range(12):
        file.write(block)
with files.open("s3fs-frames/large.bin", "rb") as file:
    file.seek(7 * 2**20 + 65)
    print("piece", file.read(3) == b"ABC", file.size)
with files.open("s3fs-frames/large.bin", "ab") as file:
    file.write(b"end")
print("tail", files.tail("s3fs-frames/large.bin", 4))

files.copy("s3fs-frames/folder", "s3fs-frames/copy", recursive=True)
files.mv("s3fs-frames/large.bin", "s3fs-frames/moved.bin")
print("moved", files.exists("s3fs-frames/large.bin"), files.info("s3fs-frames/moved.bin")["size"])
files.setxattr("s3fs-frames/moved.bin", colour="red")
print("attribute", files.getxattr("s3fs-frames/moved.bin", "colour"))
files.put_tags("s3fs-frames/moved.bin", {"team": "red"})
print("tags", files.get_tags("s3fs-frames/moved.bin"))
print("signed", pandas.read_csv(files.sign("s3fs-frames/folder/risks.csv")).equals(frame))

files.mkdir("s3fs-versions")
files.call_s3("put_bucket_versioning", Bucket="s3fs-versions", VersioningConfiguration={"Status": "Enabled"})
versioned = s3fs.S3FileSystem(version_aware=True)
for text in ("one", "two"):
    with versioned.open("s3fs-versions/text", "w") as file:
        file.write(text)
known = versioned.object_version_info("s3fs-versions/text")
read = [versioned.cat_file("s3fs-versions/text", version_id=each["VersionId"]) for each in known]
print("versions", read, [each["IsLatest"] for each in known])
for each in known:
    files.call_s3("delete_object", Bucket="s3fs-versions", Key="text", VersionId=each["VersionId"])

try:
    pandas.read_csv("s3://s3fs-frames/nothing.csv")
except FileNotFoundError as error:
    print("missing", type(error).__name__)
try:
    files.ls("s3fs-no-such-bucket")
except FileNotFoundError as error:
    print("no bucket", type(error).__name__)
for bucket in ("s3fs-frames", "s3fs-versions"):
    files.rm(bucket, recursive=True)
print("left", [name for name in files.ls("") if name.startswith("s3fs-")])
