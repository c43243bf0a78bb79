"""Each public method of the SDK is called by one of these test programs; a checker looks for those that are not."""

import ast
import inspect
import unittest
from pathlib import Path

import requests
from ibm_cloud_sdk_core import BaseService
from keyprotect.ibm_key_protect_api_v2 import IbmKeyProtectApiV2
from kp import READY, KeyProtectTest, token_of


def calls(source):
    """Names of the methods that a program calls."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            # A method is called, or handed to what calls it.
            for name in [node.func, *node.args]:
                if isinstance(name, ast.Attribute):
                    yield name.attr


class EachMethod(KeyProtectTest):
    def test_each_public_method_is_called(self):
        programs = Path(__file__).parent.glob("*.py")
        called = {name for program in programs for name in calls(program.read_text(encoding="utf-8"))}
        inherited = dict(inspect.getmembers(BaseService, inspect.isfunction))
        methods = inspect.getmembers(IbmKeyProtectApiV2, inspect.isfunction)
        own = [name for name, _ in methods if not name.startswith("_") and name not in inherited]
        self.assertGreater(len(own), 40)
        self.assertEqual([], [name for name in own if name not in called])

    def test_registrations_are_read_by_key_and_all_of_them(self):
        key = self.root_key()
        self.assertEqual([], self.registrations(self.kp.get_registrations, id=key))
        crn = register(self.kp, key)
        self.assertEqual([key], self.registrations(self.kp.get_registrations, id=key))
        found = self.registrations(self.kp.get_registrations_all_keys, url_encoded_resource_crn_query=crn)
        self.assertEqual([key], found)

    def registrations(self, call, **options):
        reply = call(bluemix_instance=READY["instanceId"], **options)
        self.assertEqual(200, reply.get_status_code())
        result = reply.get_result()
        envelope = result if isinstance(result, dict) else result.json()
        return [item["keyId"] for item in envelope["resources"]]


def register(kp, key):
    """A registration as the storage service makes it; the SDK has no call for that."""
    form = {
        "grant_type": "urn:ibm:params:oauth:grant-type:iam-authz",
        "access_token": token_of(kp),
        "desired_iam_id": f"crn-{READY['cosInstanceCrn']}",
    }
    token = requests.post(READY["iamUrl"] + "/identity/token", data=form, timeout=60).json()["access_token"]
    crn = READY["cosInstanceCrn"].removesuffix("::") + ":bucket:ledger"
    headers = {"Authorization": f"Bearer {token}", "Bluemix-Instance": READY["instanceId"]}
    path = f"/api/v2/keys/{key}/registrations/{requests.utils.quote(crn, safe='')}"
    requests.post(READY["url"] + path, headers=headers, timeout=60).raise_for_status()
    return crn


if __name__ == "__main__":
    unittest.main()
