import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { REASON_CODES } from '../../../engine/src/trace/reasons.ts';
import { pingTrace, serviceTrace, tunTrace } from './sample-trace.ts';
import { shapeOfSchema, shapeOfType } from './type-shape.ts';
import type { Schema } from './type-shape.ts';

const root = path.resolve(import.meta.dirname, '../../..');
const schema = JSON.parse(readFileSync(path.join(root, 'docs/trace.schema.json'), 'utf8')) as Schema;
const validate = new Ajv2020({ strict: true, allErrors: true }).compile(schema);

/** The model takes any text for a reason's code; a test of its own compares the codes. */
const reason = { type: 'object', additionalProperties: false, required: ['code', 'sentence'], properties: { code: { type: 'string' }, sentence: { type: 'string' } } };
const open: Schema = { ...schema, $defs: { ...schema.$defs, reason } };

const file = (name: string): string => path.join(root, 'engine/src', name);

describe('the schema of a trace', () => {
  it.each([
    ['header', 'packet/headers.ts', 'Header'], ['step', 'trace/model.ts', 'Step'], ['source', 'trace/model.ts', 'StepSource'],
    ['branch', 'trace/model.ts', 'Branch'], ['outcome', 'trace/model.ts', 'Outcome'], ['explanation', 'verify/explanation.ts', 'Explanation'],
  ])('has every field and every value of %s in %s, and no other', (definition, source, type) => {
    expect(shapeOfSchema(open, open.$defs![definition]!)).toEqual(shapeOfType(file(source), type));
  });

  it('has every field of a trace, and no other', () => {
    expect(shapeOfSchema(open, open)).toEqual(shapeOfType(file('verify/explanation.ts'), 'ExplainedTrace'));
  });

  it('has every reason, and no other', () => {
    expect([...schema.$defs!['reason']!.properties!['code']!.enum!].sort()).toEqual([...REASON_CODES].sort());
  });

  it('takes traces', () => {
    for (const trace of [pingTrace, tunTrace, serviceTrace]) expect(validate(trace), JSON.stringify(validate.errors)).toBe(true);
  });

  it('refuses a trace with a field that nobody has foreseen, one without an outcome, and one with an address that is none', () => {
    const [branch] = pingTrace.branches;
    const { outcome, ...rest } = branch!;
    expect(outcome).toBe('delivered');
    expect(validate({ ...pingTrace, branches: [{ ...branch!, colour: 'red' }] })).toBe(false);
    expect(validate({ ...pingTrace, branches: [rest] })).toBe(false);
    expect(validate({ ...pingTrace, branches: [{ ...branch!, seenAs: { address: 'pod1', port: null } }] })).toBe(false);
    expect(validate({ ...pingTrace, branches: [] })).toBe(false);
  });
});
