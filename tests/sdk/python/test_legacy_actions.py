"""The old form of actions, POST /keys/{id}?action=, which the SDK still offers as action_on_key."""

import logging
import unittest

from kp import ACTION, KeyProtectTest, advance, body

logging.disable(logging.WARNING)  # the SDK warns on every call that this form is deprecated


class LegacyActions(KeyProtectTest):
    def act(self, key, action, **fields):
        return self.kp.action_on_key(key, self.instance, action, body(fields))

    def test_wrap_unwrap_and_rewrap_work_in_the_old_form(self):
        key = self.root_key()
        wrapped = self.content(self.act(key, "wrap", aad=["a"]), media=ACTION)
        unwrapped = self.content(self.act(key, "unwrap", ciphertext=wrapped["ciphertext"], aad=["a"]), media=ACTION)
        self.assertEqual({"plaintext": wrapped["plaintext"], "keyVersion": {"id": key}}, unwrapped)
        rewrapped = self.content(self.act(key, "rewrap", ciphertext=wrapped["ciphertext"], aad=["a"]), media=ACTION)
        self.assertEqual({"id": key}, rewrapped["rewrappedKeyVersion"])
        self.assertEqual(wrapped["plaintext"], self.unwrap(key, rewrapped["ciphertext"], aad=["a"])["plaintext"])

    def test_rotate_disable_enable_and_restore_work_in_the_old_form(self):
        key = self.root_key()
        self.nothing(self.act(key, "rotate"))
        self.assertEqual(2, len(self.versions(key)))
        self.nothing(self.act(key, "disable"))
        self.refused(409, "REQ_TOO_EARLY_ERR", self.act, key, "enable")
        advance("30s")
        self.nothing(self.act(key, "enable"))
        self.delete(key)
        self.refused(409, "REQ_TOO_EARLY_ERR", self.act, key, "restore")
        advance("30s")
        self.assertEqual(1, self.one(self.act(key, "restore"), status=201)["state"])

    def test_refusals_are_those_of_the_new_form(self):
        self.refused(400, "KEY_ROOT_REQ_ERR", self.act, self.standard_key(), "wrap")
        self.refused(409, "NOT_DUAL_AUTH_ERR", self.act, self.root_key(), "setKeyForDeletion")
        self.refused(409, "NOT_DUAL_AUTH_ERR", self.act, self.root_key(), "unsetKeyForDeletion")

    def test_an_action_that_is_not_offered_is_refused(self):
        key = self.root_key()
        for action in ("sync", "Wrap", "purge"):
            error = self.refused(400, "INVALID_QUERY_PARAM_ERR", self.act, key, action)
            self.assertIn("Action could not be performed on key", error["errorMsg"])


if __name__ == "__main__":
    unittest.main()
