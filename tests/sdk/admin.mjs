// The running service's ready file, its admin API and its clock, for the Node tests of both SDKs.
//
// The runner starts the service and names its ready file in MKP_READY_FILE.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

export const READY = JSON.parse(readFileSync(process.env.MKP_READY_FILE, 'utf8'));

export async function admin(method, path, body) {
  const headers = { 'Content-Type': 'application/json' };
  if (READY.adminToken) headers.Authorization = `Bearer ${READY.adminToken}`;
  const reply = await fetch(READY.adminUrl + path, { method, headers, body: body && JSON.stringify(body) });
  const text = await reply.text();
  assert.ok(reply.ok, `${method} ${path}: ${reply.status} ${text}`);
  return text ? JSON.parse(text) : undefined;
}

export const advance = (by) => admin('POST', '/clock/advance', { by });
