"""Creating keys, and what the replies of create, get and metadata show."""

import os
import unittest
import uuid
from datetime import timedelta
from unittest import mock

from kp import MINIMAL, READY, REPRESENTATION, IbmKeyProtectApiV2, KeyProtectTest, a_name, b64, now, timestamp

SHORT_FORM = {"type", "id", "name", "state", "extractable", "keyRingID", "crn", "imported", "deleted"}
FULL_FORM = SHORT_FORM | {
    "creationDate",
    "createdBy",
    "lastUpdateDate",
    "algorithmType",
    "algorithmMetadata",
    "algorithmBitSize",
    "algorithmMode",
    "dualAuthDelete",
}


class CreatingAndReading(KeyProtectTest):
    def test_a_create_without_prefer_answers_the_short_form(self):
        for prefer in (None, MINIMAL):
            for extractable in (True, False):
                key = self.create(extractable=extractable, prefer=prefer, name="plain")
                self.assertEqual(SHORT_FORM, set(key))
                self.assertEqual(("plain", 1, extractable), (key["name"], key["state"], key["extractable"]))
                self.assertEqual(("default", False, False), (key["keyRingID"], key["imported"], key["deleted"]))

    def test_a_root_key_in_full_form_has_a_version_and_no_payload(self):
        key = self.create(prefer=REPRESENTATION)
        self.assertEqual(FULL_FORM | {"keyVersion"}, set(key))
        self.assertEqual(key["id"], key["keyVersion"]["id"])
        self.assertEqual(key["creationDate"], key["keyVersion"]["creationDate"])
        self.assertEqual({"bitLength": "256", "mode": "Deprecated"}, key["algorithmMetadata"])
        self.assertEqual(("Deprecated", "Deprecated", 256), (key["algorithmType"], key["algorithmMode"], key["algorithmBitSize"]))
        self.assertEqual({"enabled": False}, key["dualAuthDelete"])

    def test_a_standard_key_in_full_form_has_its_payload_and_no_version(self):
        key = self.create(extractable=True, prefer=REPRESENTATION)
        self.assertEqual(FULL_FORM | {"payload"}, set(key))

    def test_get_and_metadata_answer_the_full_form_that_create_answered(self):
        created = self.create(prefer=REPRESENTATION)
        self.assertEqual(created, self.get(created["id"]))
        self.assertEqual(created, self.metadata(created["id"]))

    def test_a_key_id_is_a_version_4_uuid_and_ends_the_crn(self):
        key = self.create()
        self.assertEqual(4, uuid.UUID(key["id"]).version)
        self.assertEqual(key["id"].lower(), key["id"])
        parts = key["crn"].split(":")
        self.assertEqual(10, len(parts))
        self.assertEqual(["crn", "v1", "bluemix", "public", "kms", READY["region"]], parts[:6])
        self.assertEqual([f"a/{READY['accountId']}", self.instance, "key", key["id"]], parts[6:])

    def test_description_tags_and_expiration_date_come_back(self):
        expiration = timestamp(now() + timedelta(days=1))
        fields = {"description": "for the ledger", "tags": ["team-a", "eu"], "expirationDate": expiration}
        created = self.create(**fields)
        self.assertEqual(SHORT_FORM | set(fields), set(created))
        for key in (created, self.get(created["id"])):
            self.assertEqual(fields, {name: key[name] for name in fields})

    def test_imported_root_keys_may_have_16_24_or_32_bytes_and_never_show_them(self):
        for length in (16, 24, 32):
            key = self.create(prefer=REPRESENTATION, payload=b64(os.urandom(length)))
            self.assertTrue(key["imported"])
            self.assertEqual(length * 8, key["algorithmBitSize"])
            self.assertEqual(str(length * 8), key["algorithmMetadata"]["bitLength"])
            for shown in (key, self.get(key["id"]), self.metadata(key["id"])):
                self.assertNotIn("payload", shown)

    def test_two_keys_may_have_the_same_name(self):
        name = a_name()
        self.assertNotEqual(self.create(name=name)["id"], self.create(name=name)["id"])

    def test_a_correlation_id_is_echoed(self):
        mine = str(uuid.uuid4())
        reply = self.kp.get_keys(self.instance, correlation_id=mine)
        self.assertEqual(mine, reply.get_headers()["Correlation-Id"])

    def test_a_client_can_be_built_from_the_environment_alone(self):
        settings = {
            "IBM_KEY_PROTECT_API_URL": READY["url"],
            "IBM_KEY_PROTECT_API_AUTH_TYPE": "iam",
            "IBM_KEY_PROTECT_API_AUTH_URL": READY["iamUrl"] + "/identity/token",
            "IBM_KEY_PROTECT_API_APIKEY": READY["apiKey"],
        }
        with mock.patch.dict(os.environ, settings):
            kp = IbmKeyProtectApiV2.new_instance()
        self.assertEqual(200, kp.get_keys(self.instance).get_status_code())


if __name__ == "__main__":
    unittest.main()
