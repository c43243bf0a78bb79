"""Deleting, restoring and purging keys, and the times that these have to keep."""

import os
import unittest
from datetime import datetime, timedelta

from kp import REPRESENTATION, KeyProtectTest, advance, b64, body

DELETION_FIELDS = {
    "deletionDate",
    "deletedBy",
    "restoreExpirationDate",
    "restoreAllowed",
    "purgeAllowed",
    "purgeAllowedFrom",
    "purgeScheduledOn",
}


def moment(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


class Deleting(KeyProtectTest):
    def test_a_root_key_is_deleted_restored_deleted_and_purged(self):
        key = self.root_key()
        wrapped = self.wrap(key)
        self.rotate(key)
        before = self.get(key)
        old = body({"ciphertext": wrapped["ciphertext"]})

        self.delete(key)
        self.assertEqual((5, True), (self.get(key)["state"], self.get(key)["deleted"]))
        error = self.refused(410, "KEY_DELETED_ERR", self.kp.delete_key, key, self.instance)
        self.assertIn("Key could not be deleted", error["errorMsg"])
        self.refused(410, "KEY_DELETED_ERR", self.kp.unwrap_key, key, self.instance, old)
        error = self.refused(409, "REQ_TOO_EARLY_ERR", self.kp.restore_key, key, self.instance)
        self.assertIn("Key could not be restored", error["errorMsg"])

        advance("30s")
        restored = self.restore(key)
        self.assertEqual((key, 1), (restored["id"], restored["state"]))
        self.assertEqual((before["keyVersion"], before["lastRotateDate"]), (restored["keyVersion"], restored["lastRotateDate"]))
        self.assertEqual(wrapped["plaintext"], self.unwrap(key, wrapped["ciphertext"])["plaintext"])

        self.delete(key)
        error = self.refused(409, "REQ_TOO_EARLY_ERR", self.kp.purge_key, key, self.instance)
        self.assertIn("Key could not be purged", error["errorMsg"])
        self.assertIn("Purge operation is allowed 4h0m0s after key is deleted", error["reasons"][0]["message"])

        advance("4h")
        self.purge(key)
        self.assert_unknown(key)

    def test_every_use_of_a_deleted_key_is_gone(self):
        key = self.root_key()
        sent = {"ciphertext": self.wrap(key)["ciphertext"]}
        self.delete(key)
        for call in (self.kp.wrap_key, self.kp.rotate_key, self.kp.disable_key, self.kp.enable_key):
            self.refused(410, "KEY_DELETED_ERR", call, key, self.instance)
        for call in (self.kp.unwrap_key, self.kp.rewrap_key):
            self.refused(410, "KEY_DELETED_ERR", call, key, self.instance, body(sent))

    def test_a_deleted_key_shows_when_it_may_be_restored_and_purged(self):
        key = self.root_key()
        deleted = self.one(self.kp.delete_key(key, self.instance, prefer=REPRESENTATION))
        self.assertEqual((5, True), (deleted["state"], deleted["deleted"]))
        self.assertEqual(DELETION_FIELDS, DELETION_FIELDS & set(deleted))
        self.assertEqual((True, False), (deleted["restoreAllowed"], deleted["purgeAllowed"]))
        start = moment(deleted["deletionDate"])
        self.assertEqual(timedelta(days=30), moment(deleted["restoreExpirationDate"]) - start)
        self.assertEqual(timedelta(hours=4), moment(deleted["purgeAllowedFrom"]) - start)
        self.assertEqual(timedelta(days=90), moment(deleted["purgeScheduledOn"]) - start)
        self.assertEqual(deleted, self.get(key))
        self.assertEqual(deleted, self.metadata(key))

        advance("4h")
        self.assertTrue(self.get(key)["purgeAllowed"])
        purged = self.one(self.kp.purge_key(key, self.instance, prefer=REPRESENTATION))
        self.assertEqual((key, 5, True), (purged["id"], purged["state"], purged["purgeAllowed"]))
        self.assert_unknown(key)

    def test_after_31_days_a_key_cannot_be_restored_and_after_90_it_is_gone(self):
        root, standard = self.root_key(), self.standard_key()
        for key in (root, standard):
            self.delete(key)
        advance("31d")
        for key in (root, standard):
            self.assertEqual((5, False), (self.get(key)["state"], self.get(key)["restoreAllowed"]))
            error = self.refused(400, "KEY_RESTORE_EXPIRED", self.kp.restore_key, key, self.instance)
            self.assertIn("Key could not be restored", error["errorMsg"])
        advance("59d")
        for key in (root, standard):
            self.assert_unknown(key)

    def test_a_key_can_be_restored_until_shortly_before_the_30_days_are_over(self):
        key = self.root_key()
        self.delete(key)
        advance("29d23h59m")
        self.assertEqual(1, self.restore(key)["state"])

    def test_an_imported_root_key_is_restored_without_sending_its_material(self):
        key = self.root_key(payload=b64(os.urandom(24)))
        wrapped = self.wrap(key, aad=["a"])
        self.delete(key)
        advance("30s")
        self.assertTrue(self.restore(key)["imported"])
        self.assertEqual(wrapped["plaintext"], self.unwrap(key, wrapped["ciphertext"], aad=["a"])["plaintext"])

    def test_a_living_key_can_be_neither_restored_nor_purged(self):
        key = self.root_key()
        for call in (self.kp.restore_key, self.kp.purge_key):
            self.refused(409, "KEY_ACTION_INVALID_STATE_ERR", call, key, self.instance)

    def test_a_deleted_key_is_listed_only_when_its_state_is_asked_for(self):
        key, other = self.root_key(), self.root_key()
        self.delete(key)
        living = [item["id"] for item in self.all_of(self.kp.get_keys(self.instance))]
        self.assertEqual((False, True), (key in living, other in living))
        destroyed = [item["id"] for item in self.all_of(self.kp.get_keys(self.instance, state=[5]))]
        self.assertEqual((True, False), (key in destroyed, other in destroyed))


if __name__ == "__main__":
    unittest.main()
