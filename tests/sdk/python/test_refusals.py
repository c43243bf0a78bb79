"""Wrong uses: tokens, instances, bodies and fields that the service has to refuse."""

import io
import unittest
import uuid

from ibm_cloud_sdk_core.authenticators import BearerTokenAuthenticator, NoAuthAuthenticator
from kp import ERROR, KEY, UNAUTHORIZED, ApiException, KeyProtectTest, a_name, admin, b64, body, client, collection, token_of

WRONG_INSTANCE = "Bad Request: Request requires valid Bluemix-Instance Header containing a valid UUID"


def with_token(token):
    return client(authenticator=BearerTokenAuthenticator(token))


class WrongCallers(KeyProtectTest):
    def unauthorized(self, kp, instance=None):
        with self.assertRaises(ApiException) as caught:
            kp.get_keys(instance or self.instance)
        self.assertIn("WWW-Authenticate", caught.exception.http_response.headers)
        error = self.refused(401, None, kp.get_keys, instance or self.instance)
        self.assertEqual({"errorMsg": UNAUTHORIZED}, error)

    def test_a_call_without_a_token_is_unauthorized(self):
        self.unauthorized(client(authenticator=NoAuthAuthenticator()))

    def test_a_token_with_a_bad_signature_is_unauthorized(self):
        head, claims, signature = token_of(self.kp).split(".")
        forged = ("B" if signature[0] != "B" else "C") + signature[1:]
        self.unauthorized(with_token(f"{head}.{claims}.{forged}"))

    def test_text_that_is_no_token_is_a_bad_request(self):
        for token in ("nonsense", "not.a.jwt"):
            self.refused(400, "BEARER_SUB_EXTRACTION_ERR", with_token(token).get_keys, self.instance)

    def test_an_expired_token_is_unauthorized_and_a_new_one_is_not(self):
        kp = client()
        self.assertEqual(200, kp.get_key_collection_metadata(self.instance).get_status_code())
        admin("POST", "/tokens/expire")
        self.unauthorized(kp)
        self.assertEqual(200, client().get_key_collection_metadata(self.instance).get_status_code())
        type(self).kp = client()

    def test_an_unknown_instance_is_unauthorized(self):
        self.unauthorized(self.kp, str(uuid.uuid4()))

    def test_an_instance_that_is_no_uuid_is_a_bad_request(self):
        for instance in ("not-a-uuid", f"crn:v1:bluemix:public:kms:us-south:a/x:{self.instance}::"):
            error = self.refused(400, None, self.kp.get_keys, instance)
            self.assertEqual({"errorMsg": WRONG_INSTANCE}, error)

    def test_the_key_of_another_person_is_as_usable_as_ones_own(self):
        key = self.root_key()
        other = client("another-person")
        self.assertEqual(key, self.one(other.get_key(key, self.instance))["id"])
        self.assertNotEqual(self.get(key)["createdBy"], self.one(other.create_key(
            self.instance, body(collection({"type": KEY, "name": a_name(), "extractable": False})), prefer="return=representation"
        ), status=201)["createdBy"])


class WrongBodies(KeyProtectTest):
    def not_created(self, code, content):
        stream = content if isinstance(content, io.BytesIO) else body(content)
        error = self.refused(400, code, self.kp.create_key, self.instance, stream)
        self.assertIn("Key could not be created", error["errorMsg"])
        return error

    def bad_field(self, field, **fields):
        resource = {"type": KEY, "name": a_name(), "extractable": False, **fields}
        error = self.not_created("INVALID_FIELD_ERR", collection(resource))
        self.assertEqual({"type": "field", "name": field}, error["reasons"][0]["target"])

    def test_a_name_outside_2_to_90_characters_is_refused(self):
        self.bad_field("name", name="x")
        self.bad_field("name", name="x" * 91)

    def test_a_description_outside_2_to_240_characters_is_refused(self):
        self.bad_field("description", description="x")
        self.bad_field("description", description="x" * 241)

    def test_root_key_material_of_another_length_than_16_24_or_32_is_refused(self):
        for length in (1, 15, 17, 33, 64):
            self.bad_field("payload", payload=b64(bytes(length)))

    def test_standard_key_material_of_more_than_7500_bytes_is_refused(self):
        self.bad_field("payload", extractable=True, payload=b64(bytes(7501)))

    def test_key_material_that_is_not_base64_is_refused(self):
        self.bad_field("payload", payload="not base64!")

    def test_empty_key_material_is_refused(self):
        self.not_created("BAD_BODY_ERR", collection({"type": KEY, "name": a_name(), "extractable": False, "payload": ""}))

    def test_an_expiration_date_in_the_past_is_refused(self):
        self.bad_field("expirationDate", expirationDate="2001-01-01T00:00:00Z")

    def test_a_body_that_is_not_json_is_refused(self):
        self.not_created("BAD_BODY_ERR", io.BytesIO(b"{"))

    def test_a_missing_body_is_refused(self):
        self.not_created("NO_BODY_ERR", io.BytesIO(b""))

    def test_a_create_has_metadata_and_exactly_one_resource(self):
        resource = {"type": KEY, "name": a_name(), "extractable": False}
        error = self.not_created("BAD_BODY_ERR", {"resources": [resource]})
        self.assertIn("CollectionMetadata is empty", error["reasons"][0]["message"])
        error = self.not_created("BAD_BODY_ERR", collection(resource, resource))
        self.assertIn("Only creation of one key per request is supported", error["reasons"][0]["message"])

    def test_plaintext_that_is_not_base64_is_refused(self):
        sent = body({"plaintext": "not base64!"})
        error = self.refused(
            400, "INVALID_FIELD_ERR", self.kp.wrap_key, self.root_key(), self.instance, key_action_wrap_body=sent
        )
        self.assertEqual({"type": "field", "name": "plaintext"}, error["reasons"][0]["target"])
        self.assertIn("Wrap with key could not be performed", error["errorMsg"])

    def test_a_ciphertext_that_wrap_never_made_is_refused(self):
        key = self.root_key()
        for call in (self.kp.unwrap_key, self.kp.rewrap_key):
            for ciphertext in ("not base64!", b64(b"no document")):
                error = self.refused(400, "INVALID_FIELD_ERR", call, key, self.instance, body({"ciphertext": ciphertext}))
                self.assertEqual({"type": "field", "name": "ciphertext"}, error["reasons"][0]["target"])

    def test_unwrap_and_rewrap_need_a_body(self):
        key = self.root_key()
        for call in (self.kp.unwrap_key, self.kp.rewrap_key):
            self.refused(400, "NO_BODY_ERR", call, key, self.instance, io.BytesIO(b""))
            self.refused(400, "INVALID_FIELD_ERR", call, key, self.instance, body({}))

    def test_a_key_that_never_was_is_not_found(self):
        self.assert_unknown(str(uuid.uuid4()))
        self.assert_unknown("no-such-alias")

    def test_an_error_reply_carries_the_callers_correlation_id(self):
        mine = str(uuid.uuid4())
        with self.assertRaises(ApiException) as caught:
            self.kp.get_key(str(uuid.uuid4()), self.instance, correlation_id=mine)
        self.assertEqual(mine, caught.exception.http_response.headers["Correlation-Id"])
        self.assertEqual(ERROR, caught.exception.http_response.headers["Content-Type"].split(";")[0])


if __name__ == "__main__":
    unittest.main()
