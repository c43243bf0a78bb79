// A second Key Protect instance by the Resource Controller's plain HTTP, with a token of the SDK's authenticator.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ACTION, INSTANCE, KEY, READY, UNAUTHORIZED, aName, allOf, call, collection, content, get, kp, nothing, one,
  refused, rootKey, tokenOf,
} from './kp.js';

const TIERED_PRICING = 'eedd3585-90c6-4c8f-be3d-062069e99fc3';

async function controller(method, path = '', body) {
  const reply = await fetch(`${READY.url}/v2/resource_instances${path}`, {
    method,
    headers: { Authorization: `Bearer ${await tokenOf(kp)}`, 'Content-Type': 'application/json' },
    body: body && JSON.stringify(body),
  });
  const text = await reply.text();
  return { status: reply.status, body: text && JSON.parse(text) };
}

async function newInstance() {
  const reply = await controller('POST', '', {
    name: 'second', target: 'us-south', resource_group: 'default', resource_plan_id: TIERED_PRICING,
  });
  assert.equal(reply.status, 201, JSON.stringify(reply.body));
  return reply.body;
}

const create = (bluemixInstance, fields) =>
  one(kp.createKey({ bluemixInstance, body: collection({ type: KEY, name: aName(), extractable: false, ...fields }) }), 201);
const getIn = (bluemixInstance, id) => kp.getKey({ id, bluemixInstance });
const listIn = async (bluemixInstance) => (await allOf(kp.getKeys({ bluemixInstance }))).map((key) => key.id);

test('a new instance is active and can be read by GUID and by CRN', async () => {
  const made = await newInstance();
  assert.equal(made.id, made.crn);
  assert.equal(made.crn, `crn:v1:bluemix:public:kms:us-south:a/${READY.accountId}:${made.guid}::`);
  assert.deepEqual([made.state, made.last_operation.state], ['active', 'succeeded']);
  assert.equal(made.extensions.endpoints.public, READY.url);
  for (const name of [made.guid, encodeURIComponent(made.crn)]) {
    const shown = await controller('GET', `/${name}`);
    assert.deepEqual([shown.status, shown.body.guid], [200, made.guid]);
  }
  const { body: listed } = await controller('GET');
  assert.equal(listed.rows_count, listed.resources.length);
  assert.ok(listed.resources.some((item) => item.guid === made.guid));
});

test('keys of one instance are unknown in the other', async () => {
  const { guid: second } = await newInstance();
  const aliases = ['shared-alias'];
  const here = await rootKey({ aliases });
  const { id: there } = await create(second, { aliases });
  assert.ok((await one(getIn(second, there))).crn.includes(`:${second}:key:${there}`));
  assert.deepEqual(await listIn(second), [there]);
  assert.ok(!(await listIn(INSTANCE)).includes(there));
  await refused(404, 'KEY_NOT_FOUND_ERR', call.get(there));
  await refused(404, 'KEY_NOT_FOUND_ERR', kp.wrapKey({ id: here, bluemixInstance: second }));
  assert.equal((await get('shared-alias')).id, here);
  assert.equal((await one(getIn(second, 'shared-alias'))).id, there);
  const wrapped = await content(kp.wrapKey({ id: there, bluemixInstance: second }), 200, ACTION);
  assert.deepEqual(wrapped.keyVersion, { id: there });
});

test('an instance with living keys cannot be deleted and one without can', async () => {
  const { guid: second } = await newInstance();
  const keys = [await create(second), await create(second)];
  const refusal = await controller('DELETE', `/${second}`);
  assert.equal(refusal.status, 409, JSON.stringify(refusal.body));
  assert.match(refusal.body.message, /Instance contains 2 active keys\. Remove all keys before de-provisioning/);
  assert.equal(refusal.body.error_code, 'RC-ServiceBrokerErrorResponse');
  assert.equal((await controller('GET', `/${second}`)).body.state, 'active');

  for (const { id } of keys) await nothing(kp.deleteKey({ id, bluemixInstance: second }));
  assert.equal((await controller('DELETE', `/${second}`)).status, 204);
  assert.equal((await controller('GET', `/${second}`)).body.state, 'removed');
  assert.equal((await controller('DELETE', `/${second}`)).status, 410);
  assert.deepEqual(await refused(401, null, kp.getKeys({ bluemixInstance: second })), { errorMsg: UNAUTHORIZED });
});

test('the controller needs a token', async () => {
  assert.equal((await fetch(`${READY.url}/v2/resource_instances`)).status, 401);
});
