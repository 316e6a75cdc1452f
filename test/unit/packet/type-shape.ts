/** The shape of a TypeScript type and of a JSON Schema in one notation, so that the two can be compared. */
import ts from 'typescript';

export type Shape =
  | 'string' | 'number' | 'boolean'
  | { readonly literals: readonly string[] }
  | { readonly array: Shape }
  | { readonly object: Readonly<Record<string, Shape>> }
  | { readonly oneOf: readonly Shape[] };

/** `null` is a literal like another. */
const literals = (values: readonly unknown[]): Shape => ({ literals: values.map((value) => JSON.stringify(value)).sort() });

/** Alternatives in one order, nested ones laid flat and literals joined. */
function union(members: readonly Shape[]): Shape {
  const flat = members.flatMap((each) => (typeof each === 'object' && 'oneOf' in each ? each.oneOf : [each]));
  const words = [...new Set(flat.flatMap((each) => (typeof each === 'object' && 'literals' in each ? each.literals : [])))].sort();
  const rest = flat.filter((each) => typeof each !== 'object' || !('literals' in each));
  const all = [...rest, ...(words.length > 0 ? [{ literals: words }] : [])];
  return all.length === 1 ? all[0]! : { oneOf: all.map((each) => [JSON.stringify(each), each] as const).sort(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each) };
}

/** Optional properties have a `?` behind their names. */
const object = (properties: readonly (readonly [string, Shape])[]): Shape =>
  ({ object: Object.fromEntries([...properties].sort(([a], [b]) => (a < b ? -1 : 1))) });

/** The shape of an exported type of a file. */
export function shapeOfType(file: string, name: string): Shape {
  const program = ts.createProgram([file], { strict: true, exactOptionalPropertyTypes: true, noEmit: true, allowImportingTsExtensions: true, moduleResolution: ts.ModuleResolutionKind.Bundler, module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 });
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(file);
  const exported = source === undefined ? undefined : checker.getSymbolAtLocation(source);
  const symbol = exported === undefined ? undefined : checker.getExportsOfModule(exported).find((each) => each.name === name);
  if (symbol === undefined) throw new Error(`${file} exports no ${name}`);
  return typeShape(checker, checker.getDeclaredTypeOfSymbol(symbol));
}

function typeShape(checker: ts.TypeChecker, type: ts.Type): Shape {
  if (type.flags & ts.TypeFlags.Boolean) return 'boolean';
  if (type.isUnion()) return union(type.types.map((each) => typeShape(checker, each)));
  if (type.isStringLiteral() || type.isNumberLiteral()) return literals([type.value]);
  if (type.flags & ts.TypeFlags.Null) return literals([null]);
  if (type.flags & ts.TypeFlags.BooleanLiteral) return literals([checker.typeToString(type) === 'true']);
  if (type.flags & ts.TypeFlags.String) return 'string';
  if (type.flags & ts.TypeFlags.Number) return 'number';
  const item = checker.isArrayType(type) ? checker.getTypeArguments(type as ts.TypeReference)[0] : undefined;
  if (item !== undefined) return { array: typeShape(checker, item) };
  return object(checker.getPropertiesOfType(type).map((property) => {
    const optional = (property.flags & ts.SymbolFlags.Optional) !== 0;
    const propertyType = checker.getTypeOfSymbol(property);
    const parts = (propertyType.isUnion() ? propertyType.types : [propertyType]).filter((each) => !(each.flags & ts.TypeFlags.Undefined));
    const booleans = parts.length === 2 && parts.every((each) => each.flags & ts.TypeFlags.BooleanLiteral);
    return [optional ? `${property.name}?` : property.name, booleans ? 'boolean' : union(parts.map((each) => typeShape(checker, each)))];
  }));
}

/** What the schema of a trace uses of JSON Schema. */
export interface Schema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly oneOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean;
}

export function shapeOfSchema(root: Schema, schema: Schema): Shape {
  if (schema.$ref !== undefined) {
    const target = root.$defs?.[schema.$ref.replace('#/$defs/', '')];
    if (target === undefined) throw new Error(`${schema.$ref} leads nowhere`);
    return shapeOfSchema(root, target);
  }
  if (schema.const !== undefined) return literals([schema.const]);
  if (schema.enum !== undefined) return literals(schema.enum);
  if (schema.oneOf !== undefined) return union(schema.oneOf.map((each) => shapeOfSchema(root, each)));
  const types = typeof schema.type === 'string' ? [schema.type] : (schema.type ?? []);
  return union(types.map((type) => plainShape(root, schema, type)));
}

function plainShape(root: Schema, schema: Schema, type: string): Shape {
  switch (type) {
    case 'null': return literals([null]);
    case 'string': case 'boolean': return type;
    case 'number': case 'integer': return 'number';
    case 'array': return { array: shapeOfSchema(root, schema.items ?? {}) };
    case 'object':
      if (schema.additionalProperties !== false) throw new Error('an object of the schema takes unknown properties');
      return object(Object.entries(schema.properties ?? {}).map(([name, each]) =>
        [schema.required?.includes(name) === true ? name : `${name}?`, shapeOfSchema(root, each)]));
    default: throw new Error(`type ${type} is not foreseen`);
  }
}
