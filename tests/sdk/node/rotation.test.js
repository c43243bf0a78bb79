// Rotating generated and imported root keys, and what old ciphertexts and versions show afterwards.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import {
  VERSION, advance, b64, call, content, get, kp, refused, request, rewrap, rootKey, rotate, unwrap, versions, wrap,
} from './kp.js';

const newest = async (id) => (await get(id)).keyVersion.id;
const ids = async (id, options) => (await versions(id, options)).map((version) => version.id);

test('a rotated key unwraps the old ciphertext and offers a new one', async () => {
  const key = await rootKey();
  const aad = ['a'];
  const { plaintext, ciphertext: old } = await wrap(key, { aad });
  await rotate(key);
  const version = await newest(key);
  assert.notEqual(version, key);

  const { ciphertext, ...rest } = await unwrap(key, old, { aad });
  assert.deepEqual(rest, { plaintext, keyVersion: { id: key }, rewrappedKeyVersion: { id: version } });
  assert.notEqual(ciphertext, old);
  assert.deepEqual(await unwrap(key, ciphertext, { aad }), { plaintext, keyVersion: { id: version } });
});

test('rewrap after a rotation moves the ciphertext to the newest version', async () => {
  const key = await rootKey();
  const { plaintext, ciphertext: old } = await wrap(key);
  await rotate(key);
  const version = await newest(key);
  const { ciphertext, ...rest } = await rewrap(key, old);
  assert.deepEqual(rest, { keyVersion: { id: key }, rewrappedKeyVersion: { id: version } });
  assert.deepEqual(await unwrap(key, ciphertext), { plaintext, keyVersion: { id: version } });
});

test('a rotated key wraps with its newest version', async () => {
  const key = await rootKey();
  await rotate(key);
  assert.deepEqual((await wrap(key)).keyVersion, { id: await newest(key) });
});

test('a first rotation sets the rotation date and keeps the id', async () => {
  const key = await rootKey();
  assert.ok(!('lastRotateDate' in (await get(key))));
  await rotate(key, {});
  const shown = await get(key);
  assert.deepEqual([shown.id, shown.state], [key, 1]);
  assert.equal(shown.lastRotateDate, shown.keyVersion.creationDate);
});

test('a second rotation within the hour is refused and allowed after it', async () => {
  const key = await rootKey();
  await rotate(key);
  const error = await refused(409, 'KEY_ROTATION_NOT_PERMITTED', call.rotate(key));
  assert.match(error.errorMsg, /Key could not be rotated/);
  await advance('1h');
  await rotate(key);
  assert.equal((await ids(key)).length, 3);
});

test('versions are listed newest first and end with the key id', async () => {
  const key = await rootKey();
  const made = [key];
  for (let n = 0; n < 3; n += 1) {
    await rotate(key);
    made.unshift(await newest(key));
    await advance('1h');
  }
  assert.deepEqual(await ids(key), made);
  assert.deepEqual(await ids(key, { limit: 2, offset: 1 }), made.slice(1, 3));
  const counted = request(kp, 'GET', '/api/v2/keys/{id}/versions', { path: { id: key }, qs: { limit: 1, totalCount: true } });
  assert.equal((await content(counted, 200, VERSION)).metadata.totalCount, 4);
});

test('every older ciphertext still unwraps after many rotations', async () => {
  const key = await rootKey();
  const wrapped = [];
  for (let n = 0; n < 4; n += 1) {
    wrapped.push(await wrap(key));
    await rotate(key);
    await advance('1h');
  }
  for (const { plaintext, ciphertext, keyVersion } of wrapped) {
    const unwrapped = await unwrap(key, ciphertext);
    assert.deepEqual([unwrapped.plaintext, unwrapped.keyVersion], [plaintext, keyVersion]);
  }
});

test('a generated key takes no payload when it rotates', async () => {
  const key = await rootKey();
  const error = await refused(400, 'INVALID_QUERY_PARAM_ERR', call.rotate(key, { payload: b64(randomBytes(32)) }));
  assert.deepEqual(error.reasons[0].target, { type: 'query_param', name: 'payload' });
  await rotate(key);
});

test('an imported key needs a payload when it rotates', async () => {
  const key = await rootKey({ payload: b64(randomBytes(16)) });
  for (const body of [undefined, {}]) {
    const error = await refused(400, 'KEY_PAYLOAD_REQ_ERR', call.rotate(key, body));
    assert.deepEqual(error.reasons[0].target, { type: 'field', name: 'payload' });
  }
});

test('an imported key may rotate to material of another length', async () => {
  const key = await rootKey({ payload: b64(randomBytes(16)) });
  const { plaintext, ciphertext } = await wrap(key);
  await rotate(key, { payload: b64(randomBytes(32)) });
  assert.equal((await get(key)).algorithmBitSize, 256);
  assert.equal((await unwrap(key, ciphertext)).plaintext, plaintext);
});

test('rotation material of a wrong length is refused', async () => {
  const key = await rootKey({ payload: b64(randomBytes(16)) });
  await refused(400, 'INVALID_FIELD_ERR', call.rotate(key, { payload: b64(randomBytes(15)) }));
});
