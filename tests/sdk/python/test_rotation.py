"""Rotating generated and imported root keys, and what old ciphertexts and versions show afterwards."""

import os
import unittest

from kp import VERSION, KeyProtectTest, advance, b64, body


class Rotation(KeyProtectTest):
    def test_a_rotated_key_unwraps_the_old_ciphertext_and_offers_a_new_one(self):
        key = self.root_key()
        wrapped = self.wrap(key, aad=["a"])
        self.rotate(key)
        newest = self.get(key)["keyVersion"]["id"]
        self.assertNotEqual(key, newest)

        unwrapped = self.unwrap(key, wrapped["ciphertext"], aad=["a"])
        self.assertEqual({"plaintext", "ciphertext", "keyVersion", "rewrappedKeyVersion"}, set(unwrapped))
        self.assertEqual(wrapped["plaintext"], unwrapped["plaintext"])
        self.assertEqual(({"id": key}, {"id": newest}), (unwrapped["keyVersion"], unwrapped["rewrappedKeyVersion"]))
        self.assertNotEqual(wrapped["ciphertext"], unwrapped["ciphertext"])

        again = self.unwrap(key, unwrapped["ciphertext"], aad=["a"])
        self.assertEqual({"plaintext": wrapped["plaintext"], "keyVersion": {"id": newest}}, again)

    def test_rewrap_after_a_rotation_moves_the_ciphertext_to_the_newest_version(self):
        key = self.root_key()
        wrapped = self.wrap(key)
        self.rotate(key)
        newest = self.get(key)["keyVersion"]["id"]
        rewrapped = self.rewrap(key, wrapped["ciphertext"])
        self.assertEqual(({"id": key}, {"id": newest}), (rewrapped["keyVersion"], rewrapped["rewrappedKeyVersion"]))
        self.assertEqual(
            {"plaintext": wrapped["plaintext"], "keyVersion": {"id": newest}}, self.unwrap(key, rewrapped["ciphertext"])
        )

    def test_a_rotated_key_wraps_with_its_newest_version(self):
        key = self.root_key()
        self.rotate(key)
        self.assertEqual({"id": self.get(key)["keyVersion"]["id"]}, self.wrap(key)["keyVersion"])

    def test_a_first_rotation_sets_the_rotation_date_and_keeps_the_id(self):
        key = self.root_key()
        self.assertNotIn("lastRotateDate", self.get(key))
        self.nothing(self.kp.rotate_key(key, self.instance))
        shown = self.get(key)
        self.assertEqual((key, 1), (shown["id"], shown["state"]))
        self.assertEqual(shown["lastRotateDate"], shown["keyVersion"]["creationDate"])

    def test_a_second_rotation_within_the_hour_is_refused_and_allowed_after_it(self):
        key = self.root_key()
        self.rotate(key)
        error = self.refused(409, "KEY_ROTATION_NOT_PERMITTED", self.kp.rotate_key, key, self.instance)
        self.assertIn("Key could not be rotated", error["errorMsg"])
        advance("1h")
        self.rotate(key)
        self.assertEqual(3, len(self.versions(key)))

    def test_versions_are_listed_newest_first_and_end_with_the_key_id(self):
        key = self.root_key()
        made = [key]
        for _ in range(3):
            self.rotate(key)
            made.insert(0, self.get(key)["keyVersion"]["id"])
            advance("1h")
        self.assertEqual(made, [version["id"] for version in self.versions(key)])
        self.assertEqual(made[1:3], [version["id"] for version in self.versions(key, limit=2, offset=1)])
        reply = self.kp.get_key_versions(key, self.instance, limit=1, total_count=True)
        self.assertEqual(4, self.content(reply, media=VERSION)["metadata"]["totalCount"])

    def test_every_older_ciphertext_still_unwraps_after_many_rotations(self):
        key = self.root_key()
        wrapped = []
        for _ in range(4):
            wrapped.append(self.wrap(key))
            self.rotate(key)
            advance("1h")
        for item in wrapped:
            unwrapped = self.unwrap(key, item["ciphertext"])
            self.assertEqual(item["plaintext"], unwrapped["plaintext"])
            self.assertEqual(item["keyVersion"], unwrapped["keyVersion"])

    def test_a_generated_key_takes_no_payload_when_it_rotates(self):
        sent = body({"payload": b64(os.urandom(32))})
        key = self.root_key()
        error = self.refused(
            400, "INVALID_QUERY_PARAM_ERR", self.kp.rotate_key, key, self.instance, key_action_rotate_body=sent
        )
        self.assertEqual({"type": "query_param", "name": "payload"}, error["reasons"][0]["target"])
        self.rotate(key)

    def test_an_imported_key_needs_a_payload_when_it_rotates(self):
        key = self.root_key(payload=b64(os.urandom(16)))
        error = self.refused(400, "KEY_PAYLOAD_REQ_ERR", self.kp.rotate_key, key, self.instance)
        self.assertEqual({"type": "field", "name": "payload"}, error["reasons"][0]["target"])

    def test_an_imported_key_may_rotate_to_material_of_another_length(self):
        key = self.root_key(payload=b64(os.urandom(16)))
        wrapped = self.wrap(key)
        self.rotate(key, payload=b64(os.urandom(32)))
        self.assertEqual(256, self.get(key)["algorithmBitSize"])
        self.assertEqual(wrapped["plaintext"], self.unwrap(key, wrapped["ciphertext"])["plaintext"])

    def test_rotation_material_of_a_wrong_length_is_refused(self):
        key = self.root_key(payload=b64(os.urandom(16)))
        sent = body({"payload": b64(os.urandom(15))})
        self.refused(400, "INVALID_FIELD_ERR", self.kp.rotate_key, key, self.instance, key_action_rotate_body=sent)


if __name__ == "__main__":
    unittest.main()
