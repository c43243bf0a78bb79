"""A second Key Protect instance by the Resource Controller's plain HTTP, with a token of the SDK's authenticator."""

import unittest
from urllib.parse import quote

import requests
from kp import READY, UNAUTHORIZED, KeyProtectTest, token_of

TIERED_PRICING = "eedd3585-90c6-4c8f-be3d-062069e99fc3"


class Instances(KeyProtectTest):
    def controller(self, method, path="", body=None):
        return requests.request(
            method,
            f"{READY['url']}/v2/resource_instances{path}",
            json=body,
            headers={"Authorization": f"Bearer {token_of(self.kp)}"},
            timeout=60,
        )

    def new_instance(self):
        reply = self.controller(
            "POST",
            body={"name": "second", "target": "us-south", "resource_group": "default", "resource_plan_id": TIERED_PRICING},
        )
        self.assertEqual(201, reply.status_code, reply.text)
        return reply.json()

    def test_a_new_instance_is_active_and_can_be_read_by_guid_and_by_crn(self):
        made = self.new_instance()
        self.assertEqual(made["id"], made["crn"])
        self.assertEqual(f"crn:v1:bluemix:public:kms:us-south:a/{READY['accountId']}:{made['guid']}::", made["crn"])
        self.assertEqual(("active", "succeeded"), (made["state"], made["last_operation"]["state"]))
        self.assertEqual(READY["url"], made["extensions"]["endpoints"]["public"])
        for name in (made["guid"], quote(made["crn"], safe="")):
            shown = self.controller("GET", f"/{name}")
            self.assertEqual((200, made["guid"]), (shown.status_code, shown.json()["guid"]))
        listed = self.controller("GET").json()
        self.assertEqual(listed["rows_count"], len(listed["resources"]))
        self.assertIn(made["guid"], [item["guid"] for item in listed["resources"]])

    def test_keys_of_one_instance_are_unknown_in_the_other(self):
        second = self.new_instance()["guid"]
        here = self.root_key(aliases=["shared-alias"])
        there = self.root_key(instance=second, aliases=["shared-alias"])
        self.assertIn(f":{second}:key:{there}", self.one(self.kp.get_key(there, second))["crn"])
        self.assertEqual([there], [key["id"] for key in self.all_of(self.kp.get_keys(second))])
        self.assertNotIn(there, [key["id"] for key in self.all_of(self.kp.get_keys(self.instance))])
        self.refused(404, "KEY_NOT_FOUND_ERR", self.kp.get_key, there, self.instance)
        self.refused(404, "KEY_NOT_FOUND_ERR", self.kp.wrap_key, here, second)
        self.assertEqual(here, self.get("shared-alias")["id"])
        self.assertEqual(there, self.one(self.kp.get_key("shared-alias", second))["id"])

    def test_an_instance_with_living_keys_cannot_be_deleted_and_one_without_can(self):
        second = self.new_instance()["guid"]
        keys = [self.root_key(instance=second) for _ in range(2)]
        refused = self.controller("DELETE", f"/{second}")
        self.assertEqual(409, refused.status_code, refused.text)
        self.assertIn("Instance contains 2 active keys. Remove all keys before de-provisioning", refused.json()["message"])
        self.assertEqual("RC-ServiceBrokerErrorResponse", refused.json()["error_code"])
        self.assertEqual("active", self.controller("GET", f"/{second}").json()["state"])

        for key in keys:
            self.nothing(self.kp.delete_key(key, second))
        self.assertEqual(204, self.controller("DELETE", f"/{second}").status_code)
        self.assertEqual("removed", self.controller("GET", f"/{second}").json()["state"])
        self.assertEqual(410, self.controller("DELETE", f"/{second}").status_code)
        self.assertEqual({"errorMsg": UNAUTHORIZED}, self.refused(401, None, self.kp.get_keys, second))

    def test_the_controller_needs_a_token(self):
        reply = requests.get(f"{READY['url']}/v2/resource_instances", timeout=60)
        self.assertEqual(401, reply.status_code)


if __name__ == "__main__":
    unittest.main()
