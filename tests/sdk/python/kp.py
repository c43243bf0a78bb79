"""What the tests share: the running service, clients of it, its clock, and how replies are read.

The runner starts the service and names its ready file in MKP_READY_FILE.
"""

import base64
import io
import json
import os
import unittest
import uuid
from datetime import datetime, timedelta, timezone

import requests
from ibm_cloud_sdk_core import ApiException
from ibm_cloud_sdk_core.authenticators import IAMAuthenticator
from keyprotect.ibm_key_protect_api_v2 import IbmKeyProtectApiV2

KEY = "application/vnd.ibm.kms.key+json"
ACTION = "application/vnd.ibm.kms.key_action+json"
VERSION = "application/vnd.ibm.kms.key.version+json"
ALIAS = "application/vnd.ibm.kms.alias+json"
KEY_RING = "application/vnd.ibm.kms.key_ring+json"
IMPORT_TOKEN = "application/vnd.ibm.kms.import_token+json"
ERROR = "application/vnd.ibm.kms.error+json"

REPRESENTATION = "return=representation"
MINIMAL = "return=minimal"
UNAUTHORIZED = "Unauthorized: The user does not have access to the specified resource"
PHRASES = {
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    409: "Conflict",
    410: "Gone",
    422: "Unprocessable Entity",
}

with open(os.environ["MKP_READY_FILE"], encoding="utf-8") as ready_file:
    READY = json.load(ready_file)


def client(api_key=None, authenticator=None):
    """A Key Protect client that gets its tokens for an API key, the ready file's by default."""
    if authenticator is None:
        authenticator = IAMAuthenticator(api_key or READY["apiKey"], url=READY["iamUrl"])
    kp = IbmKeyProtectApiV2(authenticator=authenticator)
    kp.set_service_url(READY["url"])
    return kp


def token_of(kp):
    """The token that the SDK's own authenticator got for this client."""
    return kp.get_authenticator().token_manager.get_token()


def admin(method, path, body=None):
    headers = {}
    if "adminToken" in READY:
        headers["Authorization"] = f"Bearer {READY['adminToken']}"
    reply = requests.request(method, READY["adminUrl"] + path, json=body, headers=headers, timeout=120)
    reply.raise_for_status()
    return reply.json() if reply.content else None


def advance(by):
    admin("POST", "/clock/advance", {"by": by})


def now():
    """The service's own time, in whole seconds."""
    return datetime.fromisoformat(admin("GET", "/clock")["now"].replace("Z", "+00:00")).replace(microsecond=0)


def timestamp(moment):
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def in_an_hour():
    return timestamp(now() + timedelta(hours=1))


def body(content):
    """A request body as the SDK's signatures want it: a binary stream."""
    return io.BytesIO(json.dumps(content).encode())


def collection(*resources, media=KEY):
    return {"metadata": {"collectionType": media, "collectionTotal": len(resources)}, "resources": list(resources)}


def b64(data):
    return base64.b64encode(data).decode()


def unb64(text):
    return base64.b64decode(text, validate=True)


def tampered(ciphertext):
    """The same ciphertext with one bit of its encrypted part turned over."""
    document = json.loads(unb64(ciphertext))
    sealed = bytearray(unb64(document["ciphertext"]))
    sealed[0] ^= 1
    document["ciphertext"] = b64(bytes(sealed))
    return b64(json.dumps(document, separators=(",", ":")).encode())


def a_name(prefix="key"):
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


