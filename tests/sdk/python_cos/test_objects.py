"""Objects in buckets under a root key: written, read, listed, copied, uploaded in parts, deleted."""

import hashlib
import io
import ssl
import unittest
import urllib.request

from ibm_boto3.s3.transfer import TransferConfig
from ibm_botocore.client import Config

from cos import Gateway, OverHttp, OverHttps, name, registrations, root_key

MIB = 1024 * 1024


class Objects(Gateway):
    def test_a_bucket_shows_its_root_key_and_the_key_its_bucket(self):
        key, crn = root_key()
        for kind, s3 in self.clients():
            with self.subTest(kind):
                bucket = self.bucket(s3, crn)
                head = s3.head_bucket(Bucket=bucket)
                self.assertIs(head["IBMSSEKPEnabled"], True)
                self.assertEqual(head["IBMSSEKPCrkId"], crn)
                found = [one for one in registrations(key) if one["resourceCrn"].endswith(f":bucket:{bucket}")]
                self.assertEqual(len(found), 1)
                self.assertFalse(found[0]["preventKeyDeletion"])
                s3.delete_bucket(Bucket=bucket)
                found = [one for one in registrations(key) if one["resourceCrn"].endswith(f":bucket:{bucket}")]
                self.assertEqual(found, [])

    def test_buckets_are_listed_with_their_locations(self):
        s3 = self.iam()
        bucket = self.bucket(s3, location="eu-de-smart")
        self.assertIn(bucket, [one["Name"] for one in s3.list_buckets()["Buckets"]])
        self.assertEqual(s3.get_bucket_location(Bucket=bucket)["LocationConstraint"], "eu-de-smart")
        extended = s3.list_buckets_extended(Prefix=bucket)
        self.assertEqual(extended["Buckets"][0]["LocationConstraint"], "eu-de-smart")
        s3.delete_bucket(Bucket=bucket)

    def test_an_object_comes_back_as_it_went_in(self):
        _, crn = root_key()
        body = bytes(range(256)) * 1000
        for kind, s3 in self.clients():
            with self.subTest(kind):
                bucket = self.bucket(s3, crn)
                put = s3.put_object(
                    Bucket=bucket,
                    Key="a//b c+ü/./d",
                    Body=body,
                    ContentType="application/x-thing",
                    ContentEncoding="gzip",
                    CacheControl="no-cache",
                    Metadata={"Colour": "blue"},
                    Tagging="team=kms&stage=test",
                )
                self.assertEqual(put["ETag"], f'"{hashlib.md5(body).hexdigest()}"')
                got = s3.get_object(Bucket=bucket, Key="a//b c+ü/./d")
                self.assertEqual(got["Body"].read(), body)
                self.assertEqual(got["ETag"], put["ETag"])
                self.assertEqual(got["ContentType"], "application/x-thing")
                self.assertEqual(got["ContentEncoding"], "gzip")
                self.assertEqual(got["Metadata"], {"colour": "blue"})
                self.assertEqual(got["TagCount"], 2)
                head = s3.head_object(Bucket=bucket, Key="a//b c+ü/./d")
                self.assertEqual(head["ContentLength"], len(body))
                part = s3.get_object(Bucket=bucket, Key="a//b c+ü/./d", Range="bytes=65530-65545")
                self.assertEqual(part["Body"].read(), body[65530:65546])
                self.assertEqual(part["ContentRange"], f"bytes 65530-65545/{len(body)}")
                tags = s3.get_object_tagging(Bucket=bucket, Key="a//b c+ü/./d")["TagSet"]
                self.assertEqual(sorted(tag["Key"] for tag in tags), ["stage", "team"])
                s3.put_object_tagging(
                    Bucket=bucket, Key="a//b c+ü/./d", Tagging={"TagSet": [{"Key": "one", "Value": "1"}]}
                )
                s3.delete_object_tagging(Bucket=bucket, Key="a//b c+ü/./d")
                s3.delete_object(Bucket=bucket, Key="a//b c+ü/./d")
                self.refused(404, "NoSuchKey", s3.get_object, Bucket=bucket, Key="a//b c+ü/./d")
                self.refused(404, "404", s3.head_object, Bucket=bucket, Key="a//b c+ü/./d")
                s3.delete_bucket(Bucket=bucket)

    def test_keys_are_listed_in_pages_and_deleted_many_at_once(self):
        s3 = self.iam()
        bucket = self.bucket(s3)
        keys = [f"logs/2027/{number:02} x&y" for number in range(7)] + ["other", "logs/a"]
        for key in keys:
            s3.put_object(Bucket=bucket, Key=key, Body=b"x")
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, PaginationConfig={"PageSize": 2})
        self.assertEqual([entry["Key"] for page in pages for entry in page["Contents"]], sorted(keys))
        pages = s3.get_paginator("list_objects").paginate(Bucket=bucket, PaginationConfig={"PageSize": 2})
        self.assertEqual([entry["Key"] for page in pages for entry in page["Contents"]], sorted(keys))
        folded = s3.list_objects_v2(Bucket=bucket, Delimiter="/")
        self.assertEqual([one["Prefix"] for one in folded["CommonPrefixes"]], ["logs/"])
        self.assertEqual([one["Key"] for one in folded["Contents"]], ["other"])
        self.refused(409, "BucketNotEmpty", s3.delete_bucket, Bucket=bucket)
        deleted = s3.delete_objects(
            Bucket=bucket, Delete={"Objects": [{"Key": key} for key in [*keys, "never there"]]}
        )
        self.assertEqual(len(deleted["Deleted"]), len(keys) + 1)
        self.assertNotIn("Errors", deleted)
        s3.delete_bucket(Bucket=bucket)

    def test_objects_are_copied_from_one_root_key_to_another(self):
        s3 = self.iam()
        source, target = self.bucket(s3, root_key()[1]), self.bucket(s3, root_key()[1])
        put = s3.put_object(Bucket=source, Key="from here", Body=b"payload", Metadata={"a": "1"})
        copied = s3.copy_object(Bucket=target, Key="to", CopySource={"Bucket": source, "Key": "from here"})
        self.assertEqual(copied["CopyObjectResult"]["ETag"], put["ETag"])
        got = s3.get_object(Bucket=target, Key="to")
        self.assertEqual((got["Body"].read(), got["Metadata"]), (b"payload", {"a": "1"}))
        s3.copy_object(
            Bucket=target,
            Key="to",
            CopySource=f"{target}/to",
            MetadataDirective="REPLACE",
            Metadata={"b": "2"},
            ContentType="text/plain",
        )
        self.assertEqual(s3.head_object(Bucket=target, Key="to")["Metadata"], {"b": "2"})

    def test_large_objects_go_up_in_parts_and_come_down_in_ranges(self):
        _, crn = root_key()
        body = hashlib.shake_128(b"seed").digest(11 * MIB)
        for kind, s3 in self.clients():
            with self.subTest(kind):
                bucket = self.bucket(s3, crn)
                config = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB, max_concurrency=3)
                s3.upload_fileobj(io.BytesIO(body), bucket, "large", Config=config)
                head = s3.head_object(Bucket=bucket, Key="large")
                self.assertTrue(head["ETag"].endswith('-3"'), head["ETag"])
                back = io.BytesIO()
                s3.download_fileobj(bucket, "large", back, Config=config)
                self.assertEqual(back.getvalue(), body)
                upload = s3.create_multipart_upload(Bucket=bucket, Key="copied")["UploadId"]
                part = s3.upload_part_copy(
                    Bucket=bucket,
                    Key="copied",
                    UploadId=upload,
                    PartNumber=1,
                    CopySource=f"{bucket}/large",
                    CopySourceRange=f"bytes=0-{6 * MIB - 1}",
                )
                s3.upload_part(Bucket=bucket, Key="copied", UploadId=upload, PartNumber=2, Body=b"end")
                parts = s3.list_parts(Bucket=bucket, Key="copied", UploadId=upload)["Parts"]
                self.assertEqual([one["Size"] for one in parts], [6 * MIB, 3])
                uploads = s3.list_multipart_uploads(Bucket=bucket)["Uploads"]
                self.assertEqual([one["UploadId"] for one in uploads], [upload])
                self.assertEqual(parts[0]["ETag"], part["CopyPartResult"]["ETag"])
                s3.complete_multipart_upload(
                    Bucket=bucket,
                    Key="copied",
                    UploadId=upload,
                    MultipartUpload={
                        "Parts": [{"PartNumber": one["PartNumber"], "ETag": one["ETag"]} for one in parts]
                    },
                )
                copied = s3.get_object(Bucket=bucket, Key="copied")["Body"].read()
                self.assertEqual(copied, body[: 6 * MIB] + b"end")
                dropped = s3.create_multipart_upload(Bucket=bucket, Key="dropped")["UploadId"]
                s3.abort_multipart_upload(Bucket=bucket, Key="dropped", UploadId=dropped)
                self.refused(404, "NoSuchUpload", s3.list_parts, Bucket=bucket, Key="dropped", UploadId=dropped)

    def test_presigned_urls_work_in_both_versions(self):
        for version in ["s3v4", "s3"]:
            with self.subTest(version):
                s3 = self.hmac(config=Config(signature_version=version))
                bucket = self.bucket(self.hmac(), root_key()[1])
                context = None
                if self.VERIFY:
                    context = ssl.create_default_context(cafile=self.VERIFY)
                params = {"Bucket": bucket, "Key": "shared/a b"}
                put = s3.generate_presigned_url("put_object", Params=params, ExpiresIn=60)
                call = urllib.request.Request(put, data=b"by link", method="PUT")
                call.add_unredirected_header("Content-Type", "")
                urllib.request.urlopen(call, context=context).close()
                get = s3.generate_presigned_url("get_object", Params=params, ExpiresIn=60)
                self.assertEqual(urllib.request.urlopen(get, context=context).read(), b"by link")
                gone = s3.generate_presigned_url("delete_object", Params=params, ExpiresIn=60)
                urllib.request.urlopen(urllib.request.Request(gone, method="DELETE"), context=context).close()
                self.refused(404, "NoSuchKey", self.hmac().get_object, **params)

    def test_the_standard_client_without_a_region_makes_urls_that_work(self):
        s3 = self.hmac(region_name=None, config=None)
        bucket = name()
        s3.create_bucket(Bucket=bucket)
        s3.put_object(Bucket=bucket, Key="k", Body=b"x")
        self.assertEqual(s3.get_object(Bucket=bucket, Key="k")["Body"].read(), b"x")


class ObjectsOverHttp(OverHttp, Objects):
    pass


class ObjectsOverHttps(OverHttps, Objects):
    pass


del Gateway, Objects

if __name__ == "__main__":
    unittest.main()
