// The walk that IBM's own live test of this SDK takes through a fresh instance, call by call in that order; where it waits
// for 30 seconds, the clock is moved. At the end it does what the live test only names: the purge, once it is due.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ACTION, ALIAS, IMPORT_TOKEN, KEY, KEY_RING, READY, REPRESENTATION, VERSION, advance, client, collection, content, kp,
  nothing, one, refused, request, tokenOf,
} from './kp.js';

const POLICY = 'application/vnd.ibm.kms.policy+json';
const REGISTRATION = 'application/vnd.ibm.kms.registration+json';
const TIERED_PRICING = 'eedd3585-90c6-4c8f-be3d-062069e99fc3';
const CORRELATION = 'a-walk-of-our-own';

async function controller(method, path, body) {
  const reply = await fetch(`${READY.url}/v2/resource_instances${path}`, {
    method,
    headers: { Authorization: `Bearer ${await tokenOf(kp)}`, 'Content-Type': 'application/json' },
    body: body && JSON.stringify(body),
  });
  const text = await reply.text();
  return { status: reply.status, body: text && JSON.parse(text) };
}

const policies = (...resources) => ({
  metadata: { collectionType: POLICY, collectionTotal: resources.length },
  resources,
});

test('the live test of the SDK, from the first call to the last', async (t) => {
  const made = await controller('POST', '', {
    name: 'testInstance', target: 'us-south', resource_group: 'Default', resource_plan_id: TIERED_PRICING,
  });
  assert.equal(made.status, 201);
  const bluemixInstance = made.body.guid;
  const inIt = (more) => ({ bluemixInstance, correlationId: CORRELATION, ...more });
  const headers = (more) => ({ 'Bluemix-Instance': bluemixInstance, 'Correlation-Id': CORRELATION, ...more });
  const purge = (id) =>
    request(kp, 'DELETE', '/api/v2/keys/{id}/purge', { path: { id }, headers: headers({ Prefer: REPRESENTATION }) });
  const create = (fields) =>
    one(kp.createKey(inIt({ body: collection({ type: KEY, extractable: false, ...fields }) })), 201);
  await advance('30s');
  const { id } = await create({ name: 'nodejsKey' });
  let imported;

  await t.test('import token', async () => {
    const asked = { maxAllowedRetrievals: 30, expiration: 80000 };
    const token = await content(kp.postImportToken(inIt(asked)), 200, IMPORT_TOKEN);
    assert.equal(token.maxAllowedRetrievals, 30);
    assert.equal(Date.parse(token.expirationDate) - Date.parse(token.creationDate), 80_000_000);
    const read = await content(kp.getImportToken(inIt()), 200, IMPORT_TOKEN);
    assert.deepEqual([read.maxAllowedRetrievals, read.remainingRetrievals], [30, 29]);
    assert.ok(read.payload && read.nonce);
  });

  await t.test('keys and their use', async () => {
    const total = await kp.getKeyCollectionMetadata(inIt());
    assert.deepEqual([total.status, total.headers['key-total']], [200, '1']);
    assert.equal(total.headers['correlation-id'], CORRELATION);
    imported = (await create({ name: 'newkey', payload: 'ODg4ODg4ODg4ODg4ODg4OA==' })).id;
    const list = await content(kp.getKeys(inIt()));
    assert.deepEqual(list.resources.map((key) => key.id), [id, imported].sort());
    assert.equal((await one(kp.getKey(inIt({ id })))).id, id);
    const plaintext = 'dGhpcyBpcyBhIGJhc2U2NCBzdHJpbmcK';
    const { ciphertext } = await content(kp.wrapKey(inIt({ id, keyActionWrapBody: { plaintext } })), 200, ACTION);
    const opened = await content(kp.unwrapKey(inIt({ id, keyActionUnwrapBody: { ciphertext } })), 200, ACTION);
    assert.equal(opened.plaintext, plaintext);
    const again = await content(kp.rewrapKey(inIt({ id, keyActionRewrapBody: { ciphertext } })), 200, ACTION);
    assert.notEqual(again.ciphertext, ciphertext);
  });

  await t.test('rotation, of the imported key to longer material', async () => {
    await nothing(kp.rotateKey(inIt({ id, keyActionRotateBody: {} })));
    const payload = 'SXQgaXMgYSByZWFsbHkgaW1wb3J0YW50IG1lc3NhZ2U=';
    await nothing(kp.rotateKey(inIt({ id: imported, keyActionRotateBody: { payload } })));
    const versions = await content(kp.getKeyVersions(inIt({ id })), 200, VERSION);
    assert.equal(versions.metadata.collectionTotal, 2);
    assert.notEqual(versions.resources[0].id, versions.resources[1].id);
  });

  await t.test('policies of the key', async () => {
    const put = (policy, resource) =>
      one(kp.putPolicy(inIt({ id, policy, setKeyPoliciesOneOf: policies({ type: POLICY, ...resource }) })), 200, POLICY);
    assert.equal((await put('rotation', { rotation: { interval_month: 2 } })).rotation.interval_month, 2);
    assert.equal((await put('dualAuthDelete', { dualAuthDelete: { enabled: false } })).dualAuthDelete.enabled, false);
    const all = await content(kp.getPolicy(inIt({ id })), 200, POLICY);
    assert.equal(all.metadata.collectionTotal, 2);
    const rotation = all.resources.find((policy) => 'rotation' in policy);
    const dual = all.resources.find((policy) => 'dualAuthDelete' in policy);
    assert.deepEqual([rotation.rotation.interval_month, dual.dualAuthDelete.enabled], [2, false]);
  });

  await t.test('disabled and enabled after 30 seconds', async () => {
    await nothing(kp.disableKey(inIt({ id })));
    await refused(409, 'REQ_TOO_EARLY_ERR', kp.enableKey(inIt({ id })));
    await advance('30s');
    await nothing(kp.enableKey(inIt({ id })));
  });

  await t.test('deleted, too early for purge and sync, restored after 30 seconds', async () => {
    for (const one_of of [imported, id]) {
      const deleted = await one(kp.deleteKey(inIt({ id: one_of, prefer: REPRESENTATION })));
      assert.deepEqual([deleted.id, deleted.state], [one_of, 5]);
    }
    await refused(409, 'REQ_TOO_EARLY_ERR', purge(id));
    await refused(409, 'REQ_TOO_EARLY_ERR', kp.syncAssociatedResources(inIt({ id })));
    await advance('30s');
    const restored = await one(kp.restoreKey(inIt({ id })), 201);
    assert.deepEqual([restored.id, restored.state], [id, 1]);
  });

  await t.test('policies of the instance', async () => {
    const put = (policy_type, policy_data) =>
      nothing(kp.putInstancePolicy(inIt({ setInstancePoliciesOneOf: policies({ policy_type, policy_data }) })));
    await put('dualAuthDelete', { enabled: false });
    await put('allowedNetwork', { enabled: true, attributes: { allowed_network: 'public-and-private' } });
    const all = await content(kp.getInstancePolicy(inIt()), 200, POLICY);
    const set = Object.fromEntries(all.resources.map((one) => [one.policy_type, one.policy_data.enabled]));
    assert.deepEqual(set, { dualAuthDelete: false, allowedNetwork: true });
  });

  await t.test('an alias', async () => {
    const alias = 'nodejsKeyAlias';
    assert.equal((await one(kp.createKeyAlias(inIt({ id, alias })), 201, ALIAS)).keyId, id);
    assert.equal((await one(kp.getKey(inIt({ id: alias })))).id, id);
    await nothing(kp.deleteKeyAlias(inIt({ id, alias })));
  });

  await t.test('a ring, there and back', async () => {
    const keyRingId = 'testNodeSdkKeyRingId7x2';
    const move = (from, to) =>
      one(request(kp, 'PATCH', '/api/v2/keys/{id}', {
        path: { id }, body: { keyRingID: to }, headers: headers({ 'X-Kms-Key-Ring': from }),
      }));
    await nothing(kp.createKeyRing(inIt({ keyRingId })), 201);
    const rings = await content(kp.listKeyRings(inIt()), 200, KEY_RING);
    assert.ok(rings.resources.some((ring) => ring.id === keyRingId));
    assert.equal((await move('default', keyRingId)).keyRingID, keyRingId);
    assert.equal((await move(keyRingId, 'default')).keyRingID, 'default');
    await nothing(kp.deleteKeyRing(inIt({ keyRingId })));
  });

  await t.test('registrations', async () => {
    for (const call of [kp.getRegistrations(inIt({ id })), kp.getRegistrationsAllKeys(inIt())]) {
      assert.equal((await content(call, 200, REGISTRATION)).metadata.collectionTotal, 0);
    }
  });

  await t.test('clean-up, by two people where one key needs them', async () => {
    const put = policies({ type: POLICY, dualAuthDelete: { enabled: true } });
    await one(kp.putPolicy(inIt({ id, policy: 'dualAuthDelete', setKeyPoliciesOneOf: put })), 200, POLICY);
    await refused(409, 'AUTHORIZATIONS_NOT_MET', kp.deleteKey(inIt({ id, prefer: REPRESENTATION })));
    await nothing(kp.setKeyForDeletion(inIt({ id })));
    const second = client({ apikey: 'second-person' });
    assert.equal((await controller('DELETE', `/${bluemixInstance}`)).status, 409);
    assert.equal((await one(second.deleteKey(inIt({ id, prefer: REPRESENTATION })))).state, 5);
    await advance('4h');
    const purged = await one(purge(id));
    assert.deepEqual([purged.id, purged.purgeAllowed], [id, true]);
    await refused(404, 'KEY_NOT_FOUND_ERR', kp.getKey(inIt({ id })));
    assert.equal((await controller('DELETE', `/${bluemixInstance}`)).status, 204);
    await refused(401, null, kp.getKeys(inIt()));
  });
});
