"""Disabling and enabling, the waits between them, synchronisation, and keys that expire."""

import unittest

from kp import KeyProtectTest, advance, body, in_an_hour

WRONG_STATE = (409, "KEY_ACTION_INVALID_STATE_ERR")


class DisablingAndEnabling(KeyProtectTest):
    def test_a_disabled_key_shows_state_2_and_refuses_every_use(self):
        key = self.root_key()
        sent = {"ciphertext": self.wrap(key)["ciphertext"]}
        self.disable(key)
        self.assertEqual((2, 2), (self.get(key)["state"], self.metadata(key)["state"]))
        error = self.refused(*WRONG_STATE, self.kp.unwrap_key, key, self.instance, body(sent))
        self.assertIn("(KEY_ACTION_INVALID_STATE_ERR)", error["errorMsg"])
        self.refused(*WRONG_STATE, self.kp.rewrap_key, key, self.instance, body(sent))
        self.refused(*WRONG_STATE, self.kp.wrap_key, key, self.instance)
        self.refused(*WRONG_STATE, self.kp.rotate_key, key, self.instance)
        error = self.refused(*WRONG_STATE, self.kp.disable_key, key, self.instance)
        self.assertIn("Key is not in active state: Key could not be disabled", error["errorMsg"])

    def test_a_disabled_key_lists_its_versions_only_when_all_states_are_asked_for(self):
        key = self.root_key()
        self.disable(key)
        self.refused(*WRONG_STATE, self.kp.get_key_versions, key, self.instance)
        self.assertEqual([key], [version["id"] for version in self.versions(key, all_key_states=True)])

    def test_a_key_can_be_enabled_again_after_30_seconds(self):
        key = self.root_key()
        wrapped = self.wrap(key)
        self.disable(key)
        error = self.refused(409, "REQ_TOO_EARLY_ERR", self.kp.enable_key, key, self.instance)
        self.assertIn("Key could not be enabled", error["errorMsg"])
        advance("30s")
        self.enable(key)
        self.assertEqual(1, self.get(key)["state"])
        self.assertEqual(wrapped["plaintext"], self.unwrap(key, wrapped["ciphertext"])["plaintext"])

    def test_an_active_key_cannot_be_enabled(self):
        error = self.refused(*WRONG_STATE, self.kp.enable_key, self.root_key(), self.instance)
        self.assertIn("Key is not in suspended state: Key could not be enabled", error["errorMsg"])

    def test_a_disabled_key_can_be_deleted_at_once_and_comes_back_active(self):
        key = self.root_key()
        self.disable(key)
        self.delete(key)
        advance("30s")
        self.assertEqual(1, self.restore(key)["state"])

    def test_a_fresh_key_can_be_synchronised_and_then_not_for_an_hour(self):
        key = self.root_key()
        self.nothing(self.kp.sync_associated_resources(key, self.instance))
        error = self.refused(409, "REQ_TOO_EARLY_ERR", self.kp.sync_associated_resources, key, self.instance)
        self.assertIn("Could not initiate sync requests to associated resources", error["errorMsg"])
        advance("1h")
        self.nothing(self.kp.sync_associated_resources(key, self.instance))


class Expiring(KeyProtectTest):
    def test_an_expired_root_key_still_reads_old_ciphertexts_but_makes_no_new_ones(self):
        key = self.root_key(expirationDate=in_an_hour())
        wrapped = self.wrap(key)
        advance("1h")
        self.assertEqual(3, self.get(key)["state"])
        self.assertEqual(3, self.metadata(key)["state"])

        self.assertEqual(wrapped["plaintext"], self.unwrap(key, wrapped["ciphertext"])["plaintext"])
        self.assertEqual({"id": key}, self.rewrap(key, wrapped["ciphertext"])["keyVersion"])
        for call in (self.kp.wrap_key, self.kp.disable_key, self.kp.enable_key, self.kp.restore_key, self.kp.purge_key):
            self.refused(*WRONG_STATE, call, key, self.instance)

        self.rotate(key)
        self.assertEqual(3, self.get(key)["state"], "a rotation does not bring an expired key back")
        self.assertIn("rewrappedKeyVersion", self.unwrap(key, wrapped["ciphertext"]))

    def test_a_disabled_key_expires_too_and_cannot_be_enabled_afterwards(self):
        key = self.root_key(expirationDate=in_an_hour())
        self.disable(key)
        advance("1h")
        self.assertEqual(3, self.get(key)["state"])
        self.refused(*WRONG_STATE, self.kp.enable_key, key, self.instance)

    def test_an_expired_standard_key_keeps_its_payload(self):
        created = self.create(extractable=True, expirationDate=in_an_hour())
        payload = self.get(created["id"])["payload"]
        advance("1h")
        shown = self.get(created["id"])
        self.assertEqual((3, payload), (shown["state"], shown["payload"]))

    def test_an_expired_key_can_be_deleted_but_not_restored(self):
        key = self.root_key(expirationDate=in_an_hour())
        advance("1h")
        self.delete(key)
        self.assertFalse(self.get(key)["restoreAllowed"])
        advance("30s")
        self.refused(400, "KEY_EXPIRED_ERR", self.kp.restore_key, key, self.instance)


if __name__ == "__main__":
    unittest.main()
