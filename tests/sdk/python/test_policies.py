"""Policies of keys and of the instance: what is set is what comes back, and what it forbids."""

import unittest

from kp import KeyProtectTest, a_name, advance, b64, body, client, collection

POLICY = "application/vnd.ibm.kms.policy+json"
ALLOWED_IP = "application/vnd.ibm.kms.allowed_ip_metadata+json"


class Policies(KeyProtectTest):
    def set_policies(self, key, *policies, policy=None):
        sent = collection(*({"type": POLICY, **one} for one in policies), media=POLICY)
        return self.all_of(self.kp.put_policy(key, self.instance, sent, policy=policy), media=POLICY)

    def policies(self, key):
        envelope = self.content(self.kp.get_policy(key, self.instance), media=POLICY)
        self.assertEqual(len(envelope["resources"]), envelope["metadata"]["collectionTotal"])
        return envelope["resources"]

    def instance_policy(self, kind, enabled, **attributes):
        data = {"enabled": enabled, **({"attributes": attributes} if attributes else {})}
        return collection({"policy_type": kind, "policy_data": data}, media=POLICY)

    def set_instance_policy(self, kind, enabled, **attributes):
        sent = self.instance_policy(kind, enabled, **attributes)
        self.nothing(self.kp.put_instance_policy(self.instance, sent, policy=kind))

    def instance_data(self, kind):
        (policy,) = self.all_of(self.kp.get_instance_policy(self.instance, policy=kind), media=POLICY)
        self.assertEqual(kind, policy["policy_type"])
        self.assertTrue(policy["creationDate"] and policy["lastUpdated"] and policy["createdBy"])
        return policy["policy_data"]

    def test_a_rotation_policy_is_set_changed_and_shown_with_the_key(self):
        key = self.root_key()
        self.assertEqual([], self.policies(key))
        (policy,) = self.set_policies(key, {"rotation": {"interval_month": 3}}, policy="rotation")
        self.assertEqual({"enabled": True, "interval_month": 3}, policy["rotation"])
        self.assertEqual(policy["id"], policy["crn"].split(":")[9])
        (changed,) = self.set_policies(key, {"rotation": {"enabled": False}}, policy="rotation")
        self.assertEqual((policy["id"], {"enabled": False, "interval_month": 3}), (changed["id"], changed["rotation"]))
        self.assertEqual({"enabled": False, "interval_month": 3}, self.get(key)["rotation"])

    def test_both_policies_are_set_at_once_and_the_key_rotates(self):
        key = self.root_key()
        both = self.set_policies(key, {"rotation": {"interval_month": 1}}, {"dualAuthDelete": {"enabled": True}})
        self.assertEqual(2, len(both))
        advance("30d")
        self.assertIn("lastRotateDate", self.get(key))
        self.refused(409, "AUTHORIZATIONS_NOT_MET", self.kp.delete_key, key, self.instance)

    def test_policies_that_make_no_sense_are_refused(self):
        key, standard = self.root_key(), self.standard_key()
        sent = collection({"rotation": {"interval_month": 13}}, media=POLICY)
        error = self.refused(400, "INVALID_FIELD_ERR", self.kp.put_policy, key, self.instance, sent, policy="rotation")
        self.assertEqual({"type": "field", "name": "interval_month"}, error["reasons"][0]["target"])
        sent = collection({"rotation": {"interval_month": 3}}, media=POLICY)
        self.refused(400, "KEY_ROOT_REQ_ERR", self.kp.put_policy, standard, self.instance, sent, policy="rotation")
        self.refused(
            400, "BODY_QUERY_PARAM_MISMATCH_ERR", self.kp.put_policy, key, self.instance, sent, policy="dualAuthDelete"
        )

    def test_each_policy_of_the_instance_comes_back_as_it_was_set(self):
        cases = {
            "allowedNetwork": {"allowed_network": "public-and-private"},
            "allowedIP": {"allowed_ip": ["127.0.0.0/8", "::1/128"]},
            "rotation": {"interval_month": 6},
            "dualAuthDelete": {},
            "metrics": {},
        }
        for kind, attributes in cases.items():
            self.set_instance_policy(kind, True, **attributes)
            wanted = {"enabled": True, **({"attributes": attributes} if attributes else {})}
            self.assertEqual(wanted, self.instance_data(kind))
        port = self.one(self.kp.get_allowed_ip_port(self.instance), media=ALLOWED_IP)
        self.assertIn(port["private_endpoint_port"], range(15000, 16000))
        for kind in cases:
            self.set_instance_policy(kind, False)
            self.assertFalse(self.instance_data(kind)["enabled"])

    def test_new_keys_inherit_the_instances_policies(self):
        instance = collection(
            {"policy_type": "rotation", "policy_data": {"enabled": True, "attributes": {"interval_month": 2}}},
            {"policy_type": "dualAuthDelete", "policy_data": {"enabled": True}},
            media=POLICY,
        )
        self.nothing(self.kp.put_instance_policy(self.instance, instance))
        try:
            key = self.get(self.root_key())
        finally:
            self.set_instance_policy("rotation", False)
            self.set_instance_policy("dualAuthDelete", False)
        self.assertEqual({"enabled": True, "interval_month": 2}, key["rotation"])
        self.assertTrue(key["dualAuthDelete"]["enabled"])
        self.assertNotIn("rotation", self.get(self.root_key()))

    def test_the_access_policy_forbids_imports(self):
        self.set_instance_policy("keyCreateImportAccess", True, import_root_key=False)
        try:
            resource = {"name": a_name(), "extractable": False, "payload": b64(bytes(32))}
            sent = body(collection(resource))
            self.refused(409, "KEY_CREATE_IMPORT_ACCESS_ERR", self.kp.create_key, self.instance, sent)
        finally:
            self.set_instance_policy("keyCreateImportAccess", False)
        attributes = self.instance_data("keyCreateImportAccess")["attributes"]
        self.assertEqual([True, True, True, True, False], [attributes[name] for name in (
            "create_root_key", "create_standard_key", "import_root_key", "import_standard_key", "enforce_token")])

    def test_a_private_instance_refuses_the_public_endpoint(self):
        private = client()
        private.set_default_headers({"Host": "private.us-south.kms.cloud.ibm.com"})
        key = self.root_key()
        self.set_instance_policy("allowedNetwork", True, allowed_network="private-only")
        self.refused(401, None, self.kp.get_key_metadata, key, self.instance)
        self.assertEqual(key, self.one(private.get_key_metadata(key, self.instance))["id"])
        sent = self.instance_policy("allowedNetwork", False)
        self.nothing(private.put_instance_policy(self.instance, sent, policy="allowedNetwork"))
        self.assertEqual(key, self.metadata(key)["id"])


if __name__ == "__main__":
    unittest.main()
