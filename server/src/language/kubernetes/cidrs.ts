/** CIDRs in one text: dual stack is written with a comma. */
import type { Prefix } from '../../../../engine/src/net/address.ts';
import type { Located } from '../bind/decode.ts';
import { readValue } from '../bind/values.ts';
import type { Fields } from './fields.ts';
import { tellAt } from './fields.ts';

export function commaSeparated(fields: Fields | null, key: string): Located<Prefix>[] {
  const text = fields?.text(key) ?? null;
  if (fields === null || text === null || text.value.trim() === '') return [];
  return text.value.split(',').flatMap((part) => {
    const reading = readValue('cidr', part.trim());
    if (reading.ok) return [{ ...text, value: reading.value }];
    tellAt(fields.source, 'bad', `${fields.path}.${key}: ${reading.problem}`, text);
    return [];
  });
}
