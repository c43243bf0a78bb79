// Policies of keys and of the instance: what is set is what comes back, and what it forbids.

import assert from 'node:assert/strict';
import { constants, createCipheriv, publicEncrypt, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import {
  IMPORT_TOKEN, INSTANCE, KEY, aName, advance, allOf, b64, call, collection, content, create, get, kp, nothing, one,
  refused, rootKey, standardKey, unb64,
} from './kp.js';

const POLICY = 'application/vnd.ibm.kms.policy+json';
const ALLOWED_IP = 'application/vnd.ibm.kms.allowed_ip_metadata+json';

const policiesOf = (...resources) => ({
  metadata: { collectionType: POLICY, collectionTotal: resources.length },
  resources,
});
const put = (id, resources, policy) =>
  kp.putPolicy({ id, bluemixInstance: INSTANCE, setKeyPoliciesOneOf: policiesOf(...resources), policy });
const putInstance = (resources, policy) =>
  kp.putInstancePolicy({ bluemixInstance: INSTANCE, setInstancePoliciesOneOf: policiesOf(...resources), policy });
const policy = (kind, enabled, attributes) => ({
  policy_type: kind,
  policy_data: { enabled, ...(attributes && { attributes }) },
});
const setInstance = (kind, enabled, attributes) => nothing(putInstance([policy(kind, enabled, attributes)], kind));
const dataOf = async (kind) =>
  (await one(kp.getInstancePolicy({ bluemixInstance: INSTANCE, policy: kind }), 200, POLICY)).policy_data;

test('a rotation policy is set, changed and shown with the key', async () => {
  const key = await rootKey();
  const list = await content(kp.getPolicy({ id: key, bluemixInstance: INSTANCE }), 200, POLICY);
  assert.deepEqual(list.resources, []);
  const rotation = { interval_month: 3 };
  const set = await one(put(key, [{ type: POLICY, rotation }], 'rotation'), 200, POLICY);
  assert.deepEqual(set.rotation, { enabled: true, interval_month: 3 });
  assert.equal(set.crn.split(':')[9], set.id);
  const off = await one(put(key, [{ type: POLICY, rotation: { enabled: false } }], 'rotation'), 200, POLICY);
  assert.deepEqual([off.id, off.rotation], [set.id, { enabled: false, interval_month: 3 }]);
  assert.deepEqual((await get(key)).rotation, { enabled: false, interval_month: 3 });
});

test('both policies are set at once and the key rotates', async () => {
  const key = await rootKey();
  const both = [{ rotation: { enabled: true, interval_month: 1 } }, { dualAuthDelete: { enabled: true } }];
  assert.equal((await allOf(put(key, both), 200, POLICY)).length, 2);
  await advance('30d');
  assert.ok((await get(key)).lastRotateDate);
  await refused(409, 'AUTHORIZATIONS_NOT_MET', call.remove(key));
});

test('policies that make no sense are refused', async () => {
  const rotation = (interval_month) => [{ rotation: { interval_month } }];
  const error = await refused(400, 'INVALID_FIELD_ERR', put(await rootKey(), rotation(13), 'rotation'));
  assert.deepEqual(error.reasons[0].target, { type: 'field', name: 'interval_month' });
  await refused(400, 'KEY_ROOT_REQ_ERR', put(await standardKey(), rotation(3), 'rotation'));
  await refused(400, 'BODY_QUERY_PARAM_MISMATCH_ERR', put(await rootKey(), rotation(3), 'dualAuthDelete'));
});

test('each policy of the instance comes back as it was set', async () => {
  const cases = {
    allowedNetwork: { allowed_network: 'public-and-private' },
    allowedIP: { allowed_ip: ['127.0.0.0/8', '::1/128'] },
    rotation: { interval_month: 6 },
    dualAuthDelete: undefined,
    metrics: undefined,
  };
  for (const [kind, attributes] of Object.entries(cases)) {
    await setInstance(kind, true, attributes);
    assert.deepEqual(await dataOf(kind), { enabled: true, ...(attributes && { attributes }) });
  }
  const port = await one(kp.getAllowedIpPort({ bluemixInstance: INSTANCE }), 200, ALLOWED_IP);
  assert.ok(port.private_endpoint_port >= 15000 && port.private_endpoint_port < 16000);
  for (const kind of Object.keys(cases)) {
    await setInstance(kind, false);
    assert.equal((await dataOf(kind)).enabled, false);
  }
});

test('new keys inherit the policies of the instance', async () => {
  await nothing(putInstance([policy('rotation', true, { interval_month: 2 }), policy('dualAuthDelete', true)]));
  const key = await get(await rootKey());
  await nothing(putInstance([policy('rotation', false), policy('dualAuthDelete', false)]));
  assert.deepEqual(key.rotation, { enabled: true, interval_month: 2 });
  assert.equal(key.dualAuthDelete.enabled, true);
  assert.equal((await get(await rootKey())).rotation, undefined);
});

test('where a token is enforced, root keys are imported with one and standard keys not at all', async () => {
  await setInstance('keyCreateImportAccess', true, { enforce_token: true });
  const material = randomBytes(32);
  const plain = (extractable) =>
    call.create(collection({ type: KEY, name: aName(), extractable, payload: b64(material) }));
  await refused(409, 'KEY_CREATE_IMPORT_ACCESS_ERR', plain(false));
  await refused(409, 'KEY_CREATE_IMPORT_ACCESS_ERR', plain(true));

  await content(kp.postImportToken({ bluemixInstance: INSTANCE }), 200, IMPORT_TOKEN);
  const token = await content(kp.getImportToken({ bluemixInstance: INSTANCE }), 200, IMPORT_TOKEN);
  const publicKey = unb64(token.payload).toString();
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', material, iv);
  const nonce = Buffer.concat([cipher.update(unb64(token.nonce)), cipher.final(), cipher.getAuthTag()]);
  const oaep = { key: publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' };
  const sealed = { payload: b64(publicEncrypt(oaep, material)), encryptedNonce: b64(nonce), iv: b64(iv) };
  const key = (await create(sealed)).id;
  await refused(409, 'KEY_CREATE_IMPORT_ACCESS_ERR', call.rotate(key, { payload: b64(randomBytes(32)) }));
  await setInstance('keyCreateImportAccess', false);
  assert.equal((await get(key)).imported, true);
});
