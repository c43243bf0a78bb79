// Keys that two persons have to delete together. Two API keys are two persons. The published
// package cannot create keys with policy overrides; its request builder does it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  KEY, aName, advance, call, client, collection, count, disable, get, kp, nothing, one, refused, request, rootKey, wrap,
} from './kp.js';

const first = client({ apikey: 'first-person' });
const second = client({ apikey: 'second-person' });

const overridden = (fields) =>
  request(kp, 'POST', '/api/v2/keys_with_policy_overrides', {
    body: collection({ type: KEY, name: aName(), extractable: false, ...fields }),
  });
const dualKey = async (extractable = false) =>
  (await one(overridden({ extractable, dualAuthDelete: { enabled: true } }), 201)).id;
const setForDeletion = (service, key) => nothing(call.setForDeletion(key, service));

async function refusesToDelete(service, key) {
  const error = await refused(409, 'AUTHORIZATIONS_NOT_MET', call.remove(key, { service }));
  assert.ok(error.errorMsg.includes('1 prior authorization(s) are required for deletion: Key could not be deleted'), error.errorMsg);
}

test('an override shows its policies on the key', async () => {
  const policies = { dualAuthDelete: { enabled: true }, rotation: { enabled: true, interval_month: 3 } };
  const key = await one(overridden(policies), 201);
  for (const shown of [key, await get(key.id)]) {
    assert.deepEqual(shown.dualAuthDelete, { enabled: true, keySetForDeletion: false });
    assert.deepEqual(shown.rotation, { enabled: true, interval_month: 3 });
  }
});

test('an override outside its rules creates nothing', async () => {
  const before = await count();
  await refused(400, 'INVALID_FIELD_ERR', overridden({ rotation: { interval_month: 13 } }));
  await refused(400, 'KEY_ROOT_REQ_ERR', overridden({ extractable: true, rotation: { interval_month: 3 } }));
  assert.equal(await count(), before);
});

test('one person alone cannot delete the key', async () => {
  for (const extractable of [false, true]) {
    const key = await dualKey(extractable);
    await refusesToDelete(first, key);
    await setForDeletion(first, key);
    await refusesToDelete(first, key);
  }
});

test('a second person deletes what the first set for deletion', async () => {
  for (const extractable of [false, true]) {
    const key = await dualKey(extractable);
    await setForDeletion(first, key);
    const shown = await get(key);
    assert.deepEqual([shown.state, shown.dualAuthDelete.keySetForDeletion], [1, true]);
    assert.ok('authExpiration' in shown.dualAuthDelete);
    if (!extractable) await wrap(key);
    await nothing(call.remove(key, { service: second }));
    assert.equal((await get(key)).state, 5);
  }
});

test('an authorization can be taken back', async () => {
  const key = await dualKey();
  await setForDeletion(first, key);
  await nothing(call.unsetForDeletion(key, first));
  assert.deepEqual((await get(key)).dualAuthDelete, { enabled: true, keySetForDeletion: false });
  await refusesToDelete(second, key);
});

test('an authorization lapses after 7 days', async () => {
  const key = await dualKey();
  await setForDeletion(first, key);
  await advance('7d1s');
  await refusesToDelete(second, key);
  await setForDeletion(first, key);
  await nothing(call.remove(key, { service: second }));
});

test('an ordinary key cannot be set for deletion', async () => {
  const key = await rootKey();
  for (const refusal of [call.setForDeletion, call.unsetForDeletion]) {
    const error = await refused(409, 'NOT_DUAL_AUTH_ERR', refusal(key));
    assert.match(error.errorMsg, /Action could not be performed on key/);
  }
});

test('a disabled key cannot be set for deletion', async () => {
  const key = await dualKey();
  await disable(key);
  await refused(409, 'KEY_ACTION_INVALID_STATE_ERR', call.setForDeletion(key, first));
});