class KeyProtectTest(unittest.TestCase):
    """A test case with a client of the default instance and short forms of the SDK's calls."""

    instance = READY["instanceId"]

    @classmethod
    def setUpClass(cls):
        cls.kp = client()
        token_of(cls.kp)  # without tokens each call would wait for a minute

    # Reading replies. Success replies have IBM's vendor media types, which the SDK core
    # does not decode: as in IBM's own README, the result is a response to call json() on.

    def content(self, response, status=200, media=KEY):
        self.assertEqual(status, response.get_status_code())
        self.assertTrue(response.get_headers()["Correlation-Id"])
        self.assertEqual(media, response.get_headers()["Content-Type"].split(";")[0])
        return response.get_result().json()

    def all_of(self, response, status=200, media=KEY):
        envelope = self.content(response, status, media)
        self.assertEqual(media, envelope["metadata"]["collectionType"])
        self.assertEqual(len(envelope.get("resources", [])), envelope["metadata"]["collectionTotal"])
        self.assertNotEqual([], envelope.get("resources"), "an empty collection has no resources member")
        return envelope.get("resources", [])

    def one(self, response, status=200, media=KEY):
        (resource,) = self.all_of(response, status, media)
        return resource

    def nothing(self, response, status=204):
        self.assertEqual(status, response.get_status_code())
        self.assertIsNone(response.get_result())

    def refused(self, status, code, call, *arguments, **options):
        """Calls, expects this refusal, and gives back its error resource."""
        with self.assertRaises(ApiException) as caught:
            call(*arguments, **options)
        reply = caught.exception.http_response
        self.assertEqual(status, caught.exception.status_code, reply.text)
        self.assertEqual(ERROR, reply.headers["Content-Type"].split(";")[0])
        self.assertTrue(reply.headers["Correlation-Id"])
        envelope = reply.json()
        self.assertEqual({"collectionType": ERROR, "collectionTotal": 1}, envelope["metadata"])
        (error,) = envelope["resources"]
        self.assertTrue(error["errorMsg"].startswith(PHRASES[status] + ": "), error["errorMsg"])
        if code is None:
            self.assertNotIn("reasons", error)
        else:
            (reason,) = error["reasons"]
            self.assertEqual(code, reason["code"], error)
            self.assertEqual(status, reason["status"])
            self.assertEqual("https://cloud.ibm.com/apidocs/key-protect", reason["moreInfo"])
            self.assertTrue(error["errorMsg"].endswith(f"Please see `reasons` for more details ({code})"), error["errorMsg"])
        return error

    # Keys.

    def create(self, extractable=False, prefer=None, ring=None, instance=None, **fields):
        fields.setdefault("name", a_name())
        resource = {"type": KEY, "extractable": extractable, **fields}
        return self.one(
            self.kp.create_key(
                bluemix_instance=instance or self.instance,
                key_create_body=body(collection(resource)),
                prefer=prefer,
                x_kms_key_ring=ring,
            ),
            status=201,
        )

    def root_key(self, **fields):
        return self.create(**fields)["id"]

    def standard_key(self, **fields):
        return self.create(extractable=True, **fields)["id"]

    def get(self, key):
        return self.one(self.kp.get_key(key, self.instance))

    def metadata(self, key):
        return self.one(self.kp.get_key_metadata(key, self.instance))

    def wrap(self, key, **fields):
        return self.content(self.kp.wrap_key(key, self.instance, key_action_wrap_body=body(fields)), media=ACTION)

    def unwrap(self, key, ciphertext, **fields):
        fields["ciphertext"] = ciphertext
        return self.content(self.kp.unwrap_key(key, self.instance, body(fields)), media=ACTION)

    def rewrap(self, key, ciphertext, **fields):
        fields["ciphertext"] = ciphertext
        return self.content(self.kp.rewrap_key(key, self.instance, body(fields)), media=ACTION)

    def rotate(self, key, **fields):
        self.nothing(self.kp.rotate_key(key, self.instance, key_action_rotate_body=body(fields)))

    def disable(self, key):
        self.nothing(self.kp.disable_key(key, self.instance))

    def enable(self, key):
        self.nothing(self.kp.enable_key(key, self.instance))

    def delete(self, key):
        self.nothing(self.kp.delete_key(key, self.instance))

    def restore(self, key):
        return self.one(self.kp.restore_key(key, self.instance), status=201)

    def purge(self, key):
        self.nothing(self.kp.purge_key(key, self.instance))

    def versions(self, key, **options):
        return self.all_of(self.kp.get_key_versions(key, self.instance, **options), media=VERSION)

    def assert_unknown(self, key):
        for call in (self.kp.get_key, self.kp.get_key_metadata, self.kp.delete_key, self.kp.restore_key, self.kp.purge_key):
            error = self.refused(404, "KEY_NOT_FOUND_ERR", call, key, self.instance)
            self.assertIn("Key could not be retrieved", error["errorMsg"])
        self.refused(404, "KEY_NOT_FOUND_ERR", self.kp.wrap_key, key, self.instance)
