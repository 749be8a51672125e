import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { parsePlace, planCopy, renamed } from './copy-plan.ts';

suite('what cp copies where', () => {
  test('which side is a container', () => {
    assert.deepEqual(parsePlace('web:/etc/hosts'), { container: 'web', path: '/etc/hosts' });
    assert.deepEqual(parsePlace('web:a:b'), { container: 'web', path: 'a:b' });
    for (const path of ['./a:b', '/a:b', 'file', ':x', '-'])
      assert.deepEqual(parsePlace(path), { container: undefined, path });
  });

  const directory = (path: string, exists = true) => ({ path, exists, isDirectory: exists });
  const file = (path: string, exists = true) => ({ path, exists, isDirectory: false });

  test('into a directory it keeps its name', () => {
    assert.deepEqual(planCopy(file('/a/f'), 'f', directory('/d')), { directory: '/d', from: 'f', to: 'f' });
    assert.deepEqual(planCopy(directory('/a/s'), 's', directory('/d/')), { directory: '/d/', from: 's', to: 's' });
    assert.deepEqual(planCopy(directory('/a/s/.'), '.', directory('/d')), { directory: '/d', from: '.', to: '.' });
  });

  test('a link that is followed gives what it leads to its own name', () => {
    assert.deepEqual(planCopy(file('/real'), 'link', directory('/d')), { directory: '/d', from: 'real', to: 'link' });
  });

  test('what is not there yet names what comes', () => {
    assert.deepEqual(planCopy(file('/a/f'), 'f', file('/d/g', false)), { directory: '/d', from: 'f', to: 'g' });
    assert.deepEqual(planCopy(directory('/a/s'), 's', file('/d/new/', false)), {
      directory: '/d',
      from: 's',
      to: 'new',
    });
    assert.deepEqual(planCopy(directory('/a/s/.'), '.', file('new', false)), { directory: '.', from: '.', to: 'new' });
  });

  test('a file is replaced by a file only', () => {
    assert.deepEqual(planCopy(file('/a/f'), 'f', file('/d/g')), { directory: '/d', from: 'f', to: 'g' });
    assert.throws(() => planCopy(directory('/a/s'), 's', file('/d/g')), /cannot copy directory/);
    assert.throws(() => planCopy(file('/a/f'), 'f', file('/d/new/', false)), /no such directory/);
    assert.throws(() => planCopy(file('/a/f'), 'f', file('/d/g/')), /not a directory/);
  });

  test('names of members', () => {
    assert.equal(renamed('s/a/s', { from: 's', to: 't' }), 't/a/s');
    assert.equal(renamed('s', { from: 's', to: 't' }), 't');
    assert.equal(renamed('sister', { from: 's', to: 't' }), 'sister');
    assert.equal(renamed('./x', { from: '.', to: 'new' }), 'new/x');
  });
});
