import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { RunMount } from './instruction.ts';
import { ParseFailure } from './parse-failure.ts';
import { checkRunMount, parseRunMount } from './run-mount.ts';

suite('mounts of RUN', () => {
  const table: readonly (readonly [string, RunMount])[] = [
    ['type=cache,target=/c', { type: 'cache', target: '/c' }],
    ['target=/x', { type: 'bind', target: '/x' }],
    ['type=bind,from=a,src=/b,dst=/c,rw', { type: 'bind', from: 'a', source: '/b', target: '/c', readonly: false }],
    ['type=bind,destination=c,ro', { type: 'bind', target: 'c', readonly: true }],
    ['type=bind,target=c,readonly=false', { type: 'bind', target: 'c', readonly: false }],
    ['type=bind,target=c,readwrite=0', { type: 'bind', target: 'c', readonly: true }],
    ['TYPE=Cache,Target=/C', { type: 'cache', target: '/C' }],
    [
      'type=cache,id=i,target=/c,sharing=LOCKED,mode=0700,uid=1,gid=2,from=s,source=/d',
      { type: 'cache', id: 'i', target: '/c', sharing: 'locked', mode: 0o700, uid: 1, gid: 2, from: 's', source: '/d' },
    ],
    ['type=tmpfs,target=/t,size=64m', { type: 'tmpfs', target: '/t', size: 64 * 2 ** 20 }],
    ['type=tmpfs,target=/t,size=1GiB', { type: 'tmpfs', target: '/t', size: 2 ** 30 }],
    ['type=tmpfs,target=/t,size=100', { type: 'tmpfs', target: '/t', size: 100 }],
    ['type=secret,id=t,env=TOKEN,required', { type: 'secret', id: 't', env: 'TOKEN', required: true }],
    ['type=secret,id=t,env=', { type: 'secret', id: 't', env: 't' }],
    ['required=true,type=secret,id=t', { type: 'secret', id: 't', required: true }],
    ['type=secret,target=/a/b', { type: 'secret', target: '/a/b' }],
    ['type=ssh', { type: 'ssh' }],
    ['type=ssh,id=x,required=1', { type: 'ssh', id: 'x', required: true }],
    ['"type=cache","target=/a,b"', { type: 'cache', target: '/a,b' }],
    ['type=cache,"target=/a""b"', { type: 'cache', target: '/a"b' }],
    ['type=cache,target=/a=b', { type: 'cache', target: '/a=b' }],
  ];
  for (const [text, want] of table) test(text, () => assert.deepEqual(parseRunMount(text), want));

  const broken: readonly (readonly [string, RegExp])[] = [
    ['', /unexpected key ''/],
    ['type=bnd,target=/x', /unsupported mount type "bnd"/],
    ['type=cache', /needs a target/],
    ['type=bind,target=', /needs a target/],
    ['type=secret', /one of source, target required/],
    ['type=secret,id=a,source=b', /both source and id/],
    ['type=secret,id=a,from=b', /should not have a from/],
    ['type=secret,id=a,sharing=locked', /sharing not allowed/],
    ['type=cache,target=/c,sharing=x', /unsupported sharing value "x"/],
    ['type=cache,target=/c,required', /required not allowed/],
    ['type=cache,target=/c,size=1', /size not allowed/],
    ['type=cache,target=/c,env=X', /env not allowed/],
    ['type=bind,target=/c,mode=0755', /mode not allowed for "bind"/],
    ['type=tmpfs,target=/c,uid=1', /uid not allowed for "tmpfs"/],
    ['type=cache,target=/c,mode=9', /invalid value 9 for mode/],
    ['type=cache,target=/c,uid=-1', /invalid value -1 for uid/],
    ['type=cache,target=/c,gid=99999999999', /invalid value 99999999999 for gid/],
    ['type=tmpfs,target=/t,size=x', /invalid value for size: x/],
    ['type=bind,target=/c,ro=maybe', /invalid value for ro: maybe/],
    ['type=cache,target', /must be a key=value pair/],
    ['type=cache,tagret=/c', /unexpected key 'tagret'/],
    ['type=cache,"target=/c', /a quote is left open/],
    ['__proto__=x', /unexpected key '__proto__'/],
  ];
  for (const [text, message] of broken) {
    test(`refused: ${text}`, () => {
      assert.throws(
        () => parseRunMount(text),
        (error) => error instanceof ParseFailure && message.test(error.message),
      );
    });
  }

  test('a misspelled key is told the right one', () => {
    assert.throws(() => parseRunMount('type=cache,tagret=/c'), { hint: 'did you mean target?' });
  });
});

suite('variables in mounts', () => {
  const expand = (value: string) => value.replaceAll('$X', 'a,b"c');

  test('a value stays one field whatever it holds', () => {
    assert.deepEqual(parseRunMount('type=cache,target=/$X,id=$X', expand), {
      type: 'cache',
      target: '/a,b"c',
      id: 'a,b"c',
    });
  });

  test('from is not expanded', () => {
    assert.equal(parseRunMount('from=$X,target=/c', expand).from, '$X');
    assert.throws(() => checkRunMount('from=$X,target=/$Y'), /doesn't support variable expansion/);
    assert.throws(() => checkRunMount('type=bnd,target=/c'), /unsupported mount type/);
    checkRunMount('type=$T,target=$X');
  });
});
