// Creating keys, and what the replies of create, get and metadata show.

import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { test } from 'node:test';
import {
  IbmKeyProtectApiV2, INSTANCE, MINIMAL, READY, REPRESENTATION,
  aName, b64, create, fromNow, get, kp, metadata,
} from './kp.js';

const SHORT_FORM = ['type', 'id', 'name', 'state', 'extractable', 'keyRingID', 'crn', 'imported', 'deleted'];
const FULL_FORM = [
  ...SHORT_FORM, 'creationDate', 'createdBy', 'lastUpdateDate', 'algorithmType',
  'algorithmMetadata', 'algorithmBitSize', 'algorithmMode', 'dualAuthDelete',
];

const hasExactly = (key, names) => assert.deepEqual(Object.keys(key).sort(), [...names].sort());

test('a create without Prefer answers the short form', async () => {
  for (const prefer of [undefined, MINIMAL]) {
    for (const extractable of [true, false]) {
      const key = await create({ name: 'plain', extractable }, { prefer });
      hasExactly(key, SHORT_FORM);
      assert.deepEqual([key.name, key.state, key.extractable], ['plain', 1, extractable]);
      assert.deepEqual([key.keyRingID, key.imported, key.deleted], ['default', false, false]);
    }
  }
});

test('a root key in full form has a version and no payload', async () => {
  const key = await create({}, { prefer: REPRESENTATION });
  hasExactly(key, [...FULL_FORM, 'keyVersion']);
  assert.deepEqual(key.keyVersion, { id: key.id, creationDate: key.creationDate });
  assert.deepEqual(key.algorithmMetadata, { bitLength: '256', mode: 'Deprecated' });
  assert.deepEqual([key.algorithmType, key.algorithmMode, key.algorithmBitSize], ['Deprecated', 'Deprecated', 256]);
  assert.deepEqual(key.dualAuthDelete, { enabled: false });
});

test('a standard key in full form has its payload and no version', async () => {
  hasExactly(await create({ extractable: true }, { prefer: REPRESENTATION }), [...FULL_FORM, 'payload']);
});

test('get and metadata answer the full form that create answered', async () => {
  const created = await create({}, { prefer: REPRESENTATION });
  assert.deepEqual(await get(created.id), created);
  assert.deepEqual(await metadata(created.id), created);
});

test('a key id is a version 4 UUID and ends the CRN', async () => {
  const key = await create();
  assert.match(key.id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.equal(key.crn, `crn:v1:bluemix:public:kms:${READY.region}:a/${READY.accountId}:${INSTANCE}:key:${key.id}`);
});

test('description, tags and expiration date come back', async () => {
  const fields = { description: 'for the ledger', tags: ['team-a', 'eu'], expirationDate: await fromNow(86_400_000) };
  const created = await create(fields);
  hasExactly(created, [...SHORT_FORM, ...Object.keys(fields)]);
  for (const key of [created, await get(created.id)]) {
    for (const [name, value] of Object.entries(fields)) assert.deepEqual(key[name], value);
  }
});

test('imported root keys may have 16, 24 or 32 bytes and never show them', async () => {
  for (const length of [16, 24, 32]) {
    const key = await create({ payload: b64(randomBytes(length)) }, { prefer: REPRESENTATION });
    assert.equal(key.imported, true);
    assert.equal(key.algorithmBitSize, length * 8);
    assert.equal(key.algorithmMetadata.bitLength, String(length * 8));
    for (const shown of [key, await get(key.id), await metadata(key.id)]) assert.ok(!('payload' in shown));
  }
});

test('two keys may have the same name', async () => {
  const name = aName();
  assert.notEqual((await create({ name })).id, (await create({ name })).id);
});

test('a correlation id is echoed, whether it is a UUID or not', async () => {
  for (const correlationId of [randomUUID(), 'my-own-text']) {
    const reply = await kp.getKeys({ bluemixInstance: INSTANCE, correlationId });
    assert.equal(reply.headers['correlation-id'], correlationId);
  }
});

test('a client can be built from the environment alone', async () => {
  const settings = {
    IBM_KEY_PROTECT_API_URL: READY.url,
    IBM_KEY_PROTECT_API_AUTH_TYPE: 'iam',
    IBM_KEY_PROTECT_API_AUTH_URL: `${READY.iamUrl}/identity/token`,
    IBM_KEY_PROTECT_API_APIKEY: READY.apiKey,
  };
  Object.assign(process.env, settings);
  const service = IbmKeyProtectApiV2.newInstance();
  for (const name of Object.keys(settings)) delete process.env[name];
  assert.equal((await service.getKeys({ bluemixInstance: INSTANCE })).status, 200);
});
