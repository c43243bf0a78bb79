// The old form of actions, POST /keys/{id}?action=, which the published package no longer offers.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ACTION, advance, content, kp, nothing, one, refused, remove, request, rootKey, standardKey, unwrap, versions,
} from './kp.js';

const act = (id, action, body = {}) => request(kp, 'POST', '/api/v2/keys/{id}', { path: { id }, qs: { action }, body });
const answer = (...action) => content(act(...action), 200, ACTION);

test('wrap, unwrap and rewrap work in the old form', async () => {
  const key = await rootKey();
  const aad = ['a'];
  const { plaintext, ciphertext } = await answer(key, 'wrap', { aad });
  assert.deepEqual(await answer(key, 'unwrap', { ciphertext, aad }), { plaintext, keyVersion: { id: key } });
  const rewrapped = await answer(key, 'rewrap', { ciphertext, aad });
  assert.deepEqual(rewrapped.rewrappedKeyVersion, { id: key });
  assert.equal((await unwrap(key, rewrapped.ciphertext, { aad })).plaintext, plaintext);
});

test('rotate, disable, enable and restore work in the old form', async () => {
  const key = await rootKey();
  await nothing(act(key, 'rotate'));
  assert.equal((await versions(key)).length, 2);
  await nothing(act(key, 'disable'));
  await refused(409, 'REQ_TOO_EARLY_ERR', act(key, 'enable'));
  await advance('30s');
  await nothing(act(key, 'enable'));
  await remove(key);
  await refused(409, 'REQ_TOO_EARLY_ERR', act(key, 'restore'));
  await advance('30s');
  assert.equal((await one(act(key, 'restore'), 201)).state, 1);
});

test('refusals are those of the new form', async () => {
  await refused(400, 'KEY_ROOT_REQ_ERR', act(await standardKey(), 'wrap'));
  for (const action of ['setKeyForDeletion', 'unsetKeyForDeletion']) {
    await refused(409, 'NOT_DUAL_AUTH_ERR', act(await rootKey(), action));
  }
});

test('an action that is not offered is refused', async () => {
  const key = await rootKey();
  for (const action of [undefined, 'sync', 'Wrap', 'purge']) {
    const error = await refused(400, 'INVALID_QUERY_PARAM_ERR', act(key, action));
    assert.match(error.errorMsg, /Action could not be performed on key/);
  }
});
