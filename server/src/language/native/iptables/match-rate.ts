/** `limit` and `hashlimit`: rates, in the form that iptables-save prints (libxt_limit.c, libxt_hashlimit.c). */
import { bitsOf } from '../../../../../engine/src/net/address.ts';
import type { Given, MatchModule, OptionSpec, RuleContext } from './module.ts';
import { allText, find, required, unknownMatch, valueOf } from './module.ts';
import { parseNumber } from './names.ts';
import { badValue, readNumber } from './values.ts';
import { quoteValue } from './words.ts';

interface Unit {
  readonly short: string;
  readonly long: string;
  readonly seconds: number;
}

/** From the coarsest to the finest. */
const UNITS: readonly Unit[] = [
  { short: 'day', long: 'day', seconds: 86_400 },
  { short: 'hour', long: 'hour', seconds: 3_600 },
  { short: 'min', long: 'minute', seconds: 60 },
  { short: 'sec', long: 'second', seconds: 1 },
];

/** A second's parts in which a rate is kept: XT_LIMIT_SCALE, XT_HASHLIMIT_SCALE_v2. */
const LIMIT_SCALE = 10_000;
const HASHLIMIT_SCALE = 1_000_000;

/** `5/minute` is printed `5/min`, in the finest unit in which the rate is whole; `undefined` where it is no rate or too fast for the scale. */
function normalRate(text: string, scale: number): { readonly rate: string; readonly unit: Unit; readonly period: number } | undefined {
  const m = /^(\d+)(?:\/([a-z]+))?$/i.exec(text);
  const given = m?.[2]?.toLowerCase() ?? 'second';
  const unit = UNITS.find(({ long }) => long.startsWith(given));
  const count = Number(m?.[1] ?? 0);
  if (unit === undefined || count === 0) return undefined;
  const period = Math.floor((unit.seconds * scale) / count);
  if (period === 0) return undefined;
  let [best] = UNITS;
  for (const candidate of UNITS) {
    const whole = candidate.seconds * scale;
    if (period > whole || Math.floor(whole / period) < whole % period) break;
    best = candidate;
  }
  return best === undefined ? undefined : { rate: `${Math.floor((best.seconds * scale) / period)}/${best.short}`, unit: best, period };
}

const valued = (name: string, rest: Partial<OptionSpec> = {}): OptionSpec => ({ name, values: 1, ...rest });

const limit: MatchModule = {
  name: 'limit',
  options: [valued('--limit'), valued('--limit-burst')],
  read: (given, context) => {
    const rate = find(given, '--limit');
    const burst = find(given, '--limit-burst');
    const normal = rate === undefined ? '3/hour' : normalRate(valueOf(rate).text, LIMIT_SCALE)?.rate;
    const burstNumber = burst === undefined ? 5 : readNumber(context, valueOf(burst), 0, 10_000);
    if (normal === undefined && rate !== undefined) badValue(context, valueOf(rate), 'a rate such as 5/second, 10/minute, 3/hour or 1/day');
    if (normal === undefined || burstNumber === undefined) return [unknownMatch('limit', allText(given))];
    return [{ kind: 'limit', text: `--limit ${normal}${burstNumber === 5 ? '' : ` --limit-burst ${burstNumber}`}` }];
  },
};

const MODES = ['srcip', 'srcport', 'dstip', 'dstport'];
const TABLE_NUMBERS = ['--hashlimit-htable-size', '--hashlimit-htable-max', '--hashlimit-htable-gcinterval', '--hashlimit-htable-expire'];

const hashlimit: MatchModule = {
  name: 'hashlimit',
  options: [
    valued('--hashlimit-upto', { aliases: ['--hashlimit'], invertible: true }),
    valued('--hashlimit-above', { invertible: true }),
    ...['--hashlimit-burst', '--hashlimit-mode', '--hashlimit-name', ...TABLE_NUMBERS, '--hashlimit-srcmask', '--hashlimit-dstmask'].map((name) => valued(name)),
    { name: '--hashlimit-rate-match', values: 0 },
    valued('--hashlimit-rate-interval'),
  ],
  read: (given, context, module) => {
    const text = hashlimitText(given, context, module);
    return [text === undefined ? unknownMatch('hashlimit', allText(given)) : { kind: 'hashlimit', text }];
  },
};

