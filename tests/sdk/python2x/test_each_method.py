"""Each public method of the older client has a test of its own here, `test_<method>`; a checker looks for those without."""

import base64
import inspect
import os
import unittest
from pathlib import Path

import keyprotect
import redstone
import requests
from keyprotect import bxauth
from kp import READY, KeyProtectTest, a_name, admin, advance, client, credentials, resource_controller

FIXTURE = Path(__file__).parents[2] / "it" / "fixtures" / "kmip" / "rsa.pem"
BUCKET = READY["cosInstanceCrn"].removesuffix("::") + ":bucket:ledger"


class KeyProtect(KeyProtectTest):
    service = type(client())

    def dual_key(self):
        key = self.root_key()
        self.kp.set_key_dual_auth_policy(key, True)
        return key

    def test_list_keys(self):
        key = self.root_key()
        self.assertIn(key, [item["id"] for item in self.kp.list_keys()])

    def test_get_key(self):
        made = self.kp.create_key(a_name(), payload=b"a secret")
        self.assertEqual(b"a secret", base64.b64decode(self.kp.get_key(made["id"])["payload"]))

    def test_create_key(self):
        made = self.kp.create_key(a_name(), root=True, raw_payload=base64.b64encode(os.urandom(24)).decode())
        self.assertEqual((False, True, 1), (made["extractable"], made["imported"], made["state"]))

    def test_delete_key(self):
        key = self.root_key()
        self.assertIsNone(self.kp.delete_key(key))
        self.assertEqual(5, self.kp.get_key(key)["state"])

    def test_wrap(self):
        self.assertEqual({"ciphertext", "keyVersion"}, set(self.kp.wrap(self.root_key(), b"text")))

    def test_unwrap(self):
        key = self.root_key()
        self.assertEqual(b"text", self.kp.unwrap(key, self.kp.wrap(key, b"text")["ciphertext"]))

    def test_rewrap(self):
        key = self.root_key()
        sealed = self.kp.wrap(key, b"text", aad=["a"])["ciphertext"]
        again = self.kp.rewrap(key, sealed, aad=["a"])["ciphertext"]
        self.assertNotEqual(sealed, again)
        self.assertEqual(b"text", self.kp.unwrap(key, again, aad=["a"]))

    def test_rotate_key(self):
        key = self.root_key()
        self.kp.rotate_key(key)
        self.assertNotEqual(key, self.kp.get_key(key)["keyVersion"]["id"])

    def test_restore_key(self):
        key = self.root_key()
        self.kp.delete_key(key)
        advance("30s")
        self.kp.restore_key(key)
        self.assertEqual(1, self.kp.get_key(key)["state"])

    def test_disable_key(self):
        key = self.root_key()
        self.kp.disable_key(key)
        self.assertEqual(2, self.kp.get_key(key)["state"])

    def test_enable_key(self):
        key = self.root_key()
        self.kp.disable_key(key)
        advance("30s")
        self.kp.enable_key(key)
        self.assertEqual(1, self.kp.get_key(key)["state"])

    def test_sync_associated_resources(self):
        key = self.root_key()
        self.kp.sync_associated_resources(key)
        self.refused(409, "(REQ_TOO_EARLY_ERR)", self.kp.sync_associated_resources, key)

    def test_create_key_ring(self):
        ring = a_name("ring")
        self.kp.create_key_ring(ring)
        self.refused(409, "(KEY_RING_NOT_UNIQUE_ERR)", self.kp.create_key_ring, ring)

    def test_get_key_rings(self):
        self.assertEqual("default", self.kp.get_key_rings()["resources"][0]["id"])

    def test_delete_key_ring(self):
        ring = a_name("ring")
        self.kp.create_key_ring(ring)
        self.kp.delete_key_ring(ring)
        self.refused(404, "(KEY_RING_NOT_FOUND_ERR)", self.kp.delete_key_ring, ring)

    def test_create_import_token(self):
        token = self.kp.create_import_token(expiration=300, max_allowed_retrievals=2)
        self.assertEqual((2, 2), (token["maxAllowedRetrievals"], token["remainingRetrievals"]))

    def test_get_import_token(self):
        self.kp.create_import_token(max_allowed_retrievals=2)
        token = self.kp.get_import_token()
        self.assertIn("BEGIN PUBLIC KEY", base64.b64decode(token["payload"]).decode())

    def test_get_registrations(self):
        key = self.root_key()
        self.assertEqual([], self.kp.get_registrations(key)["resources"])
        register(key)
        self.assertEqual([BUCKET], [item["resourceCrn"] for item in self.kp.get_registrations(key)["resources"]])
        found = self.kp.get_registrations(crn=BUCKET.replace("ledger", "led*"))["resources"]
        self.assertIn(key, [item["keyId"] for item in found])

    def test_create_key_alias(self):
        key, alias = self.root_key(), a_name("alias")
        self.kp.create_key_alias(key, alias)
        self.assertEqual(key, self.kp.get_key(alias)["id"])

    def test_delete_key_alias(self):
        key, alias = self.root_key(), a_name("alias")
        self.kp.create_key_alias(key, alias)
        self.kp.delete_key_alias(key, alias)
        self.refused(404, "(KEY_NOT_FOUND_ERR)", self.kp.get_key, alias)

    def test_set_key_rotation_policy(self):
        key = self.root_key()
        self.kp.set_key_rotation_policy(key, 3)
        self.assertEqual({"enabled": True, "interval_month": 3}, self.kp.get_key(key)["rotation"])

    def test_set_key_dual_auth_policy(self):
        key = self.dual_key()
        self.refused(409, "(AUTHORIZATIONS_NOT_MET)", self.kp.delete_key, key)

    def test_get_key_policies(self):
        key = self.root_key()
        self.assertEqual([], self.kp.get_key_policies(key)["resources"])
        self.kp.set_key_rotation_policy(key, 12)
        self.assertEqual(12, self.kp.get_key_policies(key)["resources"][0]["rotation"]["interval_month"])

    def test_initiate_dual_auth_delete(self):
        key = self.dual_key()
        self.kp.initiate_dual_auth_delete(key)
        client(api_key="another person").delete_key(key)
        self.assertEqual(5, self.kp.get_key(key)["state"])

    def test_cancel_dual_auth_delete(self):
        key = self.dual_key()
        self.kp.initiate_dual_auth_delete(key)
        self.kp.cancel_dual_auth_delete(key)
        self.refused(409, "(AUTHORIZATIONS_NOT_MET)", client(api_key="another person").delete_key, key)

    def test_set_key_ring(self):
        key, ring = self.root_key(), a_name("ring")
        self.kp.create_key_ring(ring)
        self.kp.set_key_ring(key, "default", ring)
        self.assertEqual(ring, self.kp.get_key(key)["keyRingID"])

    def test_purge_key(self):
        key = self.root_key()
        self.kp.delete_key(key)
        self.refused(409, "(REQ_TOO_EARLY_ERR)", self.kp.purge_key, key)
        advance("4h")
        self.kp.purge_key(key)
        self.refused(404, "(KEY_NOT_FOUND_ERR)", self.kp.get_key, key)

    # Older names.

    def test_create(self):
        self.assertTrue(self.kp.create(a_name())["extractable"])

    def test_get(self):
        key = self.root_key()
        self.assertEqual(key, self.kp.get(key)["id"])

    def test_keys(self):
        key = self.root_key()
        self.assertIn(key, [item["id"] for item in self.kp.keys()])

    def test_rotate(self):
        key = self.root_key()
        self.kp.rotate(key)
        self.refused(409, "(KEY_ROTATION_NOT_PERMITTED)", self.kp.rotate, key)

    def test_delete(self):
        key = self.root_key()
        self.kp.delete(key)
        self.refused(410, "(KEY_DELETED_ERR)", self.kp.delete, key)

    def adapter(self):
        return self.kp.kmip_adapter_create("native_1.0", {"crk_id": self.root_key()}, name=a_name("adapter"))

    def with_certificate(self):
        """An adapter with the certificate, which may be in one adapter alone."""
        name = self.adapter()["name"]
        self.kp.kmip_cert_create(name, FIXTURE.read_text(encoding="ascii"), "vcenter")
        self.addCleanup(self.kp.kmip_adapter_delete, name)
        return name

    def with_object(self, state=3):
        name = self.adapter()["name"]
        made = admin("/kmip-objects", {"instanceId": READY["instanceId"], "adapter": name, "state": state})
        return name, made["id"]

    def test_kmip_adapter_create(self):
        self.assertEqual("native_1.0", self.adapter()["profile"])

    def test_kmip_adapter_delete(self):
        adapter = self.adapter()
        self.kp.kmip_adapter_delete(adapter["id"])
        self.refused(404, "(KMIP_ADAPTER_NOT_FOUND_ERR)", self.kp.kmip_adapter_delete, adapter["id"])

    def test_kmip_adapter_get(self):
        adapter = self.adapter()
        self.assertEqual(adapter, self.kp.kmip_adapter_get(adapter["name"]))

    def test_kmip_adapter_list(self):
        adapter = self.adapter()
        self.assertIn(adapter["id"], [item["id"] for item in self.kp.kmip_adapter_list()["resources"]])

    def test_kmip_cert_create(self):
        self.refused(409, "(KMIP_CERT_DUPLICATE_ERR)", self.kp.kmip_cert_create, self.with_certificate(),
                     FIXTURE.read_text(encoding="ascii"), "again")

    def test_kmip_cert_delete(self):
        name = self.with_certificate()
        self.kp.kmip_cert_delete(name, "vcenter")
        self.assertEqual([], self.kp.kmip_cert_list(name)["resources"])

    def test_kmip_cert_get(self):
        self.assertIn("BEGIN CERTIFICATE", self.kp.kmip_cert_get(self.with_certificate(), "vcenter")["certificate"])

    def test_kmip_cert_list(self):
        listed = self.kp.kmip_cert_list(self.with_certificate())["resources"]
        self.assertEqual(["vcenter"], [item["name"] for item in listed])

    def test_kmip_object_delete(self):
        name, made = self.with_object()
        self.kp.kmip_object_delete(name, made)
        self.assertEqual(5, self.kp.kmip_object_get(name, made)["state"])

    def test_kmip_object_get(self):
        name, made = self.with_object(1)
        self.assertEqual((2, 1), (self.kp.kmip_object_get(name, made)["kmip_object_type"],
                                  self.kp.kmip_object_get(name, made)["state"]))

    def test_kmip_object_list(self):
        name, made = self.with_object()
        self.assertEqual([made], [item["id"] for item in self.kp.kmip_object_list(name)["resources"]])

    def test_set_pre_send_fn(self):
        seen = []
        kp = client()
        kp.set_pre_send_fn(lambda request: seen.append(request.url) or request)
        kp.list_keys()
        self.assertEqual([f"{READY['url']}/api/v2/keys"], seen)

    def test_endpoint_for_region(self):
        self.assertTrue(self.kp.endpoint_for_region("us-south").endswith("us-south.kms.cloud.ibm.com"))


