// Standard keys: their payload goes out, their life is short of the root-only actions.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import {
  REPRESENTATION, advance, allOf, assertUnknown, b64, call, create, get, metadata, one, purge,
  refused, remove, restore, rootKey, standardKey, unb64, wrap,
} from './kp.js';

test('a generated payload has 32 bytes and is shown by get alone', async () => {
  const key = await create({ extractable: true });
  assert.ok(!('payload' in key));
  const { payload } = await get(key.id);
  assert.equal(unb64(payload).length, 32);
  assert.equal((await get(key.id)).payload, payload);
  assert.ok(!('payload' in (await metadata(key.id))));
  for (const item of await allOf(call.list())) assert.ok(!('payload' in item));
});

test('an imported payload comes back as it was sent', async () => {
  for (const length of [1, 16, 33, 7500]) {
    const payload = b64(randomBytes(length));
    const key = await create({ extractable: true, payload }, { prefer: REPRESENTATION });
    assert.deepEqual([key.imported, key.payload], [true, payload]);
    assert.equal((await get(key.id)).payload, payload);
  }
});

test('root-only actions are refused', async () => {
  const key = await standardKey();
  const rootOnly = (request) => refused(400, 'KEY_ROOT_REQ_ERR', request);
  for (const action of ['wrap', 'rotate', 'disable', 'enable', 'sync', 'versions']) await rootOnly(call[action](key));
  const { ciphertext } = await wrap(await rootKey());
  for (const action of ['unwrap', 'rewrap']) await rootOnly(call[action](key, { ciphertext }));
  assert.equal((await get(key)).state, 1);
});

test('generated and imported ones are deleted, restored and purged', async () => {
  for (const fields of [{}, { payload: b64('an imported secret') }]) {
    const key = await standardKey(fields);
    const { payload } = await get(key);
    await remove(key);
    const gone = await get(key);
    assert.equal(gone.state, 5);
    assert.ok(!('payload' in gone));
    await refused(410, 'KEY_DELETED_ERR', call.remove(key));
    await refused(409, 'REQ_TOO_EARLY_ERR', call.restore(key));
    await advance('30s');
    assert.equal((await restore(key)).state, 1);
    assert.equal((await get(key)).payload, payload);
    await remove(key);
    await refused(409, 'REQ_TOO_EARLY_ERR', call.purge(key));
    await advance('4h');
    await purge(key);
    await assertUnknown(key);
  }
});

test('deleting with representation answers the material once more', async () => {
  const key = await standardKey();
  const { payload } = await get(key);
  const deleted = await one(call.remove(key, { prefer: REPRESENTATION }));
  assert.deepEqual([deleted.state, deleted.payload], [5, payload]);
});
