"""A bucket through the life of its root key, and under a retention policy. The clock is moved, nobody waits."""

import unittest

from cos import Gateway, OverHttp, OverHttps, act, admin, advance, key_protect, registrations, root_key


def records(bucket):
    """Kinds of the events that the bucket has acted on."""
    query = f"action=cloud-object-storage.bucket-key-state.update&target={bucket}"
    found = admin("GET", f"/audit-events?{query}")["auditEvents"]
    return [one["requestData"]["eventType"] for one in found]


class KeyLife(Gateway):
    def setUp(self):
        self.s3 = self.iam()
        self.key, crn = root_key()
        self.name = self.bucket(self.s3, crn)
        self.put("before", b"written before")

    def put(self, key, body):
        return self.s3.put_object(Bucket=self.name, Key=key, Body=body)

    def read(self, key="before"):
        return self.s3.get_object(Bucket=self.name, Key=key)["Body"].read()

    def shut(self, word):
        message = self.refused(403, "AccessDenied", self.read)
        self.assertIn(word, message)
        self.refused(403, "AccessDenied", self.put, "more", b"x")
        self.refused(403, "403", self.s3.head_object, Bucket=self.name, Key="before")
        self.assertEqual(self.s3.list_objects_v2(Bucket=self.name)["KeyCount"], 1)

    def test_a_disabled_key_shuts_the_bucket_for_up_to_an_hour_more(self):
        act(self.key, "disable")
        advance("90s")
        self.shut("suspended")
        advance("5m")
        act(self.key, "enable")
        advance("62m")
        self.assertEqual(self.read(), b"written before")
        self.assertEqual(records(self.name), ["disable", "enable"])

    def test_a_trust_of_no_time_lets_an_enabled_key_work_at_once(self):
        admin("PATCH", "/settings", {"cosKeyInfoTtl": "0s"})
        try:
            act(self.key, "disable")
            advance("31s")
            self.shut("suspended")
            act(self.key, "enable")
            self.assertEqual(self.read(), b"written before")
        finally:
            admin("PATCH", "/settings", {"cosKeyInfoTtl": "1h"})

    def test_rotations_go_on_behind_the_bucket(self):
        upload = self.s3.create_multipart_upload(Bucket=self.name, Key="parts")["UploadId"]
        parts = []
        for number in (1, 2):
            part = self.s3.upload_part(
                Bucket=self.name, Key="parts", UploadId=upload, PartNumber=number, Body=b"p" * 5 * 1024 * 1024
            )
            parts.append({"PartNumber": number, "ETag": part["ETag"]})
            act(self.key, "rotate")
            advance("61m")
            self.assertEqual(self.read(), b"written before")
        self.s3.complete_multipart_upload(
            Bucket=self.name, Key="parts", UploadId=upload, MultipartUpload={"Parts": parts}
        )
        self.assertEqual(len(self.read("parts")), 10 * 1024 * 1024)
        newest = key_protect("GET", f"/{self.key}/versions")[1]["resources"]
        newest = max(newest, key=lambda version: version["creationDate"])["id"]
        self.assertEqual(registrations(self.key)[0]["keyVersion"]["id"], newest)
        self.assertEqual(records(self.name), ["rotation", "rotation"])

    def test_a_deleted_key_shreds_the_bucket_and_a_restored_one_gives_it_back(self):
        etag = self.s3.head_object(Bucket=self.name, Key="before")["ETag"]
        status, reply = key_protect("DELETE", f"/{self.key}")
        self.assertEqual((status, reply["resources"][0]["reasons"][0]["code"]), (409, "PROTECTED_RESOURCE_ERR"))
        self.assertLess(key_protect("DELETE", f"/{self.key}?force=true")[0], 300)
        advance("90s")
        self.shut("deleted")
        status, reply = key_protect("POST", f"/{self.key}/restore")
        self.assertEqual(status, 201, reply)
        advance("90s")
        self.assertEqual(self.read(), b"written before")
        self.assertEqual(self.s3.head_object(Bucket=self.name, Key="before")["ETag"], etag)
        self.assertEqual(len(registrations(self.key)), 1)

    def test_a_shredded_bucket_can_be_cleared_away(self):
        self.assertLess(key_protect("DELETE", f"/{self.key}?force=true")[0], 300)
        advance("31d")
        self.shut("deleted")
        self.s3.delete_objects(Bucket=self.name, Delete={"Objects": [{"Key": "before"}]})
        self.s3.delete_bucket(Bucket=self.name)
        self.refused(404, "404", self.s3.head_bucket, Bucket=self.name)

    def test_a_retention_policy_keeps_objects_and_the_key(self):
        self.s3.delete_object(Bucket=self.name, Key="before")
        policy = {
            "Status": "Retention",
            "MinimumRetention": {"Days": 1},
            "DefaultRetention": {"Days": 2},
            "MaximumRetention": {"Days": 9},
        }
        self.s3.put_bucket_protection_configuration(Bucket=self.name, ProtectionConfiguration=policy)
        shown = self.s3.get_bucket_protection_configuration(Bucket=self.name)["ProtectionConfiguration"]
        self.assertEqual(shown["DefaultRetention"], {"Days": 2})
        self.assertTrue(registrations(self.key)[0]["preventKeyDeletion"])
        status, reply = key_protect("DELETE", f"/{self.key}?force=true")
        self.assertEqual((status, reply["resources"][0]["reasons"][0]["code"]), (409, "PREV_KEY_DEL_ERR"))
        self.put("kept", b"kept")
        self.assertEqual(self.s3.head_object(Bucket=self.name, Key="kept")["RetentionPeriod"], 2 * 86_400)
        self.refused(403, "AccessDenied", self.s3.delete_object, Bucket=self.name, Key="kept")
        self.refused(403, "AccessDenied", self.put, "kept", b"other")
        self.s3.add_legal_hold(Bucket=self.name, Key="kept", RetentionLegalHoldId="case-1")
        advance("49h")
        self.refused(403, "AccessDenied", self.s3.delete_object, Bucket=self.name, Key="kept")
        holds = self.s3.list_legal_holds(Bucket=self.name, Key="kept")["LegalHolds"]
        self.assertEqual([hold["ID"] for hold in holds], ["case-1"])
        self.s3.delete_legal_hold(Bucket=self.name, Key="kept", RetentionLegalHoldId="case-1")
        self.s3.delete_object(Bucket=self.name, Key="kept")
        self.s3.delete_bucket(Bucket=self.name)
        self.assertLess(key_protect("DELETE", f"/{self.key}")[0], 300)


class KeyLifeOverHttp(OverHttp, KeyLife):
    pass


class KeyLifeOverHttps(OverHttps, KeyLife):
    pass


del Gateway, KeyLife

if __name__ == "__main__":
    unittest.main()
