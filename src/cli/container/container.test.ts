import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { startFailureCode } from '../commands/run.ts';
import { DetachKeys } from './detach-keys.ts';
import { portsText } from './ports-text.ts';

suite('keys that detach', () => {
  const filterAll = (keys: DetachKeys, chunks: readonly string[]) =>
    chunks.map((chunk) => {
      const passed = keys.filter(Buffer.from(chunk));
      return passed === 'detach' ? passed : passed.toString();
    });

  test('ctrl-p ctrl-q detach, also in two pieces', () => {
    assert.deepEqual(filterAll(new DetachKeys(), ['a\x10\x11']), ['detach']);
    assert.deepEqual(filterAll(new DetachKeys(), ['ab\x10', '\x11']), ['ab', 'detach']);
  });

  test('a beginning that goes on otherwise is passed on whole', () => {
    assert.deepEqual(filterAll(new DetachKeys(), ['\x10', 'x']), ['', '\x10x']);
    assert.deepEqual(filterAll(new DetachKeys(), ['\x10\x10\x11']), ['detach']);
  });

  test('other keys, and such as there are not', () => {
    assert.deepEqual(filterAll(new DetachKeys('ctrl-e,e'), ['\x10\x11\x05e']), ['detach']);
    assert.throws(() => new DetachKeys('ctrl-1'), /cannot use "ctrl-1" as a key/);
  });
});

suite('the PORTS column', () => {
  test('published, exposed, ranges, both families', () => {
    const tcp = { Type: 'tcp' };
    assert.equal(
      portsText([
        { ...tcp, IP: '0.0.0.0', PrivatePort: 80, PublicPort: 8080 },
        { ...tcp, IP: '::', PrivatePort: 80, PublicPort: 8080 },
        { ...tcp, PrivatePort: 443 },
        { Type: 'udp', IP: '0.0.0.0', PrivatePort: 5001, PublicPort: 5001 },
        { Type: 'udp', IP: '0.0.0.0', PrivatePort: 5000, PublicPort: 5000 },
      ]),
      '0.0.0.0:8080->80/tcp, [::]:8080->80/tcp, 443/tcp, 0.0.0.0:5000-5001->5000-5001/udp',
    );
    assert.equal(portsText([]), '');
  });
});

suite('exit codes of run', () => {
  test('127 for what is not there, 126 for what cannot be run, 125 for the daemon', () => {
    const cases: readonly (readonly [string, number])[] = [
      ['exec: "nosuch": executable file not found in $PATH: unknown', 127],
      ['exec: "/nosuch": stat /nosuch: no such file or directory', 127],
      ['exec: "/etc": permission denied', 126],
      ['exec: "/etc": is a directory', 126],
      ['conflict: the name is in use', 125],
    ];
    for (const [message, code] of cases) assert.equal(startFailureCode(message), code, message);
  });
});
