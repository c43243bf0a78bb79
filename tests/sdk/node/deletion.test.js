// Deleting, restoring and purging keys, and the times that these have to keep.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import {
  REPRESENTATION, advance, allOf, assertUnknown, b64, call, get, metadata, one, purge, refused,
  remove, restore, rootKey, rotate, standardKey, unwrap, wrap,
} from './kp.js';

const DELETION_FIELDS = [
  'deletionDate', 'deletedBy', 'restoreExpirationDate', 'restoreAllowed',
  'purgeAllowed', 'purgeAllowedFrom', 'purgeScheduledOn',
];
const HOUR = 3_600_000;

test('a root key is deleted, restored, deleted and purged', async () => {
  const key = await rootKey();
  const { plaintext, ciphertext } = await wrap(key);
  await rotate(key);
  const before = await get(key);

  await remove(key);
  const gone = await get(key);
  assert.deepEqual([gone.state, gone.deleted], [5, true]);
  const again = await refused(410, 'KEY_DELETED_ERR', call.remove(key));
  assert.match(again.errorMsg, /Key could not be deleted/);
  await refused(410, 'KEY_DELETED_ERR', call.unwrap(key, { ciphertext }));
  const restoring = await refused(409, 'REQ_TOO_EARLY_ERR', call.restore(key));
  assert.match(restoring.errorMsg, /Key could not be restored/);

  await advance('30s');
  const restored = await restore(key);
  assert.deepEqual([restored.id, restored.state], [key, 1]);
  assert.deepEqual([restored.keyVersion, restored.lastRotateDate], [before.keyVersion, before.lastRotateDate]);
  assert.equal((await unwrap(key, ciphertext)).plaintext, plaintext);

  await remove(key);
  const purging = await refused(409, 'REQ_TOO_EARLY_ERR', call.purge(key));
  assert.match(purging.errorMsg, /Key could not be purged/);
  assert.match(purging.reasons[0].message, /Purge operation is allowed 4h0m0s after key is deleted/);

  await advance('4h');
  await purge(key);
  await assertUnknown(key);
});

test('every use of a deleted key is gone', async () => {
  const key = await rootKey();
  const { ciphertext } = await wrap(key);
  await remove(key);
  for (const use of [call.wrap, call.rotate, call.disable, call.enable]) await refused(410, 'KEY_DELETED_ERR', use(key));
  for (const use of [call.unwrap, call.rewrap]) await refused(410, 'KEY_DELETED_ERR', use(key, { ciphertext }));
});

test('a deleted key shows when it may be restored and purged', async () => {
  const key = await rootKey();
  const deleted = await one(call.remove(key, { prefer: REPRESENTATION }));
  assert.deepEqual([deleted.state, deleted.deleted], [5, true]);
  for (const field of DELETION_FIELDS) assert.ok(field in deleted, field);
  assert.deepEqual([deleted.restoreAllowed, deleted.purgeAllowed], [true, false]);
  const after = (field) => Date.parse(deleted[field]) - Date.parse(deleted.deletionDate);
  assert.equal(after('restoreExpirationDate'), 30 * 24 * HOUR);
  assert.equal(after('purgeAllowedFrom'), 4 * HOUR);
  assert.equal(after('purgeScheduledOn'), 90 * 24 * HOUR);
  assert.deepEqual(await get(key), deleted);
  assert.deepEqual(await metadata(key), deleted);

  await advance('4h');
  assert.equal((await get(key)).purgeAllowed, true);
  const purged = await one(call.purge(key, REPRESENTATION));
  assert.deepEqual([purged.id, purged.state, purged.purgeAllowed], [key, 5, true]);
  await assertUnknown(key);
});

test('after 31 days a key cannot be restored, and after 90 it is gone', async () => {
  const keys = [await rootKey(), await standardKey()];
  for (const key of keys) await remove(key);
  await advance('31d');
  for (const key of keys) {
    const shown = await get(key);
    assert.deepEqual([shown.state, shown.restoreAllowed], [5, false]);
    const error = await refused(400, 'KEY_RESTORE_EXPIRED', call.restore(key));
    assert.match(error.errorMsg, /Key could not be restored/);
  }
  await advance('59d');
  for (const key of keys) await assertUnknown(key);
});

test('a key can be restored until shortly before the 30 days are over', async () => {
  const key = await rootKey();
  await remove(key);
  await advance('29d23h59m');
  assert.equal((await restore(key)).state, 1);
});

test('an imported root key is restored without its material, and with the body that used to carry it', async () => {
  for (const keyRestoreBody of [undefined, { resources: [{ payload: b64(randomBytes(24)) }] }]) {
    const key = await rootKey({ payload: b64(randomBytes(24)) });
    const aad = ['a'];
    const { plaintext, ciphertext } = await wrap(key, { aad });
    await remove(key);
    await advance('30s');
    assert.equal((await one(call.restore(key, { keyRestoreBody }), 201)).imported, true);
    assert.equal((await unwrap(key, ciphertext, { aad })).plaintext, plaintext);
  }
});

test('a living key can be neither restored nor purged', async () => {
  const key = await rootKey();
  for (const refusal of [call.restore, call.purge]) await refused(409, 'KEY_ACTION_INVALID_STATE_ERR', refusal(key));
});

test('a deleted key is listed only when its state is asked for', async () => {
  const [key, other] = [await rootKey(), await rootKey()];
  await remove(key);
  const listed = async (options) => (await allOf(call.list(options))).map((item) => item.id);
  const living = await listed();
  assert.deepEqual([living.includes(key), living.includes(other)], [false, true]);
  const destroyed = await listed({ state: [5] });
  assert.deepEqual([destroyed.includes(key), destroyed.includes(other)], [true, false]);
});
