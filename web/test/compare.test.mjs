// The rows of the side by side view.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { load } from './modules.mjs';

const { rowsOf } = await load('src/compare/rows.ts');
const { Compare } = await load('src/compare/Compare.tsx');
const { Answers } = await load('src/compare/Answers.tsx');

const kinds = row => row.cells.map(({ kind, text, code }) => text ?? code ?? kind);
const question = { query: '{ patient { name medicalHistory deletedAt } }' };
const rows = answers => rowsOf(answers, question, undefined);
const table = answers => rows(answers).map(row => [row.label, ...kinds(row), ...(row.differs ? ['≠'] : [])]);

const hidden = (...path) => ({ message: 'hidden', path, extensions: { code: 'FORBIDDEN_FIELD' } });
const owner = { data: { patient: { name: 'Arjun', medicalHistory: 'Asthma', deletedAt: null } } };

test('hidden, absent and empty are different things', () => {
  const admin = { data: { patient: { name: 'Arjun', medicalHistory: null, deletedAt: null } }, errors: [hidden('patient', 'medicalHistory')] };
  const redacted = { data: admin.data, extensions: { redacted: [['patient', 'medicalHistory']] } };
  const stranger = { data: { patient: null } };
  assert.deepEqual(table([owner, admin, redacted, stranger]), [
    ['patient', 'exists', 'exists', 'exists', 'absent', '≠'],
    ['name', 'Arjun', 'Arjun', 'Arjun', 'nothing'],
    ['medicalHistory', 'Asthma', 'hidden', 'hidden', 'nothing', '≠'],
    ['deletedAt', 'empty', 'empty', 'empty', 'nothing'],
  ]);
});

test('a refused request is refused at every root field, and a refused field at its own', () => {
  const nobody = { data: null, errors: [{ message: 'Sign in.', extensions: { code: 'UNAUTHENTICATED' } }] };
  const user = { data: { me: { id: 'usr_1' }, accounts: null }, errors: [{ message: 'no', path: ['accounts'], extensions: { code: 'FORBIDDEN' } }] };
  const admin = { data: { me: { id: 'usr_2' }, accounts: { totalCount: 2 } } };
  assert.deepEqual(table([nobody, user, admin]), [
    ['me', 'UNAUTHENTICATED', 'exists', 'exists', '≠'],
    ['id', 'nothing', 'usr_1', 'usr_2', '≠'],
    ['accounts', 'UNAUTHENTICATED', 'FORBIDDEN', 'exists', '≠'],
    ['totalCount', 'nothing', 'nothing', '2'],
  ]);
});

const list = (...names) => ({ data: { patients: { totalCount: names.length, nodes: names.map(name => ({ name })) } } });

test('entries of lists meet by their record and not by their place', () => {
  assert.deepEqual(table([list('Arjun', 'Meera'), list('Meera'), list()]), [
    ['patients', 'exists', 'exists', 'exists'],
    ['totalCount', '2', '1', '0', '≠'],
    ['patients 1', 'exists', 'absent', 'absent', '≠'],
    ['name', 'Arjun', 'nothing', 'nothing'],
    ['patients 2', 'exists', 'exists', 'absent', '≠'],
    ['name', 'Meera', 'Meera', 'nothing'],
  ]);
});

test('equal names are equal entries one after the other', () => {
  assert.deepEqual(table([list('Arjun', 'Arjun'), list('Arjun')]).filter(([label]) => / \d$/.test(label)), [
    ['patients 1', 'exists', 'exists'],
    ['patients 2', 'exists', 'absent', '≠'],
  ]);
});

test('the words of connections are not shown', () => {
  const answer = { data: { doctors: { edges: [{ node: { id: 'doc_1', name: 'Priya' }, mapping: { notes: 'x' } }] } } };
  assert.deepEqual(rows([answer, answer]).map(({ label, depth }) => `${'  '.repeat(depth)}${label}`), ['doctors', '  doctors 1', '    id', '    name', '    mapping', '      notes']);
});

test('a list of plain values is one value', () => {
  const answer = relations => ({ data: { viewer: { relations } } });
  assert.deepEqual(table([answer(['ANYONE', 'OWNER']), answer([])])[1], ['relations', 'ANYONE, OWNER', 'none', '≠']);
});

test('without data there is no row', () => {
  assert.deepEqual(rows([{ data: null }, { errors: [{ message: 'syntax' }] }]), []);
});

const people = [{ id: 'usr_1', name: 'Asha', role: 'PATIENT' }, { id: null, name: 'Nobody' }];
const sent = answer => ({ answer, bytes: 10, milliseconds: 2.4 });

test('a difference has a sign and a word, not only a color', () => {
  const markup = renderToStaticMarkup(createElement(Answers, { question, people, sent: [sent(owner), sent({ data: { patient: null } })] }));
  assert.match(markup, /1 of 4 lines differ, marked with ≠/);
  assert.match(markup, /<tr[^>]*data-differs="true"[^>]*><th[^>]*>patient<span[^>]*>≠<span class="unseen"> differs/);
  assert.match(markup, /does not exist/);
});

test('until all have answered, the page says who is asked', () => {
  const markup = renderToStaticMarkup(createElement(Answers, { question, people, sent: [sent(owner), undefined] }));
  assert.match(markup, /Asking as Nobody/);
});

test('a change is refused and not sent', () => {
  const markup = query => renderToStaticMarkup(createElement(Compare, { question: { query }, schema: undefined, people, send: () => assert.fail('sent'), onClose() {} }));
  assert.match(markup('mutation { logoutEverywhere { userErrors { code } } }'), /Only a query/);
  assert.match(markup('subscription { changes { id } }'), /Only a query/);
  assert.doesNotMatch(markup('{ me { id } }'), /Only a query/);
});
