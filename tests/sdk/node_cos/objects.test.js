// Objects in a bucket under a root key, by IBM's Node client: in, out, in ranges, copied, in parts, gone.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { bucketUnder, everyWay, refused, rootKey } from './cos.js';

const MIB = 1024 * 1024;

everyWay('an object comes back as it went in', async (s3) => {
  const { crn } = await rootKey();
  const Bucket = await bucketUnder(s3, crn);
  const head = await s3.headBucket({ Bucket }).promise();
  assert.equal(head.IBMSSEKPEnabled, true);
  assert.equal(head.IBMSSEKPCrkId ?? head.IBMSSEKPCustomerRootKeyCrn, crn);
  const Body = randomBytes(200_000);
  const Key = 'a//b c+ü';
  const put = await s3
    .putObject({ Bucket, Key, Body, ContentType: 'image/x', Metadata: { colour: 'blue' } })
    .promise();
  assert.equal(put.ETag, `"${createHash('md5').update(Body).digest('hex')}"`);
  const got = await s3.getObject({ Bucket, Key }).promise();
  assert.ok(got.Body.equals(Body));
  assert.deepEqual([got.ContentType, got.Metadata], ['image/x', { colour: 'blue' }]);
  const part = await s3.getObject({ Bucket, Key, Range: 'bytes=65530-65545' }).promise();
  assert.ok(part.Body.equals(Body.subarray(65530, 65546)));
  assert.equal((await s3.headObject({ Bucket, Key }).promise()).ContentLength, Body.length);
  const copied = await s3
    .copyObject({ Bucket, Key: 'copy', CopySource: encodeURI(`${Bucket}/${Key}`).replace('+', '%2B') })
    .promise();
  assert.equal(copied.CopyObjectResult?.ETag ?? copied.ETag, put.ETag);
  const list = await s3.listObjectsV2({ Bucket }).promise();
  assert.deepEqual(list.Contents.map((one) => one.Key), [Key, 'copy']);
  const gone = await s3.deleteObjects({ Bucket, Delete: { Objects: [{ Key }, { Key: 'copy' }] } }).promise();
  assert.equal(gone.Deleted.length, 2);
  await refused(404, 'NoSuchKey', s3.getObject({ Bucket, Key }));
  await s3.deleteBucket({ Bucket }).promise();
  await refused(404, 'NotFound', s3.headBucket({ Bucket }));
});

everyWay('a large object goes up in parts', async (s3) => {
  const Bucket = await bucketUnder(s3, (await rootKey()).crn);
  const Body = randomBytes(11 * MIB);
  const up = await s3.upload({ Bucket, Key: 'large', Body }, { partSize: 5 * MIB }).promise();
  assert.match(up.ETag, /-3"$/);
  const got = await s3.getObject({ Bucket, Key: 'large' }).promise();
  assert.ok(got.Body.equals(Body));
  const { UploadId } = await s3.createMultipartUpload({ Bucket, Key: 'dropped' }).promise();
  assert.equal((await s3.listMultipartUploads({ Bucket }).promise()).Uploads.length, 1);
  await s3.abortMultipartUpload({ Bucket, Key: 'dropped', UploadId }).promise();
  await refused(404, 'NoSuchUpload', s3.listParts({ Bucket, Key: 'dropped', UploadId }));
});
