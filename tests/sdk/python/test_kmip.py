"""KMIP adapters, their client certificates and objects. (The published Node client has no KMIP.)"""

import base64
import unittest
import uuid
from datetime import datetime
from pathlib import Path

from keyprotect.ibm_key_protect_api_v2 import (
    CollectionMetadata,
    CreateKMIPAdapterObject,
    CreateKMIPClientCertificateObject,
    KMIPAdapter,
    KMIPClientCertificate,
    KMIPObject,
    KMIPProfileDataBodyKMIPProfileDataNative,
)
from kp import KeyProtectTest, a_name, admin, in_an_hour

ADAPTER = "application/vnd.ibm.kms.kmip_adapter+json"
CERTIFICATE = "application/vnd.ibm.kms.kmip_client_certificate+json"
OBJECT = "application/vnd.ibm.kms.kmip_object+json"
FIXTURE = Path(__file__).parents[2] / "it" / "fixtures" / "kmip" / "ec.pem"
SERIAL_NUMBER_END = slice(27, 35)


def certificate():
    """The fixture with a serial number of its own; nobody checks the signature."""
    lines = FIXTURE.read_text(encoding="ascii").splitlines()
    der = bytearray(base64.b64decode("".join(lines[1:-1])))
    der[SERIAL_NUMBER_END] = uuid.uuid4().bytes[:8]
    return f"{lines[0]}\n{base64.b64encode(der).decode()}\n{lines[-1]}\n"


