// Other names for keys, and the rings that keys live in.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import {
  ALIAS, INSTANCE, KEY, KEY_RING, aName, advance, allOf, call, collection, count, create, get, kp, metadata,
  nothing, one, purge, refused, remove, rootKey, rotate, unwrap, versions, wrap,
} from './kp.js';

const addAlias = (id, alias) => kp.createKeyAlias({ id, alias, bluemixInstance: INSTANCE });
const removeAlias = (id, alias) => kp.deleteKeyAlias({ id, alias, bluemixInstance: INSTANCE });
const unknown = (reply) => refused(404, 'KEY_NOT_FOUND_ERR', reply);

test('a key made with aliases is found by each of them', async () => {
  const aliases = [aName('alias'), aName('alias')];
  const key = await create({ aliases });
  assert.deepEqual(key.aliases, aliases);
  for (const alias of aliases) {
    assert.deepEqual([(await get(alias)).id, (await metadata(alias)).id], [key.id, key.id]);
  }
});

test('an alias can be added and taken away', async () => {
  const [key, alias] = [await rootKey(), aName('alias')];
  const made = await one(addAlias(key, alias), 201, ALIAS);
  assert.deepEqual([made.keyId, made.alias], [key, alias]);
  assert.deepEqual(Object.keys(made).sort(), ['alias', 'createdBy', 'creationDate', 'keyId']);
  assert.deepEqual((await get(key)).aliases, [alias]);
  await nothing(removeAlias(key, alias));
  assert.ok(!('aliases' in (await get(key))));
  await unknown(call.get(alias));
});

test('actions take an alias and answer with ids', async () => {
  const alias = aName('alias');
  const key = await rootKey({ aliases: [alias] });
  const { plaintext, ciphertext, keyVersion } = await wrap(alias);
  assert.deepEqual(keyVersion, { id: key });
  assert.equal((await unwrap(alias, ciphertext)).plaintext, plaintext);
  await rotate(alias);
  assert.equal((await versions(alias)).at(-1).id, key);
  await remove(alias);
  assert.equal((await get(key)).state, 5);
});

test('aliases tell upper from lower case', async () => {
  const alias = aName('alias');
  await rootKey({ aliases: [alias] });
  await unknown(call.get(alias.toUpperCase()));
});

test('an alias in use is refused and no key is made', async () => {
  const alias = aName('alias');
  await rootKey({ aliases: [alias] });
  const before = await count();
  const body = collection({ type: KEY, name: aName(), extractable: false, aliases: [alias] });
  await refused(409, 'KEY_ALIAS_NOT_UNIQUE_ERR', call.create(body));
  assert.equal(await count(), before);
  await refused(409, 'KEY_ALIAS_NOT_UNIQUE_ERR', addAlias(await rootKey(), alias));
});

test('a key has at most five aliases', async () => {
  const key = await rootKey({ aliases: [1, 2, 3, 4, 5].map(() => aName('alias')) });
  await refused(409, 'KEY_ALIAS_QUOTA_ERR', addAlias(key, aName('alias')));
});

test('an alias outside its rules is refused', async () => {
  const key = await rootKey();
  for (const alias of ['x', 'with space', 'metadata', randomUUID()]) {
    await refused(400, 'INVALID_FIELD_ERR', addAlias(key, alias));
  }
});

test('a purged key frees its alias', async () => {
  const alias = aName('alias');
  const key = await rootKey({ aliases: [alias] });
  await remove(key);
  await advance('4h');
  await purge(key);
  assert.deepEqual((await create({ aliases: [alias] })).aliases, [alias]);
});

const removeRing = (keyRingId) => kp.deleteKeyRing({ keyRingId, bluemixInstance: INSTANCE });
const rings = () => allOf(kp.listKeyRings({ bluemixInstance: INSTANCE }), 200, KEY_RING);

async function newRing() {
  const keyRingId = aName('ring');
  await nothing(kp.createKeyRing({ keyRingId, bluemixInstance: INSTANCE }), 201);
  return keyRingId;
}

test('a ring is made, listed and deleted', async () => {
  const ring = await newRing();
  const listed = await rings();
  assert.deepEqual(listed[0], { id: 'default' });
  assert.ok(listed.some((item) => item.id === ring));
  await nothing(removeRing(ring));
  assert.ok(!(await rings()).some((item) => item.id === ring));
});

test('a key is seen in its own ring alone', async () => {
  const ring = await newRing();
  const key = await create({}, { xKmsKeyRing: ring });
  assert.equal(key.keyRingID, ring);
  const inRing = (xKmsKeyRing) => kp.getKey({ id: key.id, bluemixInstance: INSTANCE, xKmsKeyRing });
  assert.equal((await one(inRing(ring))).id, key.id);
  assert.equal((await get(key.id)).id, key.id);
  await unknown(inRing('default'));
  assert.deepEqual((await allOf(call.list({ xKmsKeyRing: ring }))).map((item) => item.id), [key.id]);
  assert.equal(await count({ xKmsKeyRing: ring }), 1);
});

test('a key moves from ring to ring', async () => {
  const [ring, key] = [await newRing(), await rootKey()];
  const moved = await one(call.patch(key, { keyRingID: ring }));
  assert.deepEqual([moved.id, moved.keyRingID], [key, ring]);
  assert.equal((await one(call.patch(key, { keyRingID: 'default' }, ring))).keyRingID, 'default');
  await refused(404, 'KEY_RING_NOT_FOUND_ERR', call.patch(key, { keyRingID: aName('ring') }));
});

test('a deleted key comes back to its ring', async () => {
  const xKmsKeyRing = await newRing();
  const key = await rootKey({}, { xKmsKeyRing });
  await nothing(call.remove(key, { xKmsKeyRing, force: false }));
  await advance('30s');
  assert.equal((await one(call.restore(key, { xKmsKeyRing }), 201)).keyRingID, xKmsKeyRing);
});

test('a ring with living or destroyed keys stays', async () => {
  const ring = await newRing();
  const key = await rootKey({}, { xKmsKeyRing: ring });
  await refused(409, 'KEY_RING_NOT_EMPTY_ERR', removeRing(ring));
  await remove(key);
  await refused(409, 'KEY_RING_NOT_EMPTY_ERR', removeRing(ring));
});

test('a key cannot be born in a ring that is not there', async () => {
  const body = collection({ type: KEY, name: aName(), extractable: false });
  await refused(404, 'KEY_RING_NOT_FOUND_ERR', call.create(body, { xKmsKeyRing: aName('ring') }));
});
