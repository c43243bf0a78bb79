// What the tests share: the running service, clients of it, its clock, and how replies are read.
//
// The runner starts the service and names its ready file in MKP_READY_FILE.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import IbmKeyProtectApiV2 from '@ibm-cloud/ibm-key-protect/ibm-key-protect-api/v2.js';
import { IamAuthenticator } from 'ibm-cloud-sdk-core';

import { READY, admin, advance } from '../admin.mjs';

export { IbmKeyProtectApiV2, READY, admin, advance };

export const KEY = 'application/vnd.ibm.kms.key+json';
export const ACTION = 'application/vnd.ibm.kms.key_action+json';
export const VERSION = 'application/vnd.ibm.kms.key.version+json';
export const ALIAS = 'application/vnd.ibm.kms.alias+json';
export const KEY_RING = 'application/vnd.ibm.kms.key_ring+json';
export const IMPORT_TOKEN = 'application/vnd.ibm.kms.import_token+json';
export const ERROR = 'application/vnd.ibm.kms.error+json';

export const REPRESENTATION = 'return=representation';
export const MINIMAL = 'return=minimal';
export const UNAUTHORIZED = 'Unauthorized: The user does not have access to the specified resource';
const PHRASES = {
  400: 'Bad Request',
  401: 'Unauthorized',
  404: 'Not Found',
  409: 'Conflict',
  410: 'Gone',
  422: 'Unprocessable Entity',
};

export const INSTANCE = READY.instanceId;

/** A Key Protect client that gets its tokens for an API key, the ready file's by default. */
export function client({ apikey = READY.apiKey, authenticator } = {}) {
  return new IbmKeyProtectApiV2({
    serviceUrl: READY.url,
    authenticator: authenticator ?? new IamAuthenticator({ apikey, url: READY.iamUrl }),
  });
}

export const kp = client();

/** The token that the SDK's own authenticator got for this client. */
export const tokenOf = (service) => service.getAuthenticator().tokenManager.getToken();
await tokenOf(kp); // without tokens each call would wait for ever

/** The service's own time, plus some milliseconds, as the API writes times. */
export async function fromNow(milliseconds = 0) {
  const { now } = await admin('GET', '/clock');
  return new Date(Date.parse(now) + milliseconds).toISOString().replace(/\.\d+Z$/, 'Z');
}

export const inAnHour = () => fromNow(3_600_000);
export const aName = (prefix = 'key') => `${prefix}-${randomUUID().slice(0, 13)}`;
export const b64 = (data) => Buffer.from(data).toString('base64');
export const unb64 = (text) => Buffer.from(text, 'base64');

export const collection = (...resources) => ({
  metadata: { collectionType: KEY, collectionTotal: resources.length },
  resources,
});

/** The same ciphertext with one bit of its encrypted part turned over. */
export function tampered(ciphertext) {
  const document = JSON.parse(unb64(ciphertext).toString());
  const sealed = unb64(document.ciphertext);
  sealed[0] ^= 1;
  return b64(JSON.stringify({ ...document, ciphertext: b64(sealed) }));
}

/** A call that the published package lacks, made by the SDK's own request builder. */
export function request(service, method, url, { path, qs, body, headers } = {}) {
  return service.createRequest({
    options: { method, url, path, qs, body },
    defaultOptions: {
      ...service.baseOptions,
      headers: {
        Accept: 'application/json',
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        'Bluemix-Instance': INSTANCE,
        ...headers,
      },
    },
  });
}

// Reading replies.

async function text(stream) {
  const parts = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts).toString();
}

/** A reply's JSON. The SDK gives the reply of a restore as a stream. */
export async function content(call, status = 200, media = KEY) {
  const reply = await call;
  assert.equal(reply.status, status);
  assert.ok(reply.headers['correlation-id']);
  assert.equal(reply.headers['content-type'].split(';')[0], media);
  return typeof reply.result.pipe === 'function' ? JSON.parse(await text(reply.result)) : reply.result;
}

export async function allOf(call, status = 200, media = KEY) {
  const envelope = await content(call, status, media);
  assert.equal(envelope.metadata.collectionType, media);
  assert.equal(envelope.metadata.collectionTotal, envelope.resources?.length ?? 0);
  assert.notDeepEqual(envelope.resources, [], 'an empty collection has no resources member');
  return envelope.resources ?? [];
}

export async function one(call, status = 200, media = KEY) {
  const resources = await allOf(call, status, media);
  assert.equal(resources.length, 1);
  return resources[0];
}

export async function nothing(call, status = 204) {
  const reply = await call;
  assert.equal(reply.status, status);
  assert.equal(reply.result, '');
}

