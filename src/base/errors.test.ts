import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorMessage, firstError, notFound } from './errors.ts';

test('what went wrong first is told, also when cleaning up failed after it', () => {
  const clean = (message: string) => ({
    [Symbol.dispose]() {
      throw new Error(message);
    },
  });
  try {
    using _outer = clean('cannot unmount');
    using _inner = clean('cannot remove');
    throw notFound('cannot find "x"');
  } catch (error) {
    assert.equal(errorMessage(error), 'cannot find "x"');
    assert.deepEqual(firstError(error), notFound('cannot find "x"'));
  }
});
