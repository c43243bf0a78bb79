"""What the tests share: the running service, a client of the older SDK, and the service's clock.

The runner starts the service and names its ready file in MKP_READY_FILE.
"""

import json
import os
import unittest
import uuid

import keyprotect
import redstone
import requests
from keyprotect import bxauth

with open(os.environ["MKP_READY_FILE"], encoding="utf-8") as ready_file:
    READY = json.load(ready_file)

Refusal = redstone.client.KeyProtect.KeyProtectError


def credentials(api_key=None, **options):
    return bxauth.TokenManager(api_key=api_key or READY["apiKey"], iam_endpoint=READY["iamUrl"], **options)


def client(instance=None, api_key=None, **options):
    return keyprotect.Client(
        credentials=credentials(api_key, **options),
        region=READY["region"],
        service_instance_id=instance or READY["instanceId"],
        endpoint_url=READY["url"],
    )


def resource_controller():
    return redstone.service(
        "ResourceController", credentials=credentials(), region=READY["region"], endpoint_url=READY["url"]
    )


def admin(path, body):
    headers = {}
    if "adminToken" in READY:
        headers["Authorization"] = f"Bearer {READY['adminToken']}"
    reply = requests.post(READY["adminUrl"] + path, json=body, headers=headers, timeout=120)
    reply.raise_for_status()
    return reply.json()


def advance(by):
    admin("/clock/advance", {"by": by})


def a_name(prefix="key"):
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


class KeyProtectTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.kp = client()

    def root_key(self, **options):
        return self.kp.create_key(a_name(), root=True, **options)["id"]

    def refused(self, status, text, call, *arguments):
        """Calls and expects this refusal; the exception's text is the reply's errorMsg alone."""
        with self.assertRaises(Refusal) as caught:
            call(*arguments)
        self.assertEqual(status, caught.exception.http_error.response.status_code)
        self.assertIn(text, str(caught.exception))