class InstancePolicies(KeyProtectTest):
    """Each on an instance of its own: some of them shut out everybody."""

    def setUp(self):
        controller = resource_controller()
        guid, _ = controller.create_instance(a_name(), controller.KEYPROTECT_PLAN_ID)
        self.own = client(instance=guid)

    def policy(self, kind):
        found = [item for item in self.own.get_instance_policies()["resources"] if item["policy_type"] == kind]
        self.assertEqual(1, len(found))
        return found[0]["policy_data"]

    def test_set_instance_dual_auth_policy(self):
        self.own.set_instance_dual_auth_policy(True)
        self.assertEqual({"enabled": True}, self.policy("dualAuthDelete"))

    def test_set_instance_allowed_network_policy(self):
        self.own.set_instance_allowed_network_policy(True, "public-and-private")
        self.assertEqual("public-and-private", self.policy("allowedNetwork")["attributes"]["allowed_network"])
        self.own.set_instance_allowed_network_policy(True, "private-only")
        self.refused(401, "Unauthorized", self.own.list_keys)

    def test_set_instance_allowed_ip_policy(self):
        self.own.set_instance_allowed_ip_policy(True, ["127.0.0.0/8"])
        self.assertEqual(["127.0.0.0/8"], self.policy("allowedIP")["attributes"]["allowed_ip"])
        self.own.set_instance_allowed_ip_policy(True, ["192.0.2.0/24"])
        self.refused(401, "Unauthorized", self.own.list_keys)

    def test_set_instance_key_create_import_access_policy(self):
        self.own.set_instance_key_create_import_access_policy(True, True, False, True, False, False)
        self.assertFalse(self.policy("keyCreateImportAccess")["attributes"]["create_standard_key"])
        self.refused(409, "(KEY_CREATE_IMPORT_ACCESS_ERR)", self.own.create_key, a_name())

    def test_set_instance_metrics_policy(self):
        self.own.set_instance_metrics_policy(True)
        self.assertEqual({"enabled": True}, self.policy("metrics"))

    def test_get_instance_policies(self):
        self.assertEqual([], self.own.get_instance_policies()["resources"])


