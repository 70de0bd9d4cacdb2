// Checks the description of the REST addresses with an independent validator.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { startServer } from './server.mjs';

test('openapi.json is valid OpenAPI 3.1', async t => {
  const server = await startServer();
  t.after(() => server.stop());
  const response = await fetch(`${server.base}/openapi.json`);
  assert.equal(response.status, 200);
  const validator = new Validator();
  const { valid, errors } = await validator.validate(await response.json());
  assert.ok(valid, JSON.stringify(errors, null, 2));
  assert.equal(validator.version, '3.1');
});
