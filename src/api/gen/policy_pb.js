// Generated from src/api/proto/policy.proto by `npm run generate`.

import { Schema, list, map } from '../message/schema.ts';

export const PolicyAction = { ALLOW: 0, 0: 'ALLOW', DENY: 1, 1: 'DENY', CONVERT: 2, 2: 'CONVERT' };

export const AttrMatch = { EQUAL: 0, 0: 'EQUAL', NOTEQUAL: 1, 1: 'NOTEQUAL', MATCHES: 2, 2: 'MATCHES' };

export const MatchType = { WILDCARD: 0, 0: 'WILDCARD', EXACT: 1, 1: 'EXACT', REGEX: 2, 2: 'REGEX' };

export const PolicySchema = new Schema('moby.buildkit.v1.sourcepolicy.Policy', () => [
  [1, 'version', 'int64'],
  [2, 'rules', list(RuleSchema)],
]);

export const RuleSchema = new Schema('moby.buildkit.v1.sourcepolicy.Rule', () => [
  [1, 'action', 'enum'],
  [2, 'selector', SelectorSchema],
  [3, 'updates', UpdateSchema],
]);

export const UpdateSchema = new Schema('moby.buildkit.v1.sourcepolicy.Update', () => [
  [1, 'identifier', 'string'],
  [2, 'attrs', map('string')],
]);

export const SelectorSchema = new Schema('moby.buildkit.v1.sourcepolicy.Selector', () => [
  [1, 'identifier', 'string'],
  [2, 'matchType', 'enum'],
  [3, 'constraints', list(AttrConstraintSchema)],
]);

export const AttrConstraintSchema = new Schema('moby.buildkit.v1.sourcepolicy.AttrConstraint', () => [
  [1, 'key', 'string'],
  [2, 'value', 'string'],
  [3, 'condition', 'enum'],
]);