class ResourceController(unittest.TestCase):
    service = redstone.client.ResourceController

    def setUp(self):
        self.rc = resource_controller()

    def test_get_default_resource_group(self):
        self.assertTrue(self.rc.get_default_resource_group()["default"])

    def test_resource_groups(self):
        self.assertEqual(1, len(self.rc.resource_groups()["resources"]))

    def test_create_instance(self):
        name = a_name("instance")
        guid, crn = self.rc.create_instance(name, self.rc.KEYPROTECT_PLAN_IDS["cross-region-resiliency"])
        self.assertIn(guid, crn)
        self.assertEqual(name, self.rc.get_instance(guid)["name"])

    def test_delete_instance(self):
        guid, crn = self.rc.create_instance(a_name(), self.rc.KEYPROTECT_PLAN_ID)
        self.rc.delete_instance(crn)
        self.assertEqual("removed", self.rc.get_instance(guid)["state"])

    def test_list_instances(self):
        self.assertIn(READY["instanceId"], [item["guid"] for item in self.rc.list_instances()])

    def test_get_instance(self):
        self.assertEqual(READY["instanceCrn"], self.rc.get_instance(READY["instanceId"])["crn"])
        self.assertIsNone(self.rc.get_instance("6e1ad3f0-91b5-4c8e-a1b4-1f3c25d6b0aa"))

    def test_set_pre_send_fn(self):
        seen = []
        self.rc.set_pre_send_fn(lambda request: seen.append(request.method) or request)
        self.rc.resource_groups()
        self.assertEqual(["GET"], seen)

    def test_endpoint_for_region(self):
        self.assertTrue(self.rc.endpoint_for_region("us-south").startswith("https://resource-controller."))


