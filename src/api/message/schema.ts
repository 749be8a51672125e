/** A protobuf message as a value; `$typeName` tells which. */
export interface Message<Name extends string = string> {
  $typeName: Name;
}

export type Scalar =
  | 'double'
  | 'float'
  | 'int32'
  | 'int64'
  | 'uint32'
  | 'uint64'
  | 'sint32'
  | 'sint64'
  | 'fixed32'
  | 'fixed64'
  | 'sfixed32'
  | 'sfixed64'
  | 'bool'
  | 'string'
  | 'bytes'
  | 'enum';

type Single = Scalar | Schema;

type MapKey = 'string' | 'int64';

interface Labelled {
  readonly label: 'optional' | 'list' | 'map';
  readonly type: Single;
  readonly key?: MapKey;
}

/** A field that tells absent from empty. */
export const optional = (type: Scalar): Labelled => ({ label: 'optional', type });
/** Many values; numbers are packed. */
export const list = (type: Single): Labelled => ({ label: 'list', type });
/** Values by text or by number, which is text in the object. */
export const map = (type: Single, key: MapKey = 'string'): Labelled => ({ label: 'map', type, key });

/** Number, name, type and, for a member of a oneof, the name of that. */
export type FieldInit = readonly [number: number, name: string, type: Single | Labelled, oneof?: string];

export interface Field {
  readonly number: number;
  readonly name: string;
  readonly type: Single;
  readonly label: 'single' | 'optional' | 'list' | 'map';
  readonly oneof: string | undefined;
  /** Of a map. */
  readonly key: MapKey | undefined;
}

/**
 * What a message type is made of. `buf` and its plugin read the `.proto` files when code is generated; at run time these small
 * tables are all there is, since building full descriptors took a third of a command's time. They are made at first use.
 */
export class Schema<T extends Message = Message> {
  readonly typeName: T['$typeName'];
  /** Only for the compiler: the type of the message. */
  declare readonly message?: T;
  readonly #init: () => readonly FieldInit[];
  #fields: readonly Field[] | undefined;
  #byNumber: ReadonlyMap<number, Field> | undefined;

  constructor(typeName: T['$typeName'], init: () => readonly FieldInit[]) {
    this.typeName = typeName;
    this.#init = init;
  }

  /** In the order in which Go writes them, which is that of their numbers but for the members of oneofs: those come last. */
  get fields(): readonly Field[] {
    this.#fields ??= this.#init()
      .map(([number, name, type, oneof]): Field => {
        if (typeof type === 'string' || !('label' in type))
          return { number, name, type, label: 'single', oneof, key: undefined };
        return { number, name, type: type.type, label: type.label, oneof, key: type.key };
      })
      .toSorted((a, b) => Number(a.oneof !== undefined) - Number(b.oneof !== undefined) || a.number - b.number);
    return this.#fields;
  }

  field(number: number): Field | undefined {
    this.#byNumber ??= new Map(this.fields.map((field) => [field.number, field]));
    return this.#byNumber.get(number);
  }
}

export type ShapeOf<S> = S extends Schema<infer T> ? T : never;

/** What a message can be made from: a part of its fields, messages inside given in the same way. */
export type InitOf<S> = S extends Schema<infer T> ? MessageInit<T> : never;

export type MessageInit<T> =
  | T
  | { [K in keyof T as K extends '$typeName' ? never : K]?: FieldInitOf<T[K]> | undefined };

type FieldInitOf<F> = F extends Uint8Array | bigint | boolean | string | number | undefined
  ? F
  : F extends readonly (infer U)[]
    ? readonly FieldInitOf<U>[]
    : F extends Message
      ? MessageInit<F>
      : F extends { case: infer C; value: infer V }
        ? { case: C; value: FieldInitOf<V> }
        : F extends { case: undefined; value?: undefined }
          ? F
          : { readonly [K in keyof F]: FieldInitOf<F[K]> };
