// Wrong uses: tokens, instances, bodies and fields that the service has to refuse.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { BearerTokenAuthenticator, NoAuthAuthenticator } from 'ibm-cloud-sdk-core';
import {
  INSTANCE, KEY, REPRESENTATION, UNAUTHORIZED, aName, admin, assertUnknown, b64, call, client, collection,
  count, get, kp, one, refused, rootKey, tokenOf,
} from './kp.js';

const WRONG_INSTANCE = 'Bad Request: Request requires valid Bluemix-Instance Header containing a valid UUID';

const withToken = (bearerToken) => client({ authenticator: new BearerTokenAuthenticator({ bearerToken }) });
const listBy = (service, bluemixInstance = INSTANCE) => service.getKeys({ bluemixInstance });

async function unauthorized(service, instance) {
  assert.deepEqual(await refused(401, null, listBy(service, instance)), { errorMsg: UNAUTHORIZED });
  const error = await listBy(service, instance).catch((reason) => reason);
  assert.ok(error.headers['www-authenticate']);
  assert.equal(error.message, 'Access is denied due to invalid credentials.');
}

test('a call without a token is unauthorized', () => unauthorized(client({ authenticator: new NoAuthAuthenticator() })));

test('a token with a bad signature is unauthorized', async () => {
  const [head, claims, signature] = (await tokenOf(kp)).split('.');
  const forged = (signature[0] === 'B' ? 'C' : 'B') + signature.slice(1);
  await unauthorized(withToken(`${head}.${claims}.${forged}`));
});

test('text that is no token is a bad request', async () => {
  for (const token of ['nonsense', 'not.a.jwt']) {
    await refused(400, 'BEARER_SUB_EXTRACTION_ERR', listBy(withToken(token)));
  }
});

test('an expired token is unauthorized and a new one is not', async () => {
  const service = client();
  assert.equal((await listBy(service)).status, 200);
  await admin('POST', '/tokens/expire');
  await unauthorized(service);
  assert.equal((await listBy(client())).status, 200);
  // The other tests go on with a client whose authenticator has to fetch a token again.
  kp.getAuthenticator().tokenManager.expireTime = 0;
  assert.equal((await listBy(kp)).status, 200);
});

test('an unknown instance is unauthorized', () => unauthorized(kp, randomUUID()));

test('an instance that is no UUID is a bad request', async () => {
  for (const instance of ['not-a-uuid', `crn:v1:bluemix:public:kms:us-south:a/x:${INSTANCE}::`]) {
    assert.deepEqual(await refused(400, null, listBy(kp, instance)), { errorMsg: WRONG_INSTANCE });
  }
});

test("another person's key is as usable as one's own", async () => {
  const other = client({ apikey: 'another-person' });
  const mine = await get(await rootKey());
  assert.equal((await one(call.get(mine.id, other))).id, mine.id);
  const body = collection({ type: KEY, name: aName(), extractable: false });
  const theirs = await one(other.createKey({ bluemixInstance: INSTANCE, body, prefer: REPRESENTATION }), 201);
  assert.notEqual(theirs.createdBy, mine.createdBy);
});

async function notCreated(code, body) {
  const error = await refused(400, code, call.create(body));
  assert.match(error.errorMsg, /Key could not be created/);
  return error;
}

const resource = (fields) => ({ type: KEY, name: aName(), extractable: false, ...fields });

async function badField(name, fields) {
  const error = await notCreated('INVALID_FIELD_ERR', collection(resource(fields)));
  assert.deepEqual(error.reasons[0].target, { type: 'field', name });
}

test('a name outside 2 to 90 characters is refused', async () => {
  await badField('name', { name: 'x' });
  await badField('name', { name: 'x'.repeat(91) });
});

test('a description outside 2 to 240 characters is refused', async () => {
  await badField('description', { description: 'x' });
  await badField('description', { description: 'x'.repeat(241) });
});

test('root key material of another length than 16, 24 or 32 is refused', async () => {
  for (const length of [1, 15, 17, 33, 64]) await badField('payload', { payload: b64(Buffer.alloc(length)) });
});

test('standard key material of more than 7500 bytes is refused', () =>
  badField('payload', { extractable: true, payload: b64(Buffer.alloc(7501)) }));

test('key material that is not base64 is refused', () => badField('payload', { payload: 'not base64!' }));

test('empty key material is refused', () => notCreated('BAD_BODY_ERR', collection(resource({ payload: '' }))));

test('an expiration date in the past is refused', () =>
  badField('expirationDate', { expirationDate: '2001-01-01T00:00:00Z' }));

test('a body that is not JSON is refused', () => notCreated('BAD_BODY_ERR', '{'));

test('a create has metadata and exactly one resource', async () => {
  const before = await count();
  const missing = await notCreated('BAD_BODY_ERR', { resources: [resource()] });
  assert.match(missing.reasons[0].message, /CollectionMetadata is empty/);
  const two = await notCreated('BAD_BODY_ERR', collection(resource(), resource()));
  assert.match(two.reasons[0].message, /Only creation of one key per request is supported/);
  assert.equal(await count(), before);
});

test('plaintext that is not base64 is refused', async () => {
  const error = await refused(400, 'INVALID_FIELD_ERR', call.wrap(await rootKey(), { plaintext: 'not base64!' }));
  assert.deepEqual(error.reasons[0].target, { type: 'field', name: 'plaintext' });
  assert.match(error.errorMsg, /Wrap with key could not be performed/);
});

test('a ciphertext that wrap never made is refused', async () => {
  const key = await rootKey();
  for (const action of [call.unwrap, call.rewrap]) {
    for (const ciphertext of ['not base64!', b64('no document')]) {
      const error = await refused(400, 'INVALID_FIELD_ERR', action(key, { ciphertext }));
      assert.deepEqual(error.reasons[0].target, { type: 'field', name: 'ciphertext' });
    }
    await refused(400, 'INVALID_FIELD_ERR', action(key, {}));
  }
});

test('a key that never was is not found', async () => {
  await assertUnknown(randomUUID());
  await assertUnknown('no-such-alias');
});

test("an error reply carries the caller's correlation id", async () => {
  const correlationId = randomUUID();
  const missing = kp.getKey({ id: randomUUID(), bluemixInstance: INSTANCE, correlationId });
  const error = await missing.catch((reason) => reason);
  assert.equal(error.headers['correlation-id'], correlationId);
});
