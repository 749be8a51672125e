import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { detectSyntax, readDirectives } from './directives.ts';

suite('the frontend that a file asks for', () => {
  const table: readonly (readonly [string, string | undefined])[] = [
    ['# syntax=docker/dockerfile:1\nFROM a', 'docker/dockerfile:1'],
    ['#syntax = docker/dockerfile:1  ', 'docker/dockerfile:1'],
    ['  #\tSYNTAX=x', 'x'],
    ['# escape=`\n# syntax=x', 'x'],
    ['# syntax=x y z', 'x'],
    ['\uFEFF# syntax=x', 'x'],
    ['#!/usr/bin/env slipway\n# syntax=x', 'x'],
    ['# syntax=x\r\n', 'x'],
    ['// syntax=x\n', 'x'],
    ['{"syntax": "x", "more": 1}', 'x'],
    ['{"syntax": 1}', undefined],
    ['{"syntax"', undefined],
    ['# a comment\n# syntax=x', undefined],
    ['\n# syntax=x', undefined],
    ['FROM a\n# syntax=x', undefined],
    ['# syntaxx=x', undefined],
    ['# syntax=', undefined],
    ['# syntax x', undefined],
    ['', undefined],
    ['#!', undefined],
  ];
  for (const [text, want] of table) test(JSON.stringify(text), () => assert.equal(detectSyntax(text), want));
});

test('directives end at the first line that is none', () => {
  const { directives, count, diagnostics } = readDirectives([
    '# check=skip=A;error=true',
    '#Escape=`',
    '# x=y',
    '# syntax=z',
  ]);
  assert.deepEqual(directives, { escape: '`', check: 'skip=A;error=true' });
  assert.equal(count, 2);
  assert.deepEqual(diagnostics, []);
});
