// A bucket through the life of its root key, by IBM's Node client; and keys that no bucket can have.

import assert from 'node:assert/strict';
import { advance, bucketUnder, everyWay, keyProtect, name, refused, rootKey } from './cos.js';

everyWay('a bucket follows its root key', async (s3) => {
  const { id, crn } = await rootKey();
  const Bucket = await bucketUnder(s3, crn);
  const Key = 'k';
  await s3.putObject({ Bucket, Key, Body: 'before' }).promise();
  const reads = async () => (await s3.getObject({ Bucket, Key }).promise()).Body.toString();
  await keyProtect('POST', `/${id}/actions/rotate`);
  await advance('90s');
  assert.equal(await reads(), 'before');
  await keyProtect('POST', `/${id}/actions/disable`);
  await advance('90s');
  assert.match(await refused(403, 'AccessDenied', s3.getObject({ Bucket, Key })), /suspended/);
  await refused(403, 'AccessDenied', s3.putObject({ Bucket, Key, Body: 'x' }));
  await keyProtect('POST', `/${id}/actions/enable`);
  await advance('62m');
  assert.equal(await reads(), 'before');
  await keyProtect('DELETE', `/${id}?force=true`);
  await advance('90s');
  await refused(403, 'AccessDenied', s3.getObject({ Bucket, Key }));
  assert.equal((await s3.listObjects({ Bucket }).promise()).Contents.length, 1);
  await keyProtect('POST', `/${id}/restore`);
  await advance('90s');
  assert.equal(await reads(), 'before');
});

everyWay('keys that no bucket can have are not found', async (s3) => {
  const { crn } = await rootKey();
  const creation = (key, location = 'us-south-standard') =>
    s3.createBucket({
      Bucket: name(),
      CreateBucketConfiguration: { LocationConstraint: location },
      IBMSSEKPEncryptionAlgorithm: 'AES256',
      IBMSSEKPCustomerRootKeyCrn: key,
    });
  const unknown = crn.replace(/[^:]+$/, '6e1ad3f0-91b5-4c8e-a1b4-1f3c25d6b0aa');
  assert.equal(await refused(400, 'InvalidRequest', creation(unknown)), 'The Key CRN could not be found');
  await refused(400, 'InvalidArgument', creation('nonsense'));
  await refused(400, 'InvalidRequest', creation(crn, 'eu-standard'));
});
