// What the tests share: the running service, IBM's client of its gateway, root keys, and the clock.
//
// The runner starts the service and names its ready file in MKP_READY_FILE. Each test runs over HTTP and over HTTPS, by
// address and by name: by name the client puts the bucket into the host, as in b.localhost.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { test } from 'node:test';
import COS from 'ibm-cos-sdk';
import { READY, admin, advance } from '../admin.mjs';

export { READY, admin, advance };

const CA = readFileSync(READY.caFile);

/** Resolves names below localhost here, whatever the system thinks of them. */
function lookup(name, options, callback) {
  if (options.all) callback(null, [{ address: '127.0.0.1', family: 4 }]);
  else callback(null, '127.0.0.1', 4);
}

const named = (url) => url.replace('127.0.0.1', 'localhost');

const WAYS = {
  'over HTTP': { endpoint: READY.cosUrl, iam: READY.iamUrl, agent: new http.Agent(), s3ForcePathStyle: true },
  'over HTTP, bucket in the host': {
    endpoint: named(READY.cosUrl),
    iam: READY.iamUrl,
    agent: new http.Agent({ lookup }),
  },
  'over HTTPS': {
    endpoint: READY.cosTlsUrl,
    iam: READY.tlsUrl,
    agent: new https.Agent({ ca: CA }),
    s3ForcePathStyle: true,
  },
  'over HTTPS, bucket in the host': {
    endpoint: named(READY.cosTlsUrl),
    iam: READY.tlsUrl,
    agent: new https.Agent({ ca: CA, lookup }),
  },
};

// The client asks for tokens through the same agent, and so over the same protocol.
const CREDENTIALS = {
  'an API key': (iam) => ({
    apiKeyId: READY.apiKey,
    ibmAuthEndpoint: `${iam}/identity/token`,
    serviceInstanceId: READY.cosInstanceCrn,
  }),
  'an HMAC pair': () => ({
    accessKeyId: READY.cosHmac.accessKeyId,
    secretAccessKey: READY.cosHmac.secretAccessKey,
    region: 'us-south',
    signatureVersion: 'v4',
  }),
};

/** Runs a test with a client for each way in. */
export function everyWay(title, run) {
  for (const [way, { iam, agent, ...where }] of Object.entries(WAYS)) {
    for (const [kind, credentials] of Object.entries(CREDENTIALS)) {
      const options = { httpOptions: { agent, timeout: 20_000 }, maxRetries: 0, ...where, ...credentials(iam) };
      test(`${title}: ${way}, with ${kind}`, () => run(new COS.S3(options)));
    }
  }
}

const grant = new URLSearchParams({
  grant_type: 'urn:ibm:params:oauth:grant-type:apikey',
  apikey: READY.apiKey,
});
const { access_token: token } = await (
  await fetch(`${READY.iamUrl}/identity/token`, { method: 'POST', body: grant })
).json();

/** A call to Key Protect as the account's owner: its JSON. */
export async function keyProtect(method, path, body) {
  const headers = {
    Authorization: `Bearer ${token}`,
    'Bluemix-Instance': READY.instanceId,
    'Content-Type': 'application/vnd.ibm.kms.key+json',
  };
  const reply = await fetch(`${READY.url}/api/v2/keys${path}`, { method, headers, body: body && JSON.stringify(body) });
  const text = await reply.text();
  assert.ok(reply.ok, `${method} ${path}: ${reply.status} ${text}`);
  return text ? JSON.parse(text) : undefined;
}

/** A new root key: its id and CRN. */
export async function rootKey() {
  const type = 'application/vnd.ibm.kms.key+json';
  const body = {
    metadata: { collectionType: type, collectionTotal: 1 },
    resources: [{ type, name: 'bucket-key', extractable: false }],
  };
  const reply = await keyProtect('POST', '', body);
  return reply.resources[0];
}

/** A bucket's name that nobody else has. */
export const name = () => `b-${randomUUID().slice(0, 12).replaceAll('-', 'x')}`;

/** A new bucket under a root key. */
export async function bucketUnder(s3, crn, location = 'us-south-standard') {
  const Bucket = name();
  await s3
    .createBucket({
      Bucket,
      CreateBucketConfiguration: { LocationConstraint: location },
      IBMSSEKPEncryptionAlgorithm: 'AES256',
      IBMSSEKPCustomerRootKeyCrn: crn,
    })
    .promise();
  return Bucket;
}

/** Asserts that a call is refused; gives the message. */
export async function refused(status, code, call) {
  const error = await call.promise().then(
    () => assert.fail('not refused'),
    (refusal) => refusal,
  );
  assert.deepEqual([error.statusCode, error.code], [status, code], error.message);
  return error.message;
}
