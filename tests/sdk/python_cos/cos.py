"""What the tests share: the running service, IBM's client of its gateway, root keys, and the clock.

The runner starts the service and names its ready file in MKP_READY_FILE. Each test runs over HTTP and over HTTPS, since
the client sends different requests over the two.
"""

import json
import os
import unittest
import urllib.error
import urllib.parse
import urllib.request
import uuid

import ibm_boto3
from ibm_botocore.client import ClientError, Config

KEY = "application/vnd.ibm.kms.key+json"

with open(os.environ["MKP_READY_FILE"], encoding="utf-8") as ready_file:
    READY = json.load(ready_file)


def request(method, url, body=None, headers=None, form=False):
    """Status and JSON of a reply, whatever its status."""
    data = None
    headers = dict(headers or {})
    if body is not None:
        data = urllib.parse.urlencode(body).encode() if form else json.dumps(body).encode()
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded" if form else "application/json")
    call = urllib.request.Request(url, data=data, headers=headers, method=method)
    try:
        with urllib.request.urlopen(call) as reply:
            status, text = reply.status, reply.read()
    except urllib.error.HTTPError as refused:
        status, text = refused.code, refused.read()
    return status, json.loads(text) if text else None


def admin(method, path, body=None):
    headers = {"Authorization": f"Bearer {READY['adminToken']}"} if "adminToken" in READY else {}
    status, reply = request(method, READY["adminUrl"] + path, body, headers)
    assert status < 300, f"{method} {path}: {status} {reply}"
    return reply


def advance(by):
    return admin("POST", "/clock/advance", {"by": by})


def token():
    grant = {"grant_type": "urn:ibm:params:oauth:grant-type:apikey", "apikey": READY["apiKey"]}
    return request("POST", READY["iamUrl"] + "/identity/token", grant, form=True)[1]["access_token"]


TOKEN = token()


def key_protect(method, path, body=None, instance=None, content_type=KEY):
    """A call to Key Protect as the account's owner."""
    headers = {
        "Authorization": f"Bearer {TOKEN}",
        "Bluemix-Instance": instance or READY["instanceId"],
        "Content-Type": content_type,
    }
    return request(method, f"{READY['url']}/api/v2/keys{path}", body, headers)


def root_key(instance=None, payload=None):
    """A new root key: its id and its CRN."""
    key = {"type": KEY, "name": "bucket-key", "extractable": False}
    if payload:
        key["payload"] = payload
    body = {"metadata": {"collectionType": KEY, "collectionTotal": 1}, "resources": [key]}
    status, reply = key_protect("POST", "", body, instance)
    assert status == 201, reply
    return reply["resources"][0]["id"], reply["resources"][0]["crn"]


def act(key, action, body=None):
    status, reply = key_protect("POST", f"/{key}/actions/{action}", body)
    assert status < 300, f"{action}: {status} {reply}"


def registrations(key):
    return key_protect("GET", f"/{key}/registrations")[1].get("resources", [])


def key_protect_in(region):
    """A Key Protect instance in another region: its GUID."""
    body = {
        "name": f"kp-{region}",
        "target": region,
        "resource_group": "default",
        "resource_plan_id": "eedd3585-90c6-4c8f-be3d-062069e99fc3",
    }
    status, reply = request(
        "POST", READY["url"] + "/v2/resource_instances", body, {"Authorization": f"Bearer {TOKEN}"}
    )
    assert status == 201, reply
    return reply["guid"]


def name(prefix="b"):
    """A bucket's name that nobody else has."""
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


class OverHttp:
    """Where the client finds the gateway."""

    ENDPOINT = READY["cosUrl"]
    VERIFY = None


class OverHttps:
    ENDPOINT = READY["cosTlsUrl"]
    VERIFY = READY["caFile"]


class Gateway(unittest.TestCase):
    """Mixed into a class that says where the gateway is. Each client has a session of its own: clients that share one
    forget their service instance."""

    maxDiff = None

    def iam(self, **more):
        """IBM's client with an API key."""
        return ibm_boto3.session.Session().client(
            "s3",
            ibm_api_key_id=READY["apiKey"],
            ibm_auth_endpoint=READY["iamUrl"] + "/identity/token",
            ibm_service_instance_id=READY["cosInstanceCrn"],
            config=Config(signature_version="oauth", retries={"max_attempts": 1}),
            endpoint_url=self.ENDPOINT,
            verify=self.VERIFY,
            **more,
        )

    def hmac(self, **more):
        """IBM's client with an HMAC pair."""
        options = {"region_name": "us-south", "config": Config(signature_version="s3v4", retries={"max_attempts": 1})}
        options.update(more)
        return ibm_boto3.session.Session().client(
            "s3",
            aws_access_key_id=READY["cosHmac"]["accessKeyId"],
            aws_secret_access_key=READY["cosHmac"]["secretAccessKey"],
            endpoint_url=self.ENDPOINT,
            verify=self.VERIFY,
            **options,
        )

    def clients(self):
        return [("iam", self.iam()), ("hmac", self.hmac())]

    def bucket(self, s3, key_crn=None, location="us-south-standard"):
        """A new bucket, under a root key if one is given."""
        bucket = name()
        options = {"CreateBucketConfiguration": {"LocationConstraint": location}}
        if key_crn:
            options.update(IBMSSEKPEncryptionAlgorithm="AES256", IBMSSEKPCustomerRootKeyCrn=key_crn)
        s3.create_bucket(Bucket=bucket, **options)
        return bucket

    def refused(self, status, code, call, *args, **kwargs):
        """Asserts that a call is refused; gives the message."""
        with self.assertRaises(ClientError) as raised:
            call(*args, **kwargs)
        response = raised.exception.response
        self.assertEqual((response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]), (status, code))
        return response["Error"].get("Message", "")
