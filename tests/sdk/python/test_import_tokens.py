"""The life of an import token. (The Node tests import a key with one.)"""

import base64
import unittest

from kp import IMPORT_TOKEN, KeyProtectTest, advance, unb64


class ImportTokens(KeyProtectTest):
    def make(self, **options):
        return self.content(self.kp.post_import_token(self.instance, **options), media=IMPORT_TOKEN)

    def fetch(self):
        return self.content(self.kp.get_import_token(self.instance), media=IMPORT_TOKEN)

    def test_a_token_counts_its_retrievals_and_holds_a_public_key(self):
        made = self.make(expiration=600, max_allowed_retrievals=2)
        self.assertEqual({"creationDate", "expirationDate", "maxAllowedRetrievals", "remainingRetrievals"}, set(made))
        self.assertEqual((2, 2), (made["maxAllowedRetrievals"], made["remainingRetrievals"]))
        first = self.fetch()
        self.assertEqual(1, first["remainingRetrievals"])
        self.assertIn(b"BEGIN PUBLIC KEY", base64.b64decode(first["payload"]))
        self.assertEqual(12, len(unb64(first["nonce"])))
        self.assertEqual(0, self.fetch()["remainingRetrievals"])
        self.refused(409, "IMPORT_TOKEN_EXPIRED_ERR", self.kp.get_import_token, self.instance)

    def test_a_token_expires(self):
        self.make(expiration=300, max_allowed_retrievals=5)
        advance("301s")
        error = self.refused(409, "IMPORT_TOKEN_EXPIRED_ERR", self.kp.get_import_token, self.instance)
        self.assertIn("Import Token could not be retrieved", error["errorMsg"])

    def test_token_limits_outside_their_rules_are_refused(self):
        for options in ({"expiration": 299}, {"expiration": 86401}, {"max_allowed_retrievals": 501}):
            self.refused(400, "INVALID_FIELD_ERR", self.kp.post_import_token, self.instance, **options)


if __name__ == "__main__":
    unittest.main()
