// Listing and counting keys: pages, states, search, sort and filter. The published package knows
// neither search, sort nor filter; these calls are made by its request builder.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import {
  KEY, advance, allOf, b64, call, content, count, disable, fromNow, kp, metadata,
  refused, remove, request, rootKey, rotate, standardKey,
} from './kp.js';

let alpha, beta, gamma, delta, gone, middle, living, roots, standards;

// Four living keys (two root, two standard; one of each imported; one disabled) and a destroyed one.
before(async () => {
  alpha = await rootKey({ name: 'Alpha ledger', aliases: ['first-alias'] });
  await advance('10s');
  middle = await fromNow();
  beta = await rootKey({ name: 'beta LEDGER', payload: b64(Buffer.alloc(32, 7)) });
  gamma = await standardKey({ name: 'gamma' });
  delta = await standardKey({ name: 'delta', payload: b64('secret') });
  gone = await rootKey({ name: 'gone ledger' });
  await disable(beta);
  await rotate(alpha);
  await remove(gone);
  roots = [alpha, beta].sort();
  standards = [gamma, delta].sort();
  living = [...roots, ...standards].sort();
});

const query = (qs) => request(kp, 'GET', '/api/v2/keys', { qs });
const idsOf = async (reply) => (await allOf(reply)).map((key) => key.id);
const ids = (options) => idsOf(call.list(options));
const found = (qs) => idsOf(query(qs));
const without = (id) => living.filter((other) => other !== id);

async function badQuery(parameter, reply) {
  const error = await refused(400, 'INVALID_QUERY_PARAM_ERR', reply);
  assert.ok(error.reasons[0].message.includes(`The query_param \`${parameter}\` must be: `), error.reasons[0].message);
  return error;
}

test('the list has all living keys by id in full form', async () => {
  assert.deepEqual(await ids(), living);
  for (const key of await allOf(call.list())) assert.deepEqual(key, await metadata(key.id));
});

test('an empty state, which the Python SDK sends when none is given, is no condition', async () => {
  assert.deepEqual(await found({ state: '' }), living);
  assert.equal(await count({ state: [] }), 4);
});

test('the count follows the same conditions as the list', async () => {
  assert.equal(await count(), 4);
  assert.equal(await count({ state: [1, 2, 5] }), 5);
  assert.equal(await count({ state: [5] }), 1);
  assert.equal(await count({ extractable: true }), 2);
  assert.equal(await count({ state: [1], extractable: false }), 1);
});

test('state and extractable choose keys', async () => {
  assert.deepEqual(await ids({ state: [2] }), [beta]);
  assert.deepEqual(await ids({ state: [5] }), [gone]);
  assert.deepEqual(await ids({ state: [0, 1, 2, 3, 5] }), [...living, gone].sort());
  assert.deepEqual(await ids({ extractable: true }), standards);
  assert.deepEqual(await ids({ extractable: false }), roots);
});

test('pages cut the ordered list', async () => {
  assert.deepEqual(await ids({ limit: 3 }), living.slice(0, 3));
  assert.deepEqual(await ids({ limit: 3, offset: 3 }), living.slice(3));
});

test('an empty page has a total of 0 and no resources', async () => {
  const envelope = await content(call.list({ offset: 100 }));
  assert.deepEqual(envelope, { metadata: { collectionType: KEY, collectionTotal: 0 } });
});

test('search looks into names and aliases', async () => {
  assert.deepEqual(await found({ search: 'ledger' }), roots);
  assert.deepEqual(await found({ search: 'FIRST-alias' }), [alpha]);
  assert.deepEqual(await found({ search: 'alias:first' }), [alpha]);
  assert.deepEqual(await found({ search: 'name:first' }), []);
  assert.deepEqual(await found({ search: 'exact:name:gamma' }), [gamma]);
  assert.deepEqual(await found({ search: 'exact:ledger' }), []);
  assert.deepEqual(await found({ search: 'not:ledger' }), standards);
  assert.deepEqual(await found({ search: delta }), [delta]);
});

test('search says what it looked for', async () => {
  const { metadata: { searchQuery } } = await content(query({ search: 'exact:not:name:gamma' }));
  assert.deepEqual(searchQuery, { query: 'gamma', scopes: ['name'], not: true, exact: true });
});

test('sort orders by the terms it names', async () => {
  assert.deepEqual(await found({ sort: '-id' }), [...living].reverse());
  assert.deepEqual(await found({ sort: 'extractable' }), [...roots, ...standards]);
  assert.deepEqual(await found({ sort: '-extractable,id' }), [...standards, ...roots]);
  assert.equal((await found({ sort: '-state' }))[0], beta);
  assert.equal((await found({ sort: 'creationDate' }))[0], alpha);
  assert.equal((await found({ sort: 'lastRotateDate' }))[0], alpha, 'keys without the date come last');
});

test('filter compares properties', async () => {
  assert.deepEqual(await found({ filter: 'state=2' }), [beta]);
  assert.deepEqual(await found({ filter: 'extractable=TRUE' }), standards);
  assert.deepEqual(await found({ filter: `creationDate=lt:"${middle}"` }), [alpha]);
  assert.deepEqual(await found({ filter: `creationDate=gte:"${middle}"` }), without(alpha));
  assert.deepEqual(await found({ filter: 'lastRotateDate=none' }), without(alpha));
  assert.deepEqual(await found({ filter: 'lastRotateDate=none extractable=false' }), [beta]);
  assert.deepEqual(await found({ filter: `state=5 deletionDate=gte:"${middle}"` }), [gone]);
});

test('query parameters outside their rules are refused', async () => {
  const error = await badQuery('limit', call.list({ limit: 0 }));
  assert.match(error.errorMsg, /Keys could not be retrieved/);
  assert.match(error.reasons[0].message, /an integer between 1 and 5000 \(inclusive\)/);
  await badQuery('limit', call.list({ limit: 5001 }));
  await badQuery('limit', call.list({ limit: 'many' }));
  await badQuery('offset', call.list({ offset: -1 }));
  await badQuery('state', call.list({ state: [6] }));
  await badQuery('extractable', call.list({ extractable: 'maybe' }));
  await badQuery('sort', query({ sort: 'name' }));
  await badQuery('filter', query({ filter: 'creationDate="2022-03-16"' }));
  await badQuery('filter', query({ filter: 'name=alpha' }));
});

test('one condition may not stand in the filter and beside it', async () => {
  await refused(400, 'INVALID_QUERY_PARAM_ERR', query({ state: '1', filter: 'state=1' }));
  await refused(400, 'INVALID_QUERY_PARAM_ERR', query({ extractable: true, filter: 'extractable=true' }));
});
