"""Wrap, unwrap and rewrap with a root key, with and without additional authenticated data."""

import json
import os
import unittest

from kp import ACTION, KeyProtectTest, b64, body, tampered, unb64


class Wrapping(KeyProtectTest):
    def test_a_wrap_without_plaintext_makes_a_data_key_of_32_bytes(self):
        key = self.root_key()
        wrapped = self.wrap(key)
        self.assertEqual({"plaintext", "ciphertext", "keyVersion"}, set(wrapped))
        self.assertEqual({"id": key}, wrapped["keyVersion"])
        self.assertEqual(32, len(unb64(wrapped["plaintext"])))
        self.assertEqual(
            {"plaintext": wrapped["plaintext"], "keyVersion": {"id": key}}, self.unwrap(key, wrapped["ciphertext"])
        )

    def test_a_wrap_may_have_no_body_at_all(self):
        reply = self.kp.wrap_key(self.root_key(), self.instance)
        self.assertEqual(32, len(unb64(self.content(reply, media=ACTION)["plaintext"])))

    def test_a_plaintext_of_any_length_comes_back_and_is_not_repeated_by_wrap(self):
        key = self.root_key()
        for length in (1, 16, 24, 32, 39, 7500):
            plaintext = b64(os.urandom(length))
            wrapped = self.wrap(key, plaintext=plaintext)
            self.assertEqual({"ciphertext", "keyVersion"}, set(wrapped))
            self.assertEqual(plaintext, self.unwrap(key, wrapped["ciphertext"])["plaintext"])

    def test_an_imported_root_key_wraps_and_unwraps(self):
        for length in (16, 24, 32):
            key = self.root_key(payload=b64(os.urandom(length)))
            plaintext = b64(b"a data key")
            self.assertEqual(plaintext, self.unwrap(key, self.wrap(key, plaintext=plaintext)["ciphertext"])["plaintext"])

    def test_each_wrap_of_one_plaintext_gives_another_ciphertext(self):
        key = self.root_key()
        plaintext = b64(b"the same")
        self.assertEqual(5, len({self.wrap(key, plaintext=plaintext)["ciphertext"] for _ in range(5)}))

    def test_the_ciphertext_names_the_key_version_that_made_it(self):
        key = self.root_key()
        document = json.loads(unb64(self.wrap(key)["ciphertext"]))
        self.assertEqual(["ciphertext", "iv", "version", "handle"], list(document))
        self.assertEqual(("4.0.0", key, 12), (document["version"], document["handle"], len(unb64(document["iv"]))))

    def test_unwrap_needs_the_aad_of_the_wrap_in_order_number_and_text(self):
        key = self.root_key()
        aad = ["tenant-1", "object-7"]
        wrapped = self.wrap(key, aad=aad)
        self.assertEqual(wrapped["plaintext"], self.unwrap(key, wrapped["ciphertext"], aad=aad)["plaintext"])
        for other in (["object-7", "tenant-1"], ["tenant-1"], ["tenant-1object-7"], ["tenant-1", "Object-7"], []):
            with self.subTest(aad=other):
                sent = body({"ciphertext": wrapped["ciphertext"], "aad": other})
                error = self.refused(422, "UNPROCESSABLE_CIPHERTEXT_ERR", self.kp.unwrap_key, key, self.instance, sent)
                self.assertIn("Unwrap with key could not be performed", error["errorMsg"])

    def test_a_ciphertext_without_aad_does_not_unwrap_with_one(self):
        key = self.root_key()
        sent = body({"ciphertext": self.wrap(key)["ciphertext"], "aad": ["x"]})
        self.refused(422, "UNPROCESSABLE_CIPHERTEXT_ERR", self.kp.unwrap_key, key, self.instance, sent)

    def test_a_tampered_ciphertext_is_refused_by_unwrap_and_rewrap(self):
        key = self.root_key()
        forged = tampered(self.wrap(key)["ciphertext"])
        for call in (self.kp.unwrap_key, self.kp.rewrap_key):
            self.refused(422, "UNPROCESSABLE_CIPHERTEXT_ERR", call, key, self.instance, body({"ciphertext": forged}))

    def test_another_key_does_not_unwrap_the_ciphertext(self):
        sent = body({"ciphertext": self.wrap(self.root_key())["ciphertext"]})
        self.refused(422, "UNPROCESSABLE_CIPHERTEXT_ERR", self.kp.unwrap_key, self.root_key(), self.instance, sent)

    def test_another_key_with_the_same_material_does_unwrap_it(self):
        material = b64(os.urandom(32))
        first, second = self.root_key(payload=material), self.root_key(payload=material)
        wrapped = self.wrap(first)
        unwrapped = self.unwrap(second, wrapped["ciphertext"])
        self.assertEqual(wrapped["plaintext"], unwrapped["plaintext"])
        self.assertEqual({"id": second}, unwrapped["keyVersion"])

    def test_rewrap_before_a_rotation_keeps_the_version_and_renews_the_ciphertext(self):
        key = self.root_key()
        wrapped = self.wrap(key, aad=["a"])
        rewrapped = self.rewrap(key, wrapped["ciphertext"], aad=["a"])
        self.assertEqual({"ciphertext", "keyVersion", "rewrappedKeyVersion"}, set(rewrapped))
        self.assertEqual(({"id": key}, {"id": key}), (rewrapped["keyVersion"], rewrapped["rewrappedKeyVersion"]))
        self.assertNotEqual(wrapped["ciphertext"], rewrapped["ciphertext"])
        self.assertEqual(wrapped["plaintext"], self.unwrap(key, rewrapped["ciphertext"], aad=["a"])["plaintext"])


if __name__ == "__main__":
    unittest.main()
