"""Other names for keys, and the rings that keys live in."""

import unittest
import uuid

from kp import ALIAS, KEY, KEY_RING, KeyProtectTest, a_name, advance, body, collection


class Aliases(KeyProtectTest):
    def test_a_key_made_with_aliases_is_found_by_each_of_them(self):
        first, second = a_name("alias"), a_name("alias")
        key = self.create(aliases=[first, second])
        self.assertEqual([first, second], key["aliases"])
        for alias in (first, second):
            self.assertEqual(key["id"], self.get(alias)["id"])
            self.assertEqual(key["id"], self.metadata(alias)["id"])

    def test_an_alias_can_be_added_and_taken_away(self):
        key, alias = self.root_key(), a_name("alias")
        made = self.one(self.kp.create_key_alias(key, alias, self.instance), status=201, media=ALIAS)
        self.assertEqual((key, alias), (made["keyId"], made["alias"]))
        self.assertEqual({"keyId", "alias", "createdBy", "creationDate"}, set(made))
        self.assertEqual([alias], self.get(key)["aliases"])
        self.nothing(self.kp.delete_key_alias(key, alias, self.instance))
        self.assertNotIn("aliases", self.get(key))
        self.refused(404, "KEY_NOT_FOUND_ERR", self.kp.get_key, alias, self.instance)

    def test_actions_take_an_alias_and_answer_with_ids(self):
        alias = a_name("alias")
        key = self.root_key(aliases=[alias])
        wrapped = self.wrap(alias)
        self.assertEqual({"id": key}, wrapped["keyVersion"])
        self.assertEqual(wrapped["plaintext"], self.unwrap(alias, wrapped["ciphertext"])["plaintext"])
        self.rotate(alias)
        self.assertEqual(key, self.versions(alias)[-1]["id"])
        self.delete(alias)
        self.assertEqual(5, self.get(key)["state"])

    def test_aliases_tell_upper_from_lower_case(self):
        alias = a_name("alias")
        self.root_key(aliases=[alias])
        self.refused(404, "KEY_NOT_FOUND_ERR", self.kp.get_key, alias.upper(), self.instance)

    def test_an_alias_in_use_is_refused_and_no_key_is_made(self):
        alias = a_name("alias")
        self.root_key(aliases=[alias])
        before = self.kp.get_key_collection_metadata(self.instance).get_headers()["Key-Total"]
        sent = body(collection({"type": KEY, "name": a_name(), "extractable": False, "aliases": [alias]}))
        self.refused(409, "KEY_ALIAS_NOT_UNIQUE_ERR", self.kp.create_key, self.instance, sent)
        self.assertEqual(before, self.kp.get_key_collection_metadata(self.instance).get_headers()["Key-Total"])
        other = self.root_key()
        self.refused(409, "KEY_ALIAS_NOT_UNIQUE_ERR", self.kp.create_key_alias, other, alias, self.instance)

    def test_a_key_has_at_most_five_aliases(self):
        key = self.root_key(aliases=[a_name("alias") for _ in range(5)])
        self.refused(409, "KEY_ALIAS_QUOTA_ERR", self.kp.create_key_alias, key, a_name("alias"), self.instance)

    def test_an_alias_outside_its_rules_is_refused(self):
        key = self.root_key()
        for alias in ("x", "with space", "metadata", str(uuid.uuid4())):
            with self.subTest(alias=alias):
                self.refused(400, "INVALID_FIELD_ERR", self.kp.create_key_alias, key, alias, self.instance)

    def test_a_purged_key_frees_its_alias(self):
        alias = a_name("alias")
        key = self.root_key(aliases=[alias])
        self.delete(key)
        advance("4h")
        self.purge(key)
        self.assertEqual([alias], self.create(aliases=[alias])["aliases"])


class KeyRings(KeyProtectTest):
    def ring(self):
        ring = a_name("ring")
        self.nothing(self.kp.create_key_ring(ring, self.instance), status=201)
        return ring

    def test_a_ring_is_made_listed_and_deleted(self):
        ring = self.ring()
        rings = self.all_of(self.kp.list_key_rings(self.instance), media=KEY_RING)
        self.assertEqual({"id": "default"}, rings[0])
        self.assertIn(ring, [item["id"] for item in rings])
        self.nothing(self.kp.delete_key_ring(ring, self.instance))
        rings = self.all_of(self.kp.list_key_rings(self.instance), media=KEY_RING)
        self.assertNotIn(ring, [item["id"] for item in rings])

    def test_a_key_is_seen_in_its_own_ring_alone(self):
        ring = self.ring()
        key = self.create(ring=ring)
        self.assertEqual(ring, key["keyRingID"])
        self.assertEqual(key["id"], self.one(self.kp.get_key(key["id"], self.instance, x_kms_key_ring=ring))["id"])
        self.assertEqual(key["id"], self.get(key["id"])["id"])
        self.refused(404, "KEY_NOT_FOUND_ERR", self.kp.get_key, key["id"], self.instance, x_kms_key_ring="default")
        self.assertEqual([key["id"]], [item["id"] for item in self.all_of(self.kp.get_keys(self.instance, x_kms_key_ring=ring))])
        count = self.kp.get_key_collection_metadata(self.instance, x_kms_key_ring=ring)
        self.assertEqual("1", count.get_headers()["Key-Total"])

    def test_a_key_moves_from_ring_to_ring(self):
        ring, key = self.ring(), self.root_key()
        moved = self.one(self.kp.patch_key(key, self.instance, key_patch_body=body({"keyRingID": ring})))
        self.assertEqual((key, ring), (moved["id"], moved["keyRingID"]))
        back = self.kp.patch_key(key, self.instance, key_patch_body=body({"keyRingID": "default"}), x_kms_key_ring=ring)
        self.assertEqual("default", self.one(back)["keyRingID"])
        missing = body({"keyRingID": a_name("ring")})
        self.refused(404, "KEY_RING_NOT_FOUND_ERR", self.kp.patch_key, key, self.instance, key_patch_body=missing)

    def test_a_deleted_key_comes_back_to_its_ring(self):
        ring = self.ring()
        key = self.root_key(ring=ring)
        self.nothing(self.kp.delete_key(key, self.instance, x_kms_key_ring=ring, force=False))
        advance("30s")
        restored = self.one(self.kp.restore_key(key, self.instance, x_kms_key_ring=ring), status=201)
        self.assertEqual(ring, restored["keyRingID"])

    def test_a_ring_with_living_keys_stays(self):
        ring = self.ring()
        self.root_key(ring=ring)
        for force in (False, True):
            self.refused(409, "KEY_RING_NOT_EMPTY_ERR", self.kp.delete_key_ring, ring, self.instance, force=force)

    def test_a_ring_with_destroyed_keys_goes_when_forced(self):
        ring = self.ring()
        key = self.root_key(ring=ring)
        self.delete(key)
        self.refused(409, "KEY_RING_NOT_EMPTY_ERR", self.kp.delete_key_ring, ring, self.instance)
        self.nothing(self.kp.delete_key_ring(ring, self.instance, force=True))
        self.assertEqual("default", self.get(key)["keyRingID"])

    def test_a_key_cannot_be_born_in_a_ring_that_is_not_there(self):
        sent = body(collection({"type": KEY, "name": a_name(), "extractable": False}))
        self.refused(
            404, "KEY_RING_NOT_FOUND_ERR", self.kp.create_key, self.instance, sent, x_kms_key_ring=a_name("ring")
        )


if __name__ == "__main__":
    unittest.main()
