"""Keys that two persons have to delete together. Two API keys are two persons."""

import unittest

from kp import KEY, KeyProtectTest, a_name, advance, body, client, collection


class DualAuthorization(KeyProtectTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.first, cls.second = client("first-person"), client("second-person")

    def with_overrides(self, **fields):
        resource = {"type": KEY, "name": a_name(), **fields}
        return self.one(
            self.kp.create_key_with_policies_overrides(self.instance, body(collection(resource))), status=201
        )

    def dual_key(self, extractable=False):
        return self.with_overrides(extractable=extractable, dualAuthDelete={"enabled": True})["id"]

    def set_for_deletion(self, person, key):
        self.nothing(person.set_key_for_deletion(key, self.instance))

    def refuses_to_delete(self, person, key):
        error = self.refused(409, "AUTHORIZATIONS_NOT_MET", person.delete_key, key, self.instance)
        self.assertIn("1 prior authorization(s) are required for deletion: Key could not be deleted", error["errorMsg"])

    def test_an_override_shows_its_policies_on_the_key(self):
        key = self.with_overrides(
            extractable=False, dualAuthDelete={"enabled": True}, rotation={"enabled": True, "interval_month": 3}
        )
        for shown in (key, self.get(key["id"])):
            self.assertEqual({"enabled": True, "keySetForDeletion": False}, shown["dualAuthDelete"])
            self.assertEqual({"enabled": True, "interval_month": 3}, shown["rotation"])

    def test_an_override_outside_its_rules_creates_nothing(self):
        before = self.kp.get_key_collection_metadata(self.instance).get_headers()["Key-Total"]
        for extractable, interval, code in ((False, 13, "INVALID_FIELD_ERR"), (True, 3, "KEY_ROOT_REQ_ERR")):
            resource = {"type": KEY, "name": a_name(), "extractable": extractable, "rotation": {"interval_month": interval}}
            sent = body(collection(resource))
            self.refused(400, code, self.kp.create_key_with_policies_overrides, self.instance, sent)
        self.assertEqual(before, self.kp.get_key_collection_metadata(self.instance).get_headers()["Key-Total"])

    def test_one_person_alone_cannot_delete_the_key(self):
        for extractable in (False, True):
            key = self.dual_key(extractable)
            self.refuses_to_delete(self.first, key)
            self.set_for_deletion(self.first, key)
            self.refuses_to_delete(self.first, key)

    def test_a_second_person_deletes_what_the_first_set_for_deletion(self):
        for extractable in (False, True):
            key = self.dual_key(extractable)
            self.set_for_deletion(self.first, key)
            shown = self.get(key)
            self.assertEqual((1, True), (shown["state"], shown["dualAuthDelete"]["keySetForDeletion"]))
            self.assertIn("authExpiration", shown["dualAuthDelete"])
            if not extractable:
                self.wrap(key)
            self.nothing(self.second.delete_key(key, self.instance))
            self.assertEqual(5, self.get(key)["state"])

    def test_an_authorization_can_be_taken_back(self):
        key = self.dual_key()
        self.set_for_deletion(self.first, key)
        self.nothing(self.first.unset_key_for_deletion(key, self.instance))
        self.assertEqual({"enabled": True, "keySetForDeletion": False}, self.get(key)["dualAuthDelete"])
        self.refuses_to_delete(self.second, key)

    def test_an_authorization_lapses_after_7_days(self):
        key = self.dual_key()
        self.set_for_deletion(self.first, key)
        advance("7d1s")
        self.refuses_to_delete(self.second, key)
        self.set_for_deletion(self.first, key)
        self.nothing(self.second.delete_key(key, self.instance))

    def test_an_ordinary_key_cannot_be_set_for_deletion(self):
        key = self.root_key()
        for call in (self.kp.set_key_for_deletion, self.kp.unset_key_for_deletion):
            error = self.refused(409, "NOT_DUAL_AUTH_ERR", call, key, self.instance)
            self.assertIn("Action could not be performed on key", error["errorMsg"])

    def test_a_disabled_key_cannot_be_set_for_deletion(self):
        key = self.dual_key()
        self.disable(key)
        self.refused(409, "KEY_ACTION_INVALID_STATE_ERR", self.first.set_key_for_deletion, key, self.instance)


if __name__ == "__main__":
    unittest.main()
