"""Standard keys: their payload goes out, their life is short of the root-only actions."""

import os
import unittest

from kp import REPRESENTATION, KeyProtectTest, advance, b64, body, unb64


class StandardKeys(KeyProtectTest):
    def test_a_generated_payload_has_32_bytes_and_is_shown_by_get_alone(self):
        key = self.create(extractable=True)
        self.assertNotIn("payload", key)
        shown = self.get(key["id"])
        self.assertEqual(32, len(unb64(shown["payload"])))
        self.assertEqual(shown["payload"], self.get(key["id"])["payload"])
        self.assertNotIn("payload", self.metadata(key["id"]))
        for item in self.all_of(self.kp.get_keys(self.instance)):
            self.assertNotIn("payload", item)

    def test_an_imported_payload_comes_back_as_it_was_sent(self):
        for length in (1, 16, 33, 7500):
            payload = b64(os.urandom(length))
            key = self.create(extractable=True, prefer=REPRESENTATION, payload=payload)
            self.assertEqual((True, payload), (key["imported"], key["payload"]))
            self.assertEqual(payload, self.get(key["id"])["payload"])

    def test_root_only_actions_are_refused(self):
        key = self.standard_key()
        for call in (
            self.kp.wrap_key,
            self.kp.rotate_key,
            self.kp.disable_key,
            self.kp.enable_key,
            self.kp.sync_associated_resources,
            self.kp.get_key_versions,
        ):
            with self.subTest(call=call.__name__):
                self.refused(400, "KEY_ROOT_REQ_ERR", call, key, self.instance)
        sent = {"ciphertext": self.wrap(self.root_key())["ciphertext"]}
        for call in (self.kp.unwrap_key, self.kp.rewrap_key):
            with self.subTest(call=call.__name__):
                self.refused(400, "KEY_ROOT_REQ_ERR", call, key, self.instance, body(sent))
        self.assertEqual(1, self.get(key)["state"])

    def test_generated_and_imported_ones_are_deleted_restored_and_purged(self):
        for fields in ({}, {"payload": b64(b"an imported secret")}):
            with self.subTest(imported=bool(fields)):
                key = self.standard_key(**fields)
                payload = self.get(key)["payload"]
                self.delete(key)
                gone = self.get(key)
                self.assertEqual(5, gone["state"])
                self.assertNotIn("payload", gone)
                self.refused(410, "KEY_DELETED_ERR", self.kp.delete_key, key, self.instance)
                self.refused(409, "REQ_TOO_EARLY_ERR", self.kp.restore_key, key, self.instance)
                advance("30s")
                self.assertEqual(1, self.restore(key)["state"])
                self.assertEqual(payload, self.get(key)["payload"])
                self.delete(key)
                self.refused(409, "REQ_TOO_EARLY_ERR", self.kp.purge_key, key, self.instance)
                advance("4h")
                self.purge(key)
                self.refused(404, "KEY_NOT_FOUND_ERR", self.kp.get_key, key, self.instance)

    def test_deleting_with_representation_answers_the_material_once_more(self):
        key = self.standard_key()
        payload = self.get(key)["payload"]
        deleted = self.one(self.kp.delete_key(key, self.instance, prefer=REPRESENTATION))
        self.assertEqual((5, payload), (deleted["state"], deleted["payload"]))


if __name__ == "__main__":
    unittest.main()
