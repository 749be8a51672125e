/**
 * Makes src/api/gen from src/api/proto. `buf` with its plugin reads the schemas; of what they make, the types are kept and the
 * descriptors become the tables of src/api/message/schema.ts.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  type DescEnum,
  type DescField,
  type DescFile,
  type DescMessage,
  type DescService,
  ScalarType,
} from '@bufbuild/protobuf';

const root = fileURLToPath(new URL('..', import.meta.url));
// As buf.gen.yaml says.
const made = `${root}.cache/generate`;
const out = `${root}src/api/gen`;

/** The plugin's types over our schemas. */
function types(text: string): string {
  return text
    .replace(/\/\*\*\n \* Describes the (file|enum)[^*]*\*\/\nexport declare const \w+: Gen(File|Enum<\w+>);\n\n?/g, '')
    .replace(/import type \{[^}]*\} from "@bufbuild\/protobuf\/codegenv2";\n/, () => {
      const services = text.includes('GenService<') ? 'import type { Service } from "../message/service.ts";\n' : '';
      return `import type { Schema } from "../message/schema.ts";\n${services}`;
    })
    .replace('"@bufbuild/protobuf";', '"../message/schema.ts";')
    .replace('"@bufbuild/protobuf/wkt";', '"../message/well-known.ts";')
    .replaceAll('GenMessage<', 'Schema<')
    .replaceAll('GenService<', 'Service<');
}

class FileWriter {
  readonly #file: DescFile;
  readonly #name: string;
  readonly #imports = new Map<string, Set<string>>();

  constructor(file: DescFile, name: string) {
    this.#file = file;
    this.#name = name;
  }

  text(): string {
    const parts = [
      ...this.#file.enums.map((each) => this.#enum(each)),
      ...this.#file.messages.flatMap((each) => this.#message(each)),
      ...this.#file.services.map((each) => this.#service(each)),
    ];
    const imports = [...this.#imports]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([from, names]) => `import { ${[...names].toSorted().join(', ')} } from '${from}';`);
    const head = `// Generated from src/api/proto/${this.#name.replace('_pb.js', '.proto')} by \`npm run generate\`.`;
    return `${[head, imports.join('\n'), ...parts].filter((part) => part !== '').join('\n\n')}\n`;
  }

  #use(name: string, from: string): string {
    if (from !== `./${this.#name}`) this.#imports.set(from, (this.#imports.get(from) ?? new Set()).add(name));
    return name;
  }

  #enum(desc: DescEnum): string {
    const values = desc.values.flatMap(({ localName, number }) => [
      `${localName}: ${number}`,
      `${number < 0 ? `"${number}"` : number}: '${localName}'`,
    ]);
    return `export const ${localNameOf(desc)} = { ${values.join(', ')} };`;
  }

  #message(desc: DescMessage): string[] {
    if (desc.typeName.endsWith('Entry') && desc.parent && isMapEntry(desc)) return [];
    const fields = desc.fields.map((field) => `\n  ${this.#field(field)},`).join('');
    this.#use('Schema', '../message/schema.ts');
    return [
      ...desc.nestedEnums.map((each) => this.#enum(each)),
      ...desc.nestedMessages.flatMap((each) => this.#message(each)),
      `export const ${localNameOf(desc)}Schema = new Schema('${desc.typeName}', () => [${fields}${fields === '' ? '' : '\n'}]);`,
    ];
  }

  #field(field: DescField): string {
    const oneof = field.oneof ? `, '${field.oneof.localName}'` : '';
    return `[${field.number}, '${field.localName}', ${this.#type(field)}${oneof}]`;
  }

  #type(field: DescField): string {
    const label = (name: string, inner: string) => `${this.#use(name, '../message/schema.ts')}(${inner})`;
    switch (field.fieldKind) {
      case 'list':
        if (field.listKind !== 'message' && isNumeric(field) !== field.packed) throw cannot(field, 'this packing');
        return label('list', this.#single(field));
      case 'map':
        if (field.mapKey === ScalarType.INT64) return label('map', `${this.#single(field)}, 'int64'`);
        if (field.mapKey !== ScalarType.STRING) throw cannot(field, 'keys of this type');
        return label('map', this.#single(field));
      case 'message':
        if (field.delimitedEncoding) throw cannot(field, 'groups');
        return this.#single(field);
      default:
        return field.proto.proto3Optional ? label('optional', this.#single(field)) : this.#single(field);
    }
  }

  #single(field: DescField): string {
    if (field.message) return this.#schema(field.message);
    if (field.enum) return `'enum'`;
    return `'${ScalarType[field.scalar ?? 0]?.toLowerCase()}'`;
  }

  #schema(desc: DescMessage): string {
    const name = `${localNameOf(desc)}Schema`;
    if (desc.file.name.startsWith('google/protobuf/')) return this.#use(name, '../message/well-known.ts');
    return this.#use(name, `./${desc.file.name.replaceAll('/', '_')}_pb.js`);
  }

  #service(desc: DescService): string {
    const methods = desc.methods.map(({ localName, name, methodKind, input, output }) => {
      const types = `input: ${this.#schema(input)}, output: ${this.#schema(output)}`;
      return `  ['${localName}', { name: '${name}', methodKind: '${methodKind}', ${types} }],\n`;
    });
    this.#use('service', '../message/service.ts');
    return `export const ${desc.name} = service('${desc.typeName}', [\n${methods.join('')}]);`;
  }
}

/** Types inside others carry these names before their own. */
function localNameOf(desc: DescEnum | DescMessage): string {
  return desc.parent ? `${localNameOf(desc.parent)}_${desc.name}` : desc.name;
}

function isMapEntry(desc: DescMessage): boolean {
  return desc.proto.options?.mapEntry === true;
}

function isNumeric(field: DescField): boolean {
  return field.enum !== undefined || (field.scalar !== ScalarType.STRING && field.scalar !== ScalarType.BYTES);
}

function cannot(field: DescField, what: string): Error {
  return new Error(`${field}: ${what} cannot be generated`);
}

const { status } = spawnSync('buf', ['generate'], { cwd: root, stdio: 'inherit' });
if (status !== 0) process.exit(1);
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
for (const name of readdirSync(made)) {
  if (name.endsWith('.d.ts')) {
    writeFileSync(`${out}/${name}`, types(readFileSync(`${made}/${name}`, 'utf8')));
  } else if (name.endsWith('.js')) {
    const module = await import(`${made}/${name}`);
    const file: DescFile = module[`file_${name.replace(/_pb\.js$/, '')}`];
    writeFileSync(`${out}/${name}`, new FileWriter(file, name).text());
  }
}
rmSync(made, { recursive: true, force: true });