class Kmip(KeyProtectTest):
    def draft(self, key, **fields):
        profile_data = KMIPProfileDataBodyKMIPProfileDataNative(crk_id=key)
        return [CreateKMIPAdapterObject(profile="native_1.0", profile_data=profile_data, **fields)]

    def try_adapter(self, key, allow_expiring_key=None, **fields):
        metadata = CollectionMetadata(collection_type=ADAPTER, collection_total=1)
        resources = self.draft(key, **fields)
        return self.kp.create_kmip_adapter(
            self.instance, metadata, resources, allow_expiring_key=allow_expiring_key
        )

    def adapter(self, key=None, **fields):
        return self.one(self.try_adapter(key or self.root_key(), **fields), status=201, media=ADAPTER)

    def try_certificate(self, adapter, pem, **fields):
        metadata = CollectionMetadata(collection_type=CERTIFICATE, collection_total=1)
        resources = [CreateKMIPClientCertificateObject(certificate=pem, **fields)]
        return self.kp.add_kmip_client_certificate(adapter, self.instance, metadata, resources)

    def plant(self, adapter, state):
        return admin("POST", "/kmip-objects", {"instanceId": self.instance, "adapter": adapter, "state": state})

    def many(self, response, media):
        envelope = self.content(response, media=media)
        self.assertEqual(len(envelope["resources"]), envelope["metadata"]["collectionTotal"])
        return envelope["resources"]

    def test_an_adapter_is_made_found_and_deleted(self):
        key, name = self.root_key(), a_name("adapter")
        made = self.adapter(key, name=name, description="Keys of the cluster")
        model = KMIPAdapter.from_dict(made)
        self.assertEqual((name, "Keys of the cluster", "native_1.0"), (model.name, model.description, model.profile))
        self.assertIsInstance(model.created_at, datetime)
        self.assertEqual({"crk_id": key}, made["profile_data"])
        for reference in (name, made["id"]):
            self.assertEqual(made, self.one(self.kp.get_kmip_adapter(reference, self.instance), media=ADAPTER))
        found = self.kp.get_kmip_adapters(self.instance, crk_id=key, limit=1, offset=0, total_count=True)
        self.assertEqual([made], self.many(found, ADAPTER))
        self.assertEqual(1, found.get_result().json()["metadata"]["totalCount"])
        self.nothing(self.kp.delete_kmip_adapter(name, self.instance))
        self.refused(404, "KMIP_ADAPTER_NOT_FOUND_ERR", self.kp.get_kmip_adapter, made["id"], self.instance)

    def test_an_adapter_without_a_name_gets_one(self):
        self.assertRegex(self.adapter()["name"], "^kmip_adapter_.+$")

    def test_unfit_root_keys_and_names_in_use_are_refused(self):
        name = a_name("adapter")
        self.adapter(name=name)
        self.refused(409, "KMIP_ADAPTER_DUPLICATE_NAME_ERR", self.try_adapter, self.root_key(), name=name)
        self.refused(400, "NATIVE_INVALID_CRK_ERR", self.try_adapter, self.standard_key())
        self.refused(404, "NATIVE_CRK_ID_NOT_FOUND_ERR", self.try_adapter, str(uuid.uuid4()))

    def test_a_root_key_that_will_expire_has_to_be_allowed(self):
        key = self.root_key(expirationDate=in_an_hour())
        self.refused(400, "NATIVE_INVALID_CRK_ERR", self.try_adapter, key)
        self.adapter(key, allow_expiring_key=True)

    def test_an_adapter_holds_its_root_key(self):
        key = self.root_key()
        adapter = self.adapter(key)
        self.refused(409, "PROTECTED_RESOURCE_ERR", self.kp.delete_key, key, self.instance)
        self.nothing(self.kp.delete_kmip_adapter(adapter["id"], self.instance))
        self.delete(key)

    def test_a_certificate_is_added_found_and_deleted(self):
        adapter, pem, name = self.adapter()["id"], certificate(), a_name("cert")
        added = self.one(self.try_certificate(adapter, pem, name=name), status=201, media=CERTIFICATE)
        model = KMIPClientCertificate.from_dict(added)
        self.assertEqual((name, pem), (model.name, model.certificate))
        for reference in (name, added["id"]):
            found = self.kp.get_kmip_client_certificate(adapter, reference, self.instance)
            self.assertEqual(added, self.one(found, media=CERTIFICATE))
        (listed,) = self.many(self.kp.get_kmip_client_certificates(adapter, self.instance, limit=200), CERTIFICATE)
        self.assertEqual({"id", "name", "created_at", "created_by"}, set(listed))
        self.nothing(self.kp.delete_kmip_client_certificate(adapter, name, self.instance))
        lost = self.kp.get_kmip_client_certificate
        self.refused(404, "KMIP_CERT_NOT_FOUND_ERR", lost, adapter, added["id"], self.instance)

    def test_certificates_that_are_known_or_none_are_refused(self):
        adapter, pem, name = self.adapter()["id"], certificate(), a_name("cert")
        self.one(self.try_certificate(adapter, pem, name=name), status=201, media=CERTIFICATE)
        other = self.adapter()["id"]
        self.refused(409, "KMIP_CERT_DUPLICATE_ERR", self.try_certificate, other, pem)
        self.refused(409, "KMIP_CERT_DUPLICATE_NAME_ERR", self.try_certificate, adapter, certificate(), name=name)
        self.refused(400, "INVALID_FIELD_ERR", self.try_certificate, adapter, "invalidPEM")

    def test_objects_are_listed_read_and_destroyed(self):
        adapter = self.adapter()["id"]
        planted = {state: self.plant(adapter, state)["id"] for state in range(1, 7)}
        living = self.many(self.kp.get_kmip_objects(adapter, self.instance), OBJECT)
        self.assertEqual([1, 2, 3, 4], [item["state"] for item in living])
        chosen = self.kp.get_kmip_objects(adapter, self.instance, state=[5, 6], total_count=True)
        self.assertEqual([planted[5], planted[6]], [item["id"] for item in self.many(chosen, OBJECT)])
        self.nothing(self.kp.delete_kmip_object(adapter, self.instance, planted[3]))
        found = self.one(self.kp.get_kmip_object(adapter, self.instance, planted[3]), media=OBJECT)
        self.assertEqual(5, KMIPObject.from_dict(found).state)
        self.assertIsInstance(KMIPObject.from_dict(found).destroyed_at, datetime)

    def test_an_active_object_goes_by_force_alone_and_holds_its_adapter(self):
        adapter = self.adapter()["id"]
        active = self.plant(adapter, 2)["id"]
        self.refused(409, "KMIP_OBJECT_ACTIVE_ERR", self.kp.delete_kmip_object, adapter, self.instance, active)
        self.refused(409, "KMIP_OBJECTS_EXIST_ERR", self.kp.delete_kmip_adapter, adapter, self.instance)
        self.nothing(self.kp.delete_kmip_object(adapter, self.instance, active, force=True))
        self.nothing(self.kp.delete_kmip_adapter(adapter, self.instance))
        unknown = self.kp.get_kmip_object
        self.refused(404, "KMIP_ADAPTER_NOT_FOUND_ERR", unknown, adapter, self.instance, active)


if __name__ == "__main__":
    unittest.main()
