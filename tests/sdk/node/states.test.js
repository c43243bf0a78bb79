// Disabling and enabling, the waits between them, synchronisation, and keys that expire.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  VERSION, advance, call, create, disable, enable, get, inAnHour, kp, metadata, nothing, one, refused,
  remove, request, restore, rewrap, rootKey, rotate, unwrap, wrap,
} from './kp.js';

const wrongState = (request) => refused(409, 'KEY_ACTION_INVALID_STATE_ERR', request);

test('a disabled key shows state 2 and refuses every use', async () => {
  const key = await rootKey();
  const { ciphertext } = await wrap(key);
  await disable(key);
  assert.deepEqual([(await get(key)).state, (await metadata(key)).state], [2, 2]);
  const unwrapping = await wrongState(call.unwrap(key, { ciphertext }));
  assert.match(unwrapping.errorMsg, /\(KEY_ACTION_INVALID_STATE_ERR\)/);
  await wrongState(call.rewrap(key, { ciphertext }));
  await wrongState(call.wrap(key));
  await wrongState(call.rotate(key));
  const disabling = await wrongState(call.disable(key));
  assert.match(disabling.errorMsg, /Key is not in active state: Key could not be disabled/);
});

test('a disabled key lists its versions only when all states are asked for', async () => {
  const key = await rootKey();
  await disable(key);
  await wrongState(call.versions(key));
  const listed = request(kp, 'GET', '/api/v2/keys/{id}/versions', { path: { id: key }, qs: { allKeyStates: true } });
  assert.equal((await one(listed, 200, VERSION)).id, key);
});

test('a key can be enabled again after 30 seconds', async () => {
  const key = await rootKey();
  const { plaintext, ciphertext } = await wrap(key);
  await disable(key);
  const error = await refused(409, 'REQ_TOO_EARLY_ERR', call.enable(key));
  assert.match(error.errorMsg, /Key could not be enabled/);
  await advance('30s');
  await enable(key);
  assert.equal((await get(key)).state, 1);
  assert.equal((await unwrap(key, ciphertext)).plaintext, plaintext);
});

test('an active key cannot be enabled', async () => {
  const error = await wrongState(call.enable(await rootKey()));
  assert.match(error.errorMsg, /Key is not in suspended state: Key could not be enabled/);
});

test('a disabled key can be deleted at once and comes back active', async () => {
  const key = await rootKey();
  await disable(key);
  await remove(key);
  await advance('30s');
  assert.equal((await restore(key)).state, 1);
});

test('a fresh key can be synchronised, and then not for an hour', async () => {
  const key = await rootKey();
  await nothing(call.sync(key));
  const error = await refused(409, 'REQ_TOO_EARLY_ERR', call.sync(key));
  assert.match(error.errorMsg, /Could not initiate sync requests to associated resources/);
  await advance('1h');
  await nothing(call.sync(key));
});

test('an expired root key still reads old ciphertexts but makes no new ones', async () => {
  const key = await rootKey({ expirationDate: await inAnHour() });
  const { plaintext, ciphertext } = await wrap(key);
  await advance('1h');
  assert.deepEqual([(await get(key)).state, (await metadata(key)).state], [3, 3]);

  assert.equal((await unwrap(key, ciphertext)).plaintext, plaintext);
  assert.deepEqual((await rewrap(key, ciphertext)).keyVersion, { id: key });
  for (const refusal of [call.wrap, call.disable, call.enable, call.restore, call.purge]) await wrongState(refusal(key));

  await rotate(key);
  assert.equal((await get(key)).state, 3, 'a rotation does not bring an expired key back');
  assert.ok('rewrappedKeyVersion' in (await unwrap(key, ciphertext)));
});

test('a disabled key expires too and cannot be enabled afterwards', async () => {
  const key = await rootKey({ expirationDate: await inAnHour() });
  await disable(key);
  await advance('1h');
  assert.equal((await get(key)).state, 3);
  await wrongState(call.enable(key));
});

test('an expired standard key keeps its payload', async () => {
  const { id } = await create({ extractable: true, expirationDate: await inAnHour() });
  const { payload } = await get(id);
  await advance('1h');
  const shown = await get(id);
  assert.deepEqual([shown.state, shown.payload], [3, payload]);
});

test('an expired key can be deleted but not restored', async () => {
  const key = await rootKey({ expirationDate: await inAnHour() });
  await advance('1h');
  await remove(key);
  assert.equal((await get(key)).restoreAllowed, false);
  await advance('30s');
  await refused(400, 'KEY_EXPIRED_ERR', call.restore(key));
});
