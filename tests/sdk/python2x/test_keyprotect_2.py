"""The older Python client, keyprotect 2 on redstone: POST /oidc/token, bodies that are missing or empty."""

import os
import unittest
import uuid

from kp import READY, KeyProtectTest, a_name, advance, client, resource_controller

UNAUTHORIZED = "Unauthorized: The user does not have access to the specified resource"


class Keys(KeyProtectTest):
    def test_root_and_standard_keys_are_created_read_and_listed(self):
        alias = a_name("alias")
        root = self.kp.create_key(a_name(), root=True, alias_list=[alias])
        standard = self.kp.create_key(a_name(), payload=b"a secret")
        self.assertEqual((False, True), (root["extractable"], standard["extractable"]))
        self.assertEqual([alias], root["aliases"])
        self.assertEqual(root["id"], self.kp.get_key(alias)["id"])
        self.assertEqual("YSBzZWNyZXQ=", self.kp.get_key(standard["id"])["payload"])
        listed = {key["id"] for key in self.kp.list_keys()}
        self.assertLessEqual({root["id"], standard["id"]}, listed)

    def test_wrap_and_unwrap_with_and_without_aad(self):
        message = b"This is a really important message."
        for key in (self.root_key(), self.root_key(payload=os.urandom(16))):
            for aad in (None, ["python", "2x"]):
                wrapped = self.kp.wrap(key, message, aad=aad)
                self.assertEqual(message, self.kp.unwrap(key, wrapped["ciphertext"], aad=aad))
            self.refused(422, "(UNPROCESSABLE_CIPHERTEXT_ERR)", self.kp.unwrap, key, wrapped["ciphertext"])

    def test_wrap_without_a_plaintext_makes_one(self):
        self.assertIn("plaintext", self.kp.wrap(self.root_key(), None))

    def test_rotate_and_rewrap(self):
        key = self.root_key()
        wrapped = self.kp.wrap(key, b"before")
        self.kp.rotate_key(key)
        self.assertEqual(b"before", self.kp.unwrap(key, wrapped["ciphertext"]))
        rewrapped = self.kp.rewrap(key, wrapped["ciphertext"])
        self.assertNotEqual(rewrapped["keyVersion"], rewrapped["rewrappedKeyVersion"])
        self.assertEqual(b"before", self.kp.unwrap(key, rewrapped["ciphertext"]))
        self.refused(409, "(KEY_ROTATION_NOT_PERMITTED)", self.kp.rotate_key, key)

    def test_an_imported_key_rotates_to_new_material(self):
        key = self.root_key(payload=os.urandom(16))
        wrapped = self.kp.wrap(key, b"before")
        self.kp.rotate_key(key, os.urandom(32))
        self.assertEqual(b"before", self.kp.unwrap(key, wrapped["ciphertext"]))

    def test_disable_and_enable(self):
        key = self.root_key()
        wrapped = self.kp.wrap(key, b"message")
        self.kp.disable_key(key)
        self.refused(409, "(KEY_ACTION_INVALID_STATE_ERR)", self.kp.unwrap, key, wrapped["ciphertext"])
        self.refused(409, "(REQ_TOO_EARLY_ERR)", self.kp.enable_key, key)
        advance("30s")
        self.kp.enable_key(key)
        self.assertEqual(b"message", self.kp.unwrap(key, wrapped["ciphertext"]))

    def test_delete_restore_and_purge(self):
        for root in (True, False):
            key = self.kp.create_key(a_name(), root=root)["id"]
            self.kp.delete_key(key)
            self.assertEqual(5, self.kp.get_key(key)["state"])
            self.refused(410, "(KEY_DELETED_ERR)", self.kp.delete_key, key)
            self.refused(409, "(REQ_TOO_EARLY_ERR)", self.kp.restore_key, key)
            advance("30s")
            self.kp.restore_key(key)
            self.assertEqual(1, self.kp.get_key(key)["state"])
            self.kp.delete_key(key)
            self.refused(409, "(REQ_TOO_EARLY_ERR)", self.kp.purge_key, key)
            advance("4h")
            self.kp.purge_key(key)
            self.refused(404, "(KEY_NOT_FOUND_ERR)", self.kp.get_key, key)

    def test_sync_has_no_body_and_is_refused_after_a_deletion(self):
        key = self.root_key()
        self.kp.sync_associated_resources(key)
        self.kp.delete_key(key)
        self.refused(409, "(REQ_TOO_EARLY_ERR)", self.kp.sync_associated_resources, key)

    def test_aliases_and_rings(self):
        key, alias, ring = self.root_key(), a_name("alias"), a_name("ring")
        self.assertEqual(alias, self.kp.create_key_alias(key, alias)["resources"][0]["alias"])
        self.kp.delete_key_alias(key, alias)
        self.kp.create_key_ring(ring)
        self.kp.set_key_ring(key, "default", ring)
        self.assertEqual(ring, self.kp.get_key(key)["keyRingID"])
        self.kp.set_key_ring(key, ring, "default")
        self.kp.delete_key_ring(ring)
        self.assertNotIn(ring, [item["id"] for item in self.kp.get_key_rings()["resources"]])

    def test_an_import_token_counts_down(self):
        self.kp.create_import_token(expiration=600, max_allowed_retrievals=50)
        self.assertEqual(49, self.kp.get_import_token()["remainingRetrievals"])


class CallersAndInstances(KeyProtectTest):
    def test_refresh_tokens_are_taken(self):
        kp = client(use_refresh_token=True)
        kp.list_keys()
        kp.credentials._refresh_token()
        kp.list_keys()

    def test_an_unknown_instance_is_unauthorized(self):
        self.refused(401, UNAUTHORIZED, client(instance=str(uuid.uuid4())).list_keys)

    def test_a_new_instance_is_empty_and_is_deleted_when_its_keys_are(self):
        controller = resource_controller()
        guid, crn = controller.create_instance("second", controller.KEYPROTECT_PLAN_ID)
        self.assertIn(guid, [item["guid"] for item in controller.list_instances()])
        self.assertEqual(guid, controller.get_instance(guid)["guid"])
        second = client(instance=guid)
        self.assertEqual([], second.list_keys())
        key = second.create_key(a_name(), root=True)
        self.assertEqual([key["id"]], [item["id"] for item in second.list_keys()])
        self.refused(404, "(KEY_NOT_FOUND_ERR)", self.kp.get_key, key["id"])
        with self.assertRaisesRegex(Exception, "code=409"):
            controller.delete_instance(crn)
        second.delete_key(key["id"])
        controller.delete_instance(crn)
        self.assertEqual("removed", controller.get_instance(guid)["state"])
        self.assertTrue(READY["instanceCrn"].endswith("::"))


if __name__ == "__main__":
    unittest.main()