function hashlimitText(given: readonly Given[], context: RuleContext, module: Given['at']): string | undefined {
  const [rate, second] = given.filter((g) => ['--hashlimit-upto', '--hashlimit-above'].includes(g.option.name));
  if (rate === undefined) return required(context, module, 'hashlimit', '`--hashlimit-upto` or `--hashlimit-above`');
  if (second !== undefined) context.report(second.at, 'conflicting-options', '`--hashlimit-upto` and `--hashlimit-above` exclude each other.');
  const bytes = /^\d+[kmg]?b\/s$/i.test(valueOf(rate).text);
  const normal = bytes ? { rate: valueOf(rate).text.toLowerCase(), unit: null, period: 0 } : normalRate(valueOf(rate).text, HASHLIMIT_SCALE);
  if (normal === undefined) return badValue(context, valueOf(rate), 'a rate such as 5/second, or 512kb/s');
  const name = find(given, '--hashlimit-name');
  if (name === undefined) return required(context, rate.at, 'hashlimit', '`--hashlimit-name`');
  // `! --hashlimit-upto` is printed as the other of the two.
  const above = (rate.option.name === '--hashlimit-above') !== rate.inverted;
  if (overflows(normal.period, parseNumber(find(given, '--hashlimit-burst')?.values[0]?.text ?? '5') ?? 5)) {
    return badValue(context, valueOf(rate), 'a higher rate or a smaller burst: the two together are more than the kernel can count');
  }
  const burst = burstText(find(given, '--hashlimit-burst'), bytes, context);
  const mode = modeText(find(given, '--hashlimit-mode'), context);
  const numbers = TABLE_NUMBERS.map((option) => tableNumber(find(given, option), context, normal.unit));
  const masks = ['--hashlimit-srcmask', '--hashlimit-dstmask'].map((option) => maskText(find(given, option), context));
  const rest = given.filter((g) => g.option.name.startsWith('--hashlimit-rate-')).map((g) => allText([g]));
  const parts = [`--hashlimit-${above ? 'above' : 'upto'} ${normal.rate}`, burst, mode, `--hashlimit-name ${quoteValue(valueOf(name).text)}`, ...rest, ...numbers, ...masks];
  return parts.includes(undefined) ? undefined : parts.filter((part) => part !== '').join(' ');
}

/** hashlimit_mt_check_common(): credits are 64 bits, and a day's worth of them is all. */
const CREDITS = (2n ** 64n - 1n) / 86_400n / BigInt(HASHLIMIT_SCALE);
const overflows = (period: number, burst: number): boolean => ((BigInt(period) * BigInt(burst) * CREDITS) & (2n ** 64n - 1n)) < BigInt(period) * CREDITS;

function burstText(given: Given | undefined, bytes: boolean, context: RuleContext): string | undefined {
  if (given === undefined) return bytes ? '' : '--hashlimit-burst 5';
  const word = valueOf(given);
  if (bytes) return /^\d+[kmg]?b$/i.test(word.text) ? `--hashlimit-burst ${word.text.toLowerCase()}` : badValue(context, word, 'a number of bytes such as 1mb');
  const n = readNumber(context, word, 1, 1_000_000);
  return n === undefined ? undefined : `--hashlimit-burst ${n}`;
}

function modeText(given: Given | undefined, context: RuleContext): string | undefined {
  if (given === undefined) return '';
  const wanted = valueOf(given).text.split(',');
  if (wanted.some((w) => !MODES.includes(w))) return badValue(context, valueOf(given), `a list with commas out of ${MODES.join(', ')}`);
  return `--hashlimit-mode ${MODES.filter((m) => wanted.includes(m)).join(',')}`;
}

/** What has its default is not printed: a second between two clean-ups, and the rate's own unit until an entry expires. */
function tableNumber(given: Given | undefined, context: RuleContext, unit: Unit | null): string | undefined {
  if (given === undefined) return '';
  const n = readNumber(context, valueOf(given), 0, 0xffff_ffff);
  if (n === undefined) return undefined;
  const initially: Readonly<Record<string, number>> = { '--hashlimit-htable-gcinterval': 1_000, '--hashlimit-htable-expire': (unit?.seconds ?? 1) * 1_000 };
  return n === (initially[given.option.name] ?? 0) ? '' : `${given.option.name} ${n}`;
}

function maskText(given: Given | undefined, context: RuleContext): string | undefined {
  if (given === undefined) return '';
  const bits = parseNumber(valueOf(given).text);
  if (bits === undefined || bits > bitsOf(context.family)) return badValue(context, valueOf(given), `a prefix length from 0 to ${bitsOf(context.family)}`);
  return bits === bitsOf(context.family) ? '' : `${given.option.name} ${bits}`;
}

export const RATE_MATCHES: readonly MatchModule[] = [limit, hashlimit];
