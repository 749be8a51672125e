import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Instruction } from './instruction.ts';
import { parseDockerfile, parseTrigger } from './parse-dockerfile.ts';

const cases = fileURLToPath(new URL('testdata/parse/', import.meta.url));
/** Set to rewrite what the cases expect; look at the difference before it is kept. */
const rewrite = process.env.UPDATE_GOLDEN === '1';

function inLines({ startLine, endLine }: Instruction['range']): string {
  return startLine === endLine ? `${startLine}` : `${startLine}-${endLine}`;
}

function describe(instruction: Instruction): object {
  const { range, original: _, comments, ...fields } = instruction;
  return { line: inLines(range), ...fields, ...(comments.length > 0 ? { comments } : {}) };
}

/** One instruction a line: easy to compare by eye. */
function describeFile(path: string): { readonly name: string; readonly text: string } {
  const { dockerfile, diagnostics } = parseDockerfile(readFileSync(join(path, 'Dockerfile')));
  if (!dockerfile) {
    const lines = diagnostics.map(
      ({ range, message, hint }) => `${inLines(range)}: ${message}${hint === undefined ? '' : `\n    ${hint}`}`,
    );
    return { name: 'errors.txt', text: `${lines.join('\n')}\n` };
  }
  const { globalArgs, stages, ...directives } = dockerfile;
  const instructions = [...globalArgs, ...stages.flatMap(({ from, instructions }) => [from, ...instructions])];
  const rows = [directives, ...instructions.map(describe)].map((each) => JSON.stringify(each));
  return { name: 'ast.json', text: `[\n${rows.join(',\n')}\n]\n` };
}

suite('Dockerfiles and what is read from them', () => {
  for (const name of readdirSync(cases)) {
    test(name, () => {
      const { name: file, text } = describeFile(join(cases, name));
      const path = join(cases, name, file);
      if (rewrite) writeFileSync(path, text);
      const wrong = join(cases, name, file === 'ast.json' ? 'errors.txt' : 'ast.json');
      assert.ok(!existsSync(wrong), `${name} has ${wrong}, but gave:\n${text}`);
      assert.equal(text, readFileSync(path, 'utf8'));
    });
  }
});

function instructionsOf(text: string): readonly Instruction[] {
  const { dockerfile, diagnostics } = parseDockerfile(text);
  assert.ok(dockerfile, diagnostics.map(({ message }) => message).join('\n'));
  return dockerfile.stages.flatMap(({ instructions }) => instructions);
}

suite('what a golden file shows badly', () => {
  test('a byte order mark and carriage returns', () => {
    const [run, copy] = instructionsOf('\uFEFFFROM a\r\nRUN x \\\r\n  y\r\nCOPY <<E /a\r\nline\r\nE\r\n');
    assert.equal(run?.name === 'run' && run.command.form === 'shell' && run.command.text, 'x   y');
    // The body is the user's own text, line ends and all.
    assert.equal(copy?.name === 'copy' && copy.heredocs[0]?.content, 'line\r\n');
  });

  test('bytes and text give the same', () => {
    const text = 'FROM a\nLABEL ä="日本"\n';
    assert.deepEqual(parseDockerfile(Buffer.from(text)), parseDockerfile(text));
  });

  test('a trigger with a heredoc comes back as it was', () => {
    const [onbuild] = instructionsOf('FROM a\nONBUILD COPY <<-A <<B /x/\n\tone\n\tA\ntwo\nB\n');
    assert.ok(onbuild?.name === 'onbuild');
    assert.equal(onbuild.trigger, 'COPY <<-A <<B /x/\none\nA\ntwo\nB');
    const copy = parseTrigger(onbuild.trigger);
    assert.deepEqual(copy.name === 'copy' && copy.heredocs.map(({ content }) => content), ['one\n', 'two\n']);
    assert.throws(() => parseTrigger('RUN x\nRUN y'), /more than one/);
    assert.throws(() => parseTrigger('# nothing'), /empty/);
  });

  test('keys that objects have of their own', () => {
    const [label] = instructionsOf('FROM a\nLABEL __proto__=x constructor=y');
    assert.deepEqual(label?.name === 'label' && label.labels.map(({ key }) => key), ['__proto__', 'constructor']);
    assert.match(parseDockerfile('FROM a\nCOPY --constructor=x a b').diagnostics[0]?.message ?? '', /unknown flag/);
    assert.match(parseDockerfile('FROM a\nCONSTRUCTOR x').diagnostics[0]?.message ?? '', /unknown instruction/);
  });

  test('what could be read is there beside the errors', () => {
    const { dockerfile, instructions, diagnostics } = parseDockerfile('FROM a\nRUN x\nBAD y\nUSER z');
    assert.equal(dockerfile, undefined);
    assert.deepEqual(
      instructions.map(({ name }) => name),
      ['from', 'run', 'user'],
    );
    assert.equal(diagnostics.length, 1);
  });
});

