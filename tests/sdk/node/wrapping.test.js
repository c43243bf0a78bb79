// Wrap, unwrap and rewrap with a root key, with and without additional authenticated data.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { ACTION, INSTANCE, b64, call, content, kp, refused, rewrap, rootKey, tampered, unb64, unwrap, wrap } from './kp.js';

const forged = (id, body) => refused(422, 'UNPROCESSABLE_CIPHERTEXT_ERR', call.unwrap(id, body));

test('a wrap without plaintext makes a data key of 32 bytes', async () => {
  const key = await rootKey();
  const { plaintext, ciphertext, ...rest } = await wrap(key);
  assert.deepEqual(rest, { keyVersion: { id: key } });
  assert.equal(unb64(plaintext).length, 32);
  assert.deepEqual(await unwrap(key, ciphertext), { plaintext, keyVersion: { id: key } });
});

test('a wrap may have no body at all', async () => {
  const wrapped = await content(kp.wrapKey({ id: await rootKey(), bluemixInstance: INSTANCE }), 200, ACTION);
  assert.equal(unb64(wrapped.plaintext).length, 32);
});

test('a plaintext of any length comes back and is not repeated by wrap', async () => {
  const key = await rootKey();
  for (const length of [1, 16, 24, 32, 39, 7500]) {
    const plaintext = b64(randomBytes(length));
    const wrapped = await wrap(key, { plaintext });
    assert.deepEqual(Object.keys(wrapped).sort(), ['ciphertext', 'keyVersion']);
    assert.equal((await unwrap(key, wrapped.ciphertext)).plaintext, plaintext);
  }
});

test('an imported root key wraps and unwraps', async () => {
  for (const length of [16, 24, 32]) {
    const key = await rootKey({ payload: b64(randomBytes(length)) });
    const plaintext = b64('a data key');
    const { ciphertext } = await wrap(key, { plaintext });
    assert.equal((await unwrap(key, ciphertext)).plaintext, plaintext);
  }
});

test('each wrap of one plaintext gives another ciphertext', async () => {
  const key = await rootKey();
  const made = new Set();
  for (let n = 0; n < 5; n += 1) made.add((await wrap(key, { plaintext: b64('the same') })).ciphertext);
  assert.equal(made.size, 5);
});

test('the ciphertext names the key version that made it', async () => {
  const key = await rootKey();
  const document = JSON.parse(unb64((await wrap(key)).ciphertext).toString());
  assert.deepEqual(Object.keys(document), ['ciphertext', 'iv', 'version', 'handle']);
  assert.deepEqual([document.version, document.handle, unb64(document.iv).length], ['4.0.0', key, 12]);
});

test('unwrap needs the AAD of the wrap, in order, number and text', async () => {
  const key = await rootKey();
  const aad = ['tenant-1', 'object-7'];
  const { plaintext, ciphertext } = await wrap(key, { aad });
  assert.equal((await unwrap(key, ciphertext, { aad })).plaintext, plaintext);
  for (const other of [['object-7', 'tenant-1'], ['tenant-1'], ['tenant-1object-7'], ['tenant-1', 'Object-7'], []]) {
    const error = await forged(key, { ciphertext, aad: other });
    assert.match(error.errorMsg, /Unwrap with key could not be performed/);
  }
});

test('a ciphertext without AAD does not unwrap with one', async () => {
  const key = await rootKey();
  const { ciphertext } = await wrap(key);
  await forged(key, { ciphertext, aad: ['x'] });
});

test('a tampered ciphertext is refused by unwrap and rewrap', async () => {
  const key = await rootKey();
  const ciphertext = tampered((await wrap(key)).ciphertext);
  await forged(key, { ciphertext });
  await refused(422, 'UNPROCESSABLE_CIPHERTEXT_ERR', call.rewrap(key, { ciphertext }));
});

test('another key does not unwrap the ciphertext', async () => {
  const { ciphertext } = await wrap(await rootKey());
  await forged(await rootKey(), { ciphertext });
});

test('another key with the same material does unwrap it', async () => {
  const payload = b64(randomBytes(32));
  const [first, second] = [await rootKey({ payload }), await rootKey({ payload })];
  const { plaintext, ciphertext } = await wrap(first);
  assert.deepEqual(await unwrap(second, ciphertext), { plaintext, keyVersion: { id: second } });
});

test('rewrap before a rotation keeps the version and renews the ciphertext', async () => {
  const key = await rootKey();
  const aad = ['a'];
  const wrapped = await wrap(key, { aad });
  const { ciphertext, ...rest } = await rewrap(key, wrapped.ciphertext, { aad });
  assert.deepEqual(rest, { keyVersion: { id: key }, rewrappedKeyVersion: { id: key } });
  assert.notEqual(ciphertext, wrapped.ciphertext);
  assert.equal((await unwrap(key, ciphertext, { aad })).plaintext, wrapped.plaintext);
});