/** Awaits a refusal, checks its form and gives back its error resource. */
export async function refused(status, code, call) {
  const error = await call.then(
    () => assert.fail(`expected ${status} ${code}, but the call was successful`),
    (reason) => reason
  );
  if (error instanceof assert.AssertionError) throw error;
  assert.equal(error.status, status, `${error.message} ${error.body}`);
  assert.equal(error.headers['content-type'].split(';')[0], ERROR);
  assert.ok(error.headers['correlation-id']);
  const body = typeof error.body.pipe === 'function' ? await text(error.body) : error.body;
  const envelope = JSON.parse(body);
  assert.deepEqual(envelope.metadata, { collectionType: ERROR, collectionTotal: 1 });
  assert.equal(envelope.resources.length, 1);
  const [resource] = envelope.resources;
  assert.ok(resource.errorMsg.startsWith(`${PHRASES[status]}: `), resource.errorMsg);
  if (code === null) {
    assert.equal(resource.reasons, undefined);
    return resource;
  }
  assert.equal(resource.reasons.length, 1);
  const [reason] = resource.reasons;
  assert.equal(reason.code, code, body);
  assert.equal(reason.status, status);
  assert.equal(reason.moreInfo, 'https://cloud.ibm.com/apidocs/key-protect');
  assert.ok(resource.errorMsg.endsWith(`Please see \`reasons\` for more details (${code})`), resource.errorMsg);
  return resource;
}

// Calls on keys of the default instance. Those with a plain name are expected to be successful.

const on = (id, more = {}) => ({ id, bluemixInstance: INSTANCE, ...more });

/** The SDK's calls on one key as they are, for refusals. */
export const call = {
  get: (id, service = kp) => service.getKey(on(id)),
  metadata: (id) => kp.getKeyMetadata(on(id)),
  wrap: (id, body = {}) => kp.wrapKey(on(id, { keyActionWrapBody: body })),
  unwrap: (id, body) => kp.unwrapKey(on(id, { keyActionUnwrapBody: body })),
  rewrap: (id, body) => kp.rewrapKey(on(id, { keyActionRewrapBody: body })),
  rotate: (id, body) => kp.rotateKey(on(id, { keyActionRotateBody: body })),
  disable: (id) => kp.disableKey(on(id)),
  enable: (id) => kp.enableKey(on(id)),
  sync: (id) => kp.syncAssociatedResources(on(id)),
  versions: (id, options) => kp.getKeyVersions(on(id, options)),
  setForDeletion: (id, service = kp) => service.setKeyForDeletion(on(id)),
  unsetForDeletion: (id, service = kp) => service.unsetKeyForDeletion(on(id)),
  remove: (id, { service = kp, ...options } = {}) => service.deleteKey(on(id, options)),
  restore: (id, options) => kp.restoreKey(on(id, options)),
  purge: (id, prefer) =>
    request(kp, 'DELETE', '/api/v2/keys/{id}/purge', { path: { id }, headers: prefer ? { Prefer: prefer } : {} }),
  patch: (id, body, ring) =>
    request(kp, 'PATCH', '/api/v2/keys/{id}', { path: { id }, body, headers: ring ? { 'X-Kms-Key-Ring': ring } : {} }),
  create: (body, options) => kp.createKey({ bluemixInstance: INSTANCE, body, ...options }),
  list: (options) => kp.getKeys({ bluemixInstance: INSTANCE, ...options }),
  count: (options) => kp.getKeyCollectionMetadata({ bluemixInstance: INSTANCE, ...options }),
};

export const create = (fields = {}, options = {}) =>
  one(call.create(collection({ type: KEY, name: aName(), extractable: false, ...fields }), options), 201);
export const rootKey = async (fields, options) => (await create(fields, options)).id;
export const standardKey = async (fields, options) => (await create({ extractable: true, ...fields }, options)).id;

export const get = (id) => one(call.get(id));
export const metadata = (id) => one(call.metadata(id));
export const wrap = (id, body) => content(call.wrap(id, body), 200, ACTION);
export const unwrap = (id, ciphertext, body) => content(call.unwrap(id, { ciphertext, ...body }), 200, ACTION);
export const rewrap = (id, ciphertext, body) => content(call.rewrap(id, { ciphertext, ...body }), 200, ACTION);
export const rotate = (id, body) => nothing(call.rotate(id, body));
export const disable = (id) => nothing(call.disable(id));
export const enable = (id) => nothing(call.enable(id));
export const remove = (id) => nothing(call.remove(id));
export const restore = (id) => one(call.restore(id), 201);
export const purge = (id) => nothing(call.purge(id));
export const versions = (id, options) => allOf(call.versions(id, options), 200, VERSION);
export const count = async (options) => Number((await call.count(options)).headers['key-total']);

export async function assertUnknown(id) {
  for (const unknown of [call.get, call.metadata, call.remove, call.restore, call.purge]) {
    const error = await refused(404, 'KEY_NOT_FOUND_ERR', unknown(id));
    assert.match(error.errorMsg, /Key could not be retrieved/);
  }
  await refused(404, 'KEY_NOT_FOUND_ERR', call.wrap(id));
}