suite('B13: files made to be slow or to break the reader', () => {
  const refused: readonly (readonly [string, string | Uint8Array, RegExp])[] = [
    ['nothing', '', /no instructions/],
    ['only comments', '# a\n\n# b\n', /no instructions/],
    ['100 MB', new Uint8Array(100 * 1024 * 1024), /larger than/],
    ['a NUL byte', 'FROM a\nRUN x\0y', /NUL byte/],
    ['UTF-16', Buffer.from('\uFEFFFROM a\n', 'utf16le'), /NUL byte/],
    ['one line of 100 KB', `FROM a\nRUN ${'x'.repeat(100_000)}`, /line greater than max/],
    ['a heredoc without an end', 'FROM a\nRUN <<E\nx\n', /unterminated heredoc/],
    ['a lone escape', 'FROM a\n\\', /unknown instruction/],
    ['ONBUILD of ONBUILD', `FROM a\n${'ONBUILD '.repeat(8000)}RUN x`, /Chaining/],
  ];
  for (const [name, source, message] of refused)
    test(name, () => assert.match(parseDockerfile(source).diagnostics[0]?.message ?? '', message));

  test('random bytes never throw', () => {
    let seed = 1;
    const next = () => (seed = (seed * 48271) % 2147483647);
    const alphabet = 'FROM RUN COPY ENV <<E "\'\\`$ {}[],=-#\n\n\r\t\u00a0ä';
    for (let round = 0; round < 300; round++) {
      const bytes = Buffer.from(Array.from({ length: 200 }, () => next() % 256));
      const text = Array.from({ length: 200 }, () => alphabet.charAt(next() % alphabet.length)).join('');
      for (const source of [bytes, `FROM a\n${text}`, `FROM a\nRUN ${text}`, `FROM a\nENV ${text}`])
        parseDockerfile(source);
    }
  });

  test('errors have an end', () => assert.equal(parseDockerfile('BAD\n'.repeat(10_000)).diagnostics.length, 50));

  const large: readonly (readonly [string, string])[] = [
    ['4 million comments', '# x\n'.repeat(4_000_000)],
    ['8 million empty lines in an instruction', `FROM a\nRUN x \\\n${'\n'.repeat(8_000_000)}`],
    ['blanks in a directive', `# escape=${' '.repeat(60_000)}x${' '.repeat(60_000)}y`],
    ['blanks before a line end', `FROM a\nRUN x${' '.repeat(65_000)}y`],
    ['brackets', `FROM a\nRUN ${'['.repeat(65_000)}`],
    ['100,000 mounts', `FROM a\nRUN ${'--mount=type=cache,target=/x \\\n'.repeat(100_000)}x`],
    ['10,000 ENVs', `FROM a\n${'ENV A=b\n'.repeat(10_000)}`],
    ['5,000 heredocs', `FROM a\nRUN ${'<<E '.repeat(5_000)}\n${'E\n'.repeat(5_000)}`],
    ['open quotes', `FROM a\nENV a=${'"'.repeat(65_000)}`],
    ['blanks in a heredoc name', `FROM a\nRUN <<"${' '.repeat(60_000)}<"`],
    ['digits of a duration', `FROM a\nHEALTHCHECK --interval=${'1'.repeat(60_000)} CMD x`],
  ];
  // A quadratic reader needs minutes for these; the runner's own limit would tell.
  for (const [name, text] of large) test(name, { timeout: 20_000 }, () => void parseDockerfile(text));
});
