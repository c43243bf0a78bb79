// The life of an import token, and keys that are imported and rotated with one.

import assert from 'node:assert/strict';
import { constants, createCipheriv, publicEncrypt, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import {
  IMPORT_TOKEN, INSTANCE, KEY, aName, advance, b64, call, collection, content, create, get, kp, refused,
  rootKey, rotate, unb64, unwrap, wrap,
} from './kp.js';

const post = (options) => kp.postImportToken({ bluemixInstance: INSTANCE, ...options });
const make = (options) => content(post(options), 200, IMPORT_TOKEN);
const fetchToken = () => content(kp.getImportToken({ bluemixInstance: INSTANCE }), 200, IMPORT_TOKEN);
const refusedToken = () => refused(409, 'IMPORT_TOKEN_EXPIRED_ERR', kp.getImportToken({ bluemixInstance: INSTANCE }));

/** What a client makes of its key material for a token: the fields of a secure import. */
function sealed(material, token, nonce = unb64(token.nonce)) {
  const key = { key: unb64(token.payload).toString(), padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' };
  const iv = randomBytes(12);
  const cipher = createCipheriv(`aes-${material.length * 8}-gcm`, material, iv);
  const encryptedNonce = Buffer.concat([cipher.update(nonce), cipher.final(), cipher.getAuthTag()]);
  return {
    payload: b64(publicEncrypt(key, material)),
    encryptedNonce: b64(encryptedNonce),
    iv: b64(iv),
    encryptionAlgorithm: 'RSAES_OAEP_SHA_256',
  };
}

const secureCreate = (fields) => call.create(collection({ type: KEY, name: aName(), extractable: false, ...fields }));

test('a token counts its retrievals and holds a public key', async () => {
  const made = await make({ expiration: 600, maxAllowedRetrievals: 2 });
  assert.deepEqual(Object.keys(made).sort(), ['creationDate', 'expirationDate', 'maxAllowedRetrievals', 'remainingRetrievals']);
  assert.deepEqual([made.maxAllowedRetrievals, made.remainingRetrievals], [2, 2]);
  const first = await fetchToken();
  assert.equal(first.remainingRetrievals, 1);
  assert.match(unb64(first.payload).toString(), /^-----BEGIN PUBLIC KEY-----/);
  assert.equal(unb64(first.nonce).length, 12);
  assert.equal((await fetchToken()).remainingRetrievals, 0);
  await refusedToken();
});

test('a token expires', async () => {
  await make({ expiration: 300, maxAllowedRetrievals: 5 });
  await advance('301s');
  const error = await refusedToken();
  assert.match(error.errorMsg, /Import Token could not be retrieved/);
});

test('token limits outside their rules are refused', async () => {
  for (const options of [{ expiration: 299 }, { expiration: 86401 }, { maxAllowedRetrievals: 501 }]) {
    await refused(400, 'INVALID_FIELD_ERR', post(options));
  }
});

test('a key imported with a token has the material that was sealed', async () => {
  await make();
  const token = await fetchToken();
  for (const length of [16, 24, 32]) {
    const material = randomBytes(length);
    const key = await create(sealed(material, token));
    assert.equal(key.imported, true);
    const { plaintext, ciphertext } = await wrap(key.id);
    const plain = await rootKey({ payload: b64(material) });
    assert.equal((await unwrap(plain, ciphertext)).plaintext, plaintext);
  }
});

test('a key imported with a token rotates with one', async () => {
  await make();
  const token = await fetchToken();
  const { id } = await create(sealed(randomBytes(16), token));
  const { plaintext, ciphertext } = await wrap(id);
  await rotate(id, sealed(randomBytes(32), token));
  assert.equal((await get(id)).algorithmBitSize, 256);
  assert.equal((await unwrap(id, ciphertext)).plaintext, plaintext);
});

test('a wrong nonce, a wrong key and a lone nonce are refused', async () => {
  await make();
  const token = await fetchToken();
  const material = randomBytes(32);
  const good = sealed(material, token);
  await refused(400, 'INCORRECT_NONCE_ERR', secureCreate(sealed(material, token, randomBytes(12))));
  await refused(400, 'INCORRECT_NONCE_IV_ERR', secureCreate({ ...good, iv: b64(randomBytes(12)) }));
  await refused(400, 'INCORRECT_NONCE_IV_ERR', secureCreate({ ...sealed(randomBytes(32), token), payload: good.payload }));
  await refused(400, 'INVALID_FIELD_ERR', secureCreate({ ...good, iv: undefined }));
});

test('an expired token imports no key', async () => {
  await make({ expiration: 300 });
  const token = await fetchToken();
  await advance('301s');
  await refused(409, 'IMPORT_TOKEN_EXPIRED_ERR', secureCreate(sealed(randomBytes(32), token)));
});