class TokenManager(unittest.TestCase):
    service = bxauth.TokenManager

    def test_get_token(self):
        manager = credentials()
        self.assertEqual(2, manager.get_token().count("."))
        self.assertEqual(manager.get_token(), manager.get_token())

    def test_is_token_expired(self):
        manager = credentials()
        self.assertTrue(manager.is_token_expired())
        manager.get_token()
        self.assertFalse(manager.is_token_expired())

    def test_is_refresh_token_expired(self):
        manager = credentials(use_refresh_token=True)
        manager.get_token()
        self.assertFalse(manager.is_refresh_token_expired())


class Checker(unittest.TestCase):
    def test_each_public_method_has_a_test(self):
        tested = {KeyProtect.service: [KeyProtect, InstancePolicies], ResourceController.service: [ResourceController]}
        tested[TokenManager.service] = [TokenManager]
        missing = []
        for service, cases in tested.items():
            for name, _ in inspect.getmembers(service, inspect.isfunction):
                if not name.startswith("_") and not any(hasattr(case, f"test_{name}") for case in cases):
                    missing.append(f"{service.__name__}.{name}")
        self.assertEqual([], missing)

    def test_the_other_services_are_none_of_key_protects(self):
        """A service that redstone gets one day has to be looked at."""
        known = {"BaseClient", "CIS", "IKS", "KeyProtect", "ResourceController"}
        services = inspect.getmembers(redstone.client, inspect.isclass)
        self.assertEqual(known, {name for name, one in services if issubclass(one, redstone.client.BaseClient)})
        self.assertIs(KeyProtect.service, redstone.client.KeyProtect)
        self.assertTrue(callable(keyprotect.Client))


def register(key):
    """A registration as the storage service makes it; this client has no call for that."""
    form = {
        "grant_type": "urn:ibm:params:oauth:grant-type:iam-authz",
        "access_token": credentials().get_token(),
        "desired_iam_id": f"crn-{READY['cosInstanceCrn']}",
    }
    token = requests.post(READY["iamUrl"] + "/identity/token", data=form, timeout=60).json()["access_token"]
    crn = requests.utils.quote(BUCKET, safe="")
    headers = {"Authorization": f"Bearer {token}", "Bluemix-Instance": READY["instanceId"]}
    reply = requests.post(f"{READY['url']}/api/v2/keys/{key}/registrations/{crn}", headers=headers, timeout=60)
    reply.raise_for_status()


if __name__ == "__main__":
    unittest.main()
