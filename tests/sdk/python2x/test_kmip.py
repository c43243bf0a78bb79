"""KMIP with the older Python client: `totalCount=False` in each list, `state` once for each value."""

import unittest
from pathlib import Path

from kp import READY, KeyProtectTest, a_name, admin

FIXTURE = Path(__file__).parents[2] / "it" / "fixtures" / "kmip" / "rsa.pem"


class Kmip(KeyProtectTest):
    def test_adapters_certificates_and_objects_live_and_go(self):
        key, name = self.root_key(), a_name("adapter")
        adapter = self.kp.kmip_adapter_create("native_1.0", {"crk_id": key}, name=name, description="The cluster's")
        self.assertEqual(adapter, self.kp.kmip_adapter_get(name))
        listed = self.kp.kmip_adapter_list(filters={"crk_id": key}, show_total=True)
        self.assertEqual(([adapter], 1), (listed["resources"], listed["metadata"]["totalCount"]))

        pem = FIXTURE.read_text(encoding="ascii")
        certificate = self.kp.kmip_cert_create(name, pem, "vcenter")
        self.assertEqual(pem, self.kp.kmip_cert_get(name, "vcenter")["certificate"])
        self.assertEqual([certificate["id"]], [item["id"] for item in self.kp.kmip_cert_list(name)["resources"]])

        for state in (1, 3, 5):
            admin("/kmip-objects", {"instanceId": READY["instanceId"], "adapter": name, "state": state})
        living = self.kp.kmip_object_list(name)
        self.assertEqual([1, 3], [item["state"] for item in living["resources"]])
        self.assertNotIn("totalCount", living["metadata"])
        self.assertEqual(1, len(self.kp.kmip_object_list(name, state_filter=[5, 6])["resources"]))
        self.refused(409, "(KMIP_OBJECTS_EXIST_ERR)", self.kp.kmip_adapter_delete, name)
        for item in living["resources"]:
            self.kp.kmip_object_delete(name, item["id"])
            self.assertEqual(5, self.kp.kmip_object_get(name, item["id"])["state"])

        self.kp.kmip_cert_delete(name, "vcenter")
        self.kp.kmip_adapter_delete(name)
        self.refused(404, "(KMIP_ADAPTER_NOT_FOUND_ERR)", self.kp.kmip_adapter_get, name)


if __name__ == "__main__":
    unittest.main()
