// The start screen and the tour.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { buildSchema } from 'graphql';
import { createElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { load } from './modules.mjs';

const { Start } = await load('src/start/Start.tsx');
const { Tour } = await load('src/start/Tour.tsx');
const { figures, reachOf, sum } = await load('src/start/figures.ts');
const { tourSteps } = await load('src/start/steps.ts');
const { examples } = await load('src/examples/examples.ts');

const schema = buildSchema(await readFile(new URL('../../schema.graphqls', import.meta.url), 'utf8'));

const demo = figures.map(({ id }, i) => ({ id: `usr_${i}`, name: `Name of ${id}`, about: `About ${id}.`, role: id }));
const tour = { steps: tourSteps, done: new Set(), current: undefined };
const start = properties =>
  renderToStaticMarkup(createElement(Start, { schema, demo: null, command: 'make demo', tour, onContinue() {}, onTour() {}, ...properties }));

test('each person of the demo server is one button away', () => {
  const names = [...start({ demo }).matchAll(/<button[^>]*>Continue as ([^<]*)<\/button>/g)].map(([, name]) => name);
  assert.deepEqual(names, demo.map(({ name }) => name));
  assert.doesNotMatch(start({ demo }), /make demo/);
});

test('without a demo server the screen says the command, and no one can continue', () => {
  assert.match(start({}), /<code>make demo<\/code>/);
  assert.doesNotMatch(start({}), /Continue as/);
});

test('the drawing says what each relation sees and sets, by the rules of the schema', () => {
  const reach = reachOf(schema);
  const sums = Object.fromEntries(figures.map(figure => [figure.id, sum(reach(figure))]));
  const all = Object.keys(schema.getType('Patient').getFields()).length;
  assert.match(sums.owner, new RegExp(`^sees all ${all} fields, sets \\d+$`));
  assert.match(sums.doctor, /^sees \d+ of \d+, sets 2$/);
  assert.match(sums.administrator, /^sees \d+ of \d+, sets none$/);
  assert.equal(sums.stranger, 'no such record');
  const seen = id => reach(figures.find(figure => figure.id === id)).fields.get('medicalHistory');
  assert.deepEqual(['owner', 'colleague', 'doctor', 'patient', 'administrator', 'stranger'].map(seen), [['see', 'set'], [], ['see', 'set'], ['see'], [], []]);
});

test('the drawing is there before the schema is loaded', () => {
  assert.match(start({ schema: undefined }), /Arjun Sharma/);
});

test('the steps of the tour are examples, in their order', () => {
  const names = examples.map(({ name }) => name);
  assert.deepEqual(tourSteps.map(({ name }) => name), names.filter(name => tourSteps.some(step => step.name === name)));
});

/** The buttons of a component without state, by their text. */
function buttons(element, found = {}) {
  const { type, props } = element ?? {};
  if (typeof type === 'function') {
    return buttons(type(props), found);
  }
  const text = props ? renderToStaticMarkup(element).replace(/<[^>]*>/g, '') : '';
  if (type === 'button') {
    found[text] = props.onClick;
  }
  [props?.children].flat(9).filter(Boolean).forEach(child => buttons(child, found));
  return found;
}

test('Next names the next step; all steps are there to go to', () => {
  const calls = [];
  const then = { onNext: () => calls.push('next'), onGo: name => calls.push(name) };
  const element = createElement(Tour, { ...tour, done: new Set(['Register']), current: 'CreatePatient', ...then });
  const found = buttons(element);
  found['Next: Create a doctor']();
  found['✓Open an account, done']();
  found['9Ask as a stranger']();
  assert.deepEqual(calls, ['next', 'Register', 'StrangersAttempt']);
  assert.match(renderToStaticMarkup(element), /Step 2 of 9/);
});

test('after the last step nothing comes next', () => {
  const found = buttons(createElement(Tour, { ...tour, current: 'StrangersAttempt', onNext() {}, onGo() {} }));
  assert.ok(!Object.keys(found).some(text => text.startsWith('Next')));
});
