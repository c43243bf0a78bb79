"""Creation of buckets: what is refused, and with which words."""

import unittest

from cos import (
    READY,
    TOKEN,
    Gateway,
    OverHttp,
    OverHttps,
    key_protect_in,
    name,
    registrations,
    request,
    root_key,
)

NOT_FOUND = "The Key CRN could not be found"


class Refusals(Gateway):
    def create(self, crn, location="us-south-standard"):
        options = {"IBMSSEKPEncryptionAlgorithm": "AES256", "IBMSSEKPCustomerRootKeyCrn": crn}
        options["CreateBucketConfiguration"] = {"LocationConstraint": location}
        return {"Bucket": name(), **options}

    def test_a_wrong_key_is_not_found_whatever_is_wrong_with_it(self):
        s3 = self.iam()
        _, crn = root_key()
        unknown = crn.rsplit(":", 1)[0] + ":6e1ad3f0-91b5-4c8e-a1b4-1f3c25d6b0aa"
        other_region = crn.replace(":us-south:", ":eu-de:")
        for wrong in [unknown, other_region]:
            wanted = self.create(wrong)
            self.assertEqual(self.refused(400, "InvalidRequest", s3.create_bucket, **wanted), NOT_FOUND)
            self.refused(404, "404", s3.head_bucket, Bucket=wanted["Bucket"])

    def test_texts_that_are_no_crn_of_a_root_key_are_named_as_such(self):
        s3 = self.iam()
        self.refused(400, "InvalidArgument", s3.create_bucket, **self.create("no crn"))
        self.refused(400, "InvalidArgument", s3.create_bucket, **self.create(READY["instanceCrn"]))

    def test_cross_region_buckets_need_a_key_of_the_right_region(self):
        s3 = self.iam()
        near, far = root_key(key_protect_in("eu-de"))[1], root_key()[1]
        message = self.refused(400, "InvalidRequest", s3.create_bucket, **self.create(far, "eu-standard"))
        self.assertIn("eu-de", message)
        s3.create_bucket(**self.create(near, "eu-standard"))
        s3.create_bucket(**self.create(far, "us-standard"))

    def test_without_an_authorization_the_key_is_not_found(self):
        headers = {"Authorization": f"Bearer {TOKEN}"}
        url = READY["url"] + "/v1/policies"
        _, policies = request("GET", f"{url}?account_id={READY['accountId']}&type=authorization", None, headers)
        for policy in policies["policies"]:
            request("DELETE", f"{url}/{policy['id']}", None, headers)
        s3 = self.iam()
        key, crn = root_key()
        try:
            message = self.refused(400, "InvalidRequest", s3.create_bucket, **self.create(crn))
            self.assertEqual(message, NOT_FOUND)
            self.assertEqual(registrations(key), [])
        finally:
            for policy in policies["policies"]:
                body = {name: policy[name] for name in ("type", "subjects", "roles", "resources")}
                status, reply = request("POST", url, body, headers)
                self.assertEqual(status, 201, reply)
        s3.create_bucket(**self.create(crn))

    def test_names_and_locations_are_checked(self):
        s3 = self.iam()
        self.refused(400, "InvalidBucketName", s3.create_bucket, Bucket="Not_A_Name")
        wanted = {"Bucket": name(), "CreateBucketConfiguration": {"LocationConstraint": "mars-standard"}}
        self.refused(400, "InvalidLocationConstraint", s3.create_bucket, **wanted)
        bucket = self.bucket(s3)
        self.refused(409, "BucketAlreadyExists", s3.create_bucket, Bucket=bucket)

    def test_strangers_are_kept_out(self):
        s3 = self.hmac()
        bucket = self.bucket(s3)
        stranger = self.hmac_with("0" * 32, READY["cosHmac"]["secretAccessKey"])
        self.refused(403, "InvalidAccessKeyId", stranger.get_object, Bucket=bucket, Key="k")
        stranger = self.hmac_with(READY["cosHmac"]["accessKeyId"], "wrong")
        self.refused(403, "SignatureDoesNotMatch", stranger.get_object, Bucket=bucket, Key="k")

    def hmac_with(self, key_id, secret):
        import ibm_boto3
        from ibm_botocore.client import Config

        return ibm_boto3.session.Session().client(
            "s3",
            aws_access_key_id=key_id,
            aws_secret_access_key=secret,
            endpoint_url=self.ENDPOINT,
            verify=self.VERIFY,
            region_name="us-south",
            config=Config(signature_version="s3v4", retries={"max_attempts": 1}),
        )


class RefusalsOverHttp(OverHttp, Refusals):
    pass


class RefusalsOverHttps(OverHttps, Refusals):
    pass


del Gateway, Refusals

if __name__ == "__main__":
    unittest.main()
