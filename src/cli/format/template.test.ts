import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { compileTemplate, runTemplate, unescapeFormat } from './template.ts';

const container = {
  Id: 'abc',
  Name: '/web',
  Config: { Env: ['A=1', 'B=2'], Labels: { b: '2', a: '1' }, Cmd: null, Tty: false },
  State: { Running: true, ExitCode: 0, Pid: 42 },
  Mounts: [
    { Type: 'volume', Name: 'data', Destination: '/data' },
    { Type: 'bind', Name: '', Destination: '/src' },
  ],
  NetworkSettings: { Ports: { '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '8080' }], '443/tcp': null } },
  Label: (key: unknown) => ({ app: 'shop' })[String(key)] ?? '',
};

const cases: readonly (readonly [template: string, want: string])[] = [
  ['plain text', 'plain text'],
  ['{{.Name}}', '/web'],
  ['{{.ID}} {{.Id}}', 'abc abc'],
  ['{{.State.Running}}', 'true'],
  ['{{.Config.Env}}', '[A=1 B=2]'],
  ['{{.Config.Labels}}', 'map[a:1 b:2]'],
  ['{{.Config.Labels.missing}}', '<no value>'],
  ['{{index .Config.Labels "a"}}', '1'],
  ['{{index .Config.Env 1}}', 'B=2'],
  ['{{json .Config.Env}}', '["A=1","B=2"]'],
  ['{{.Config.Labels | json}}', '{"b":"2","a":"1"}'],
  ['{{json .Config.Nothing}}', 'null'],
  ['{{range .Mounts}}{{.Type}}:{{.Destination}} {{end}}', 'volume:/data bind:/src '],
  ['{{range $i, $m := .Mounts}}{{$i}}={{$m.Destination}};{{end}}', '0=/data;1=/src;'],
  ['{{range $k, $v := .Config.Labels}}{{$k}}={{$v}} {{end}}', 'a=1 b=2 '],
  ['{{range .Config.Cmd}}x{{else}}none{{end}}', 'none'],
  ['{{(index (index .NetworkSettings.Ports "80/tcp") 0).HostPort}}', '8080'],
  [
    '{{range $p, $c := .NetworkSettings.Ports}}{{if $c}}{{$p}} -> {{(index $c 0).HostPort}}{{end}}{{end}}',
    '80/tcp -> 8080',
  ],
  ['{{if .State.Running}}up{{else}}down{{end}}', 'up'],
  ['{{if .Config.Tty}}tty{{else if eq .State.ExitCode 0}}zero{{else}}other{{end}}', 'zero'],
  ['{{with .Config}}{{.Tty}}{{end}}{{with .Config.Cmd}}cmd{{else}}no cmd{{end}}', 'falseno cmd'],
  ['{{$x := 1}}{{if true}}{{$x = 2}}{{end}}{{$x}}', '2'],
  ['{{join (split "a,b,c" ",") "-"}}', 'a-b-c'],
  ['{{"hello world" | title}} {{upper "x"}}{{lower "Y"}}', 'Hello World Xy'],
  ['[{{pad "x" 2 3}}]{{truncate "abcdef" 3}}', '[  x   ]abc'],
  ['{{println "a" 1}}', 'a 1\n'],
  ['{{printf "%-5s|%5d|%q|%.2f|%v|%05d|%%" "ab" 7 "q" 1.239 .State.Running 42}}', 'ab   |    7|"q"|1.24|true|00042|%'],
  ['{{len .Mounts}} {{len "abc"}}', '2 3'],
  ['{{and true 0}} {{or "" "x"}} {{not false}}', '0 x true'],
  ['{{eq 1 2 1}} {{ne "a" "b"}} {{lt 1 2}} {{ge 2 3}}', 'true true true false'],
  ['{{eq .State.Pid 42 | not}}', 'false'],
  ['a {{- " b " -}} c', 'a b c'],
  ['a{{/* nothing */}}b', 'ab'],
  ['{{range .Mounts}}{{if eq .Type "bind"}}{{break}}{{end}}{{.Type}}{{end}}', 'volume'],
  ['{{range .Mounts}}{{if eq .Type "volume"}}{{continue}}{{end}}{{.Type}}{{end}}', 'bind'],
  ['{{.Label "app"}}/{{.Label "none"}}', 'shop/'],
  ['{{range .Mounts}}{{$.Name}}{{end}}', '/web/web'],
  ['{{`raw "text"`}}{{"tab\\there"}}', 'raw "text"tab\there'],
  ['{{slice "abcdef" 1 3}}', 'bc'],
];

const failures: readonly (readonly [template: string, want: RegExp])[] = [
  ['{{.Nope}}', /can't evaluate field Nope: there are Id, Name/],
  ['{{.Name', /unclosed action/],
  ['{{if .Name}}x', /\{\{if\}\} without \{\{end\}\}/],
  ['{{end}}', /unexpected \{\{end\}\}/],
  ['{{nofunc 1}}', /function "nofunc" not defined/],
  ['{{constructor}}', /function "constructor" not defined/],
  ['{{}}', /^/],
  ['{{$x}}', /undefined variable/],
  ['{{.Name "x"}}', /can't give argument to non-function \.Name/],
  ['{{index .Mounts 7}}', /out of range/],
  ['{{break}}', /outside/],
  ['{{(1}}', /unclosed parenthesis/],
  ['{{lt 1 "a"}}', /incompatible types/],
  ['{{.Name.Sub}}', /can't evaluate field Sub/],
  [`${'{{if 1}}'.repeat(200)}${'{{end}}'.repeat(200)}`, /nests too deep/],
  ['{{1 & 2}}', /unexpected "& 2}}"/],
];

suite('--format templates', () => {
  for (const [template, want] of cases)
    test(template, () => {
      assert.equal(runTemplate(template, container), want);
    });

  for (const [template, want] of failures)
    test(`refused: ${template.slice(0, 40)}`, () => {
      if (template === '{{}}') assert.equal(runTemplate(template, container), '');
      else assert.throws(() => runTemplate(template, container), want);
    });

  test('inherited properties are no fields', () => {
    assert.equal(runTemplate('{{.Config.constructor}}{{.Config.toString}}', container), '<no value><no value>');
    assert.throws(() => runTemplate('{{.__proto__}}', container), /can't evaluate/);
  });

  test('compiled once, run often', () => {
    const template = compileTemplate('{{.A}}');
    assert.deepEqual([{ A: 1 }, { A: 2 }].map(template), ['1', '2']);
  });

  test('typed escapes', () => assert.equal(unescapeFormat('{{.A}}\\t{{.B}}\\n'), '{{.A}}\t{{.B}}\n'));
});
