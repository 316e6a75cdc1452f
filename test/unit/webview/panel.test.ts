import { readFileSync } from 'node:fs';
import axe from 'axe-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Branch } from '../../../engine/src/trace/model.ts';
import { post, postedBy, stage, type Scenario, type Stage, type Theme } from './browser.ts';
import { articleCluster, bridgedBranch, droppedBranch, FILE, flow, outsideBranch, secondDroppedBranch, serviceBranch, traceOf } from './fixture.ts';

const topology = articleCluster();
const question = { from: 'pod1', to: 'kube-dns.kube-system:53/UDP' };
const scenario = (...branches: readonly Branch[]): Scenario => ({ file: FILE, topology, question, flow: flow(), trace: traceOf(...branches) });

const half = { ...serviceBranch(), probability: 0.5 };
const supposingBranch: Branch = { ...droppedBranch(), probability: 0, supposing: ['the limit of `-A FORWARD -m limit --limit 5/min -j ACCEPT` on host1 is used up'] };
let panels: Stage;
beforeAll(async () => {
  panels = await stage({ service: scenario(serviceBranch()), branches: scenario(droppedBranch(), half), outside: scenario(outsideBranch()), bridged: scenario(bridgedBranch()), second: scenario(secondDroppedBranch()), supposing: scenario(serviceBranch(), supposingBranch) });
}, 60_000);
afterAll(() => panels.close());

const themes: readonly Theme[] = ['light', 'dark', 'high-contrast'];

describe.each(themes)('in the %s theme', (theme) => {
  test.each([[320, 'branches'], [1400, 'branches'], [320, 'second'], [1400, 'second'], [320, 'supposing'], [1400, 'supposing']] as const)('nothing serious is found by axe, and nothing is refused by the content policy, at %i pixels: %s', async (width, name) => {
    const { page, complaints } = await panels.open(name, theme, width);
    await page.locator('#hop-2 .row').click();
    if (name === 'supposing') await page.getByRole('tab').last().click();
    if (process.env['SHOTS'] !== undefined) await page.screenshot({ path: `${process.env['SHOTS']}/${name}-${theme}-${width}.png`, fullPage: true });
    await page.evaluate(axe.source);
    const { violations } = await page.evaluate(() => (globalThis as unknown as { axe: typeof axe }).axe.run(document, { resultTypes: ['violations'] }));
    const serious = violations.filter((v) => v.impact === 'serious' || v.impact === 'critical');
    expect(serious.map((v) => `${v.id}: ${v.nodes.map((n) => `${n.html.slice(0, 120)} ${n.failureSummary ?? ''}`).join('\n')}`)).toEqual([]);
    expect(complaints).toEqual([]);
    await page.close();
  });
});

test.each(themes)('the reply\'s line is no paler than the request\'s, though the %s theme\'s orange may be', async (theme) => {
  const { page } = await panels.open('service', theme, 1400);
  const alphas = await page.locator('.way .line').evaluateAll((lines) => lines.map((line) => {
    const canvas = new OffscreenCanvas(1, 1).getContext('2d');
    if (canvas === null) return 0;
    canvas.fillStyle = getComputedStyle(line).stroke;
    canvas.fillRect(0, 0, 1, 1);
    return canvas.getImageData(0, 0, 1, 1).data[3];
  }));
  expect(alphas.length).toBeGreaterThanOrEqual(2);
  expect(new Set(alphas)).toEqual(new Set([255]));
  await page.close();
});

test.each(['service', 'outside', 'bridged', 'branches', 'second', 'supposing'])('the page never scrolls sideways, from 300 to 1600 pixels: %s', async (name) => {
  const { page } = await panels.open(name, 'light', 1600);
  for (const width of [1600, 1100, 760, 480, 300]) {
    await page.setViewportSize({ width, height: 900 });
    await page.waitForTimeout(50);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
  }
  await page.close();
});

test('a click on a number in the picture selects the hop, opens it and asks the editor for its line', async () => {
  const { page } = await panels.open('service', 'light', 1400);
  await page.locator('.badge[data-hop="2"]').click();
  expect(await page.locator('#hop-2 .row').getAttribute('aria-expanded')).toBe('true');
  expect((await postedBy(page)).filter((m) => m.type === 'reveal')).toEqual([{ type: 'reveal', file: FILE, line: 28 }]);
  const opened = (await page.locator('#hop-2 k8snet-steps li').allInnerTexts()).join('\n');
  for (const chain of ['PREROUTING', 'KUBE-SERVICES', 'KUBE-SVC-TCOU7JCQXEZGVUNU', 'KUBE-SEP-L5MHPWJPDKD7XIFG', '--to-destination 10.0.0.46:53']) expect(opened).toContain(chain);
  await page.close();
});

test('a click on a step, or Enter on its link, asks the editor for its line', async () => {
  const { page } = await panels.open('service', 'light', 1400);
  await page.locator('#hop-2 .row').click();
  await page.locator('#hop-2 k8snet-steps code', { hasText: '-j KUBE-SERVICES' }).click();
  await page.getByRole('button', { name: `${FILE}:27` }).press('Enter');
  expect((await postedBy(page)).filter((m) => m.type === 'reveal').map((m) => (m as unknown as { line: number }).line)).toEqual([28, 25, 27]);
  await page.close();
});

test('what changed since the hop before is marked in words', async () => {
  const { page } = await panels.open('service', 'light', 1400);
  await page.locator('#hop-3 .row').click();
  expect(await page.locator('#hop-3 ins').allInnerTexts()).toEqual(['10.0.0.46']);
  expect(await page.locator('#hop-3 del').getAttribute('aria-label')).toBe('was 10.16.0.10');
  await page.close();
});

test('the keyboard walks the hops: arrows move, Enter goes to the line, Escape closes', async () => {
  const { page } = await panels.open('service', 'light', 1400);
  await page.locator('#hop-1 .row').focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  expect((await postedBy(page)).at(-1)).toEqual({ type: 'reveal', file: FILE, line: 18 });
  await page.keyboard.press('ArrowRight');
  expect(await page.locator('#hop-3 .row').getAttribute('aria-expanded')).toBe('true');
  await page.keyboard.press('Escape');
  expect(await page.locator('#hop-3 .row').getAttribute('aria-expanded')).toBe('false');
  await page.close();
});

test("the cursor's line marks its hops in picture and list", async () => {
  const { page } = await panels.open('service', 'light', 1400);
  await post(page, { type: 'cursor', file: FILE, line: 28 });
  expect(await page.locator('k8snet-hop[marked]').evaluateAll((rows) => rows.map((row) => row.id))).toEqual(['hop-2', 'hop-17']);
  expect(await page.locator('.badge.marked').evaluateAll((badges) => badges.map((badge) => badge.getAttribute('data-hop')))).toEqual(['2', '17']);
  await page.close();
});

test("the list scrolls to the cursor's hops, but not away from a chosen hop that is among them", async () => {
  const { page } = await panels.open('service', 'light', 1400);
  await page.setViewportSize({ width: 1400, height: 400 });
  await page.locator('#hop-17 .row').click();
  const before = await page.evaluate(() => scrollY);
  await post(page, { type: 'cursor', file: FILE, line: 28 });
  expect(await page.evaluate(() => scrollY)).toBe(before);
  await post(page, { type: 'cursor', file: FILE, line: 38 });
  expect(await page.evaluate(() => scrollY)).toBeLessThan(before);
  await page.close();
});

test('hovering a row lights its number in the picture', async () => {
  const { page } = await panels.open('service', 'light', 1400);
  await page.locator('#hop-5 .row').hover();
  expect(await page.locator('.badge.hovered').getAttribute('data-hop')).toBe('5');
  await page.close();
});

test('a tab shows the other branch', async () => {
  const { page } = await panels.open('branches', 'light', 800);
  expect(await page.locator('h2').innerText()).toBe('Dropped.');
  await page.getByRole('tab', { name: /kube-dns-1/ }).click();
  expect(await page.locator('h2').innerText()).toBe('Delivered to pod kube-system/kube-dns-1 at 10.0.0.46:53.');
  await page.close();
});

test('the second packet is a journey of its own: told with the end, stepped through, numbered on behind the reply', async () => {
  const { page } = await panels.open('second', 'light', 1400);
  expect(await page.getByRole('status').first().innerText()).toContain('The second packet fares otherwise: it is dropped. The policy of the chain FORWARD on host1 drops the packet. policy-drop');
  expect((await page.getByRole('heading', { level: 3 }).allInnerTexts()).map((text) => text.replace('\n', ' '))).toEqual(['Request delivered', 'Reply delivered', 'Second packet dropped']);
  await page.locator('#hop-20 .row').focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowRight');
  expect(await page.locator('#hop-23 k8snet-steps li').first().innerText()).toContain('drops the packet');
  await page.locator('.badge[data-hop="22"]').click();
  expect((await postedBy(page)).at(-1)).toEqual({ type: 'reveal', file: FILE, line: 28 });
  expect(await page.locator('.badge[data-hop="22"]').getAttribute('aria-label')).toContain('Hop 22, second packet: ');
  expect(await page.getByRole('img', { name: /^second packet: dropped/ }).count()).toBe(1);
  expect(await page.locator('.legend').innerText()).toContain('second packet');
  await page.close();
});

test('a branch that supposes something says what, on its tab and below its end', async () => {
  const { page } = await panels.open('supposing', 'light', 1000);
  await page.getByRole('tab', { name: 'Dropped if the limit of -A FORWARD -m limit --limit 5/min -j ACCEPT on host1 is used up' }).click();
  expect(await page.getByRole('status').first().innerText()).toContain('This is so if the limit of -A FORWARD -m limit --limit 5/min -j ACCEPT on host1 is used up.');
  await page.close();
});

test('an edit of the file keeps what is open; foreign messages change nothing', async () => {
  const { page, complaints } = await panels.open('service', 'light', 1400);
  await page.locator('#hop-4 .row').click();
  for (const message of [null, { type: 'show' }, 'text', { type: 'show', file: FILE, revision: 2, said: '{}', question }]) await post(page, message);
  expect(await page.locator('#hop-4 .row').getAttribute('aria-expanded')).toBe('true');
  expect(complaints).toEqual([]);
  await page.close();
});

test('a reload of the page keeps the selection', async () => {
  const { page } = await panels.open('service', 'light', 1400);
  await page.locator('#hop-4 .row').click();
  await page.reload();
  await page.locator('k8snet-hop[selected]').waitFor();
  expect(await page.locator('k8snet-hop[selected]').getAttribute('id')).toBe('hop-4');
  await page.close();
});

test('a field offers what begins with the typed text, and Enter asks', async () => {
  const { page } = await panels.open('service', 'light', 1400);
  const from = page.getByRole('combobox', { name: 'from' });
  await from.fill('pod');
  await page.getByRole('option').first().waitFor();
  expect(await page.getByRole('option').allInnerTexts()).toEqual([expect.stringContaining('pod1'), expect.stringContaining('pod2')]);
  await from.press('ArrowDown');
  await from.press('ArrowDown');
  await from.press('Enter');
  expect((await postedBy(page)).filter((m) => m.type === 'asked').at(-1)).toEqual({ type: 'asked', question: { from: 'pod2', to: question.to } });
  await page.close();
});

test('the capture is posted as a pcapng', async () => {
  const { page } = await panels.open('service', 'light', 1400);
  await page.getByRole('button', { name: 'Save capture' }).click();
  const saved = (await postedBy(page)).at(-1) as unknown as { type: string; name: string; base64: string };
  expect(saved.type).toBe('save');
  expect(saved.name).toBe('pod1-to-kube-dns.kube-system-53-UDP.pcapng');
  // The magic of a section header block, in either byte order.
  expect(Buffer.from(saved.base64, 'base64').subarray(0, 4).toString('hex')).toBe('0a0d0d0a');
  await page.close();
});

describe("with the simulator itself, on the article's file", () => {
  const text = readFileSync(new URL('../../../examples/article.k8snet', import.meta.url), 'utf8').split('\n');
  const lineOf = (part: string): number => text.findIndex((line) => line.includes(part)) + 1;

  test('the way to kube-dns shows the four chains and the DNAT, and leads to its line', async () => {
    const { page, complaints } = await panels.open('dns', 'dark', 1400);
    expect(await page.locator('h2').innerText()).toBe('Delivered to pod kube-system/kube-dns-1 at 10.0.0.46:53.');
    await page.locator('text.note', { hasText: 'DNAT → 10.0.0.46:53' }).first().click();
    const opened = (await page.locator('k8snet-hop[selected] k8snet-steps li').allInnerTexts()).join('\n');
    for (const chain of ['PREROUTING', 'KUBE-SERVICES', 'KUBE-SVC-TCOU7JCQXEZGVUNU', 'KUBE-SEP-L5MHPWJPDKD7XIFG', 'DNAT']) expect(opened).toContain(chain);
    expect((await postedBy(page)).at(-1)).toEqual({ type: 'reveal', file: 'examples/article.k8snet', line: lineOf('-A KUBE-SEP-L5MHPWJPDKD7XIFG') });
    expect(complaints).toEqual([]);
    await page.close();
  });

  test('the lines that took part carry notes', async () => {
    const { page } = await panels.open('dns', 'dark', 1400);
    const posted = (await postedBy(page)).at(-1) as unknown as { type: string; annotations: { line: number; note: string }[] };
    const notes = new Map(posted.annotations.map(({ line, note }) => [line, note]));
    expect(notes.get(lineOf('-A KUBE-SEP-L5MHPWJPDKD7XIFG'))).toContain('DNAT → 10.0.0.46:53');
    expect(notes.get(lineOf('10.0.0.0/16 dev flannel.1'))).toBe('→ flannel.1');
    await page.close();
  });

  test('a name that nobody has keeps the last picture, dimmed, and offers others', async () => {
    const { page, complaints } = await panels.open('ping', 'light', 1000);
    const to = page.getByRole('combobox', { name: 'to' });
    await to.fill('pod9');
    await to.press('Enter');
    expect(await page.getByRole('alert').innerText()).toContain('pod9');
    expect(await page.locator('main').getAttribute('class')).toContain('stale');
    await page.getByRole('alert').getByRole('button').first().click();
    await page.getByRole('alert').waitFor({ state: 'detached' });
    expect(complaints).toEqual([]);
    await page.close();
  });

  test('a question that nobody can answer at the start is a message, not an empty page', async () => {
    const { page } = await panels.open('nobody', 'light', 1000);
    expect(await page.getByRole('alert').innerText()).toContain('pod9');
    await page.close();
  });
});

describe('a packet that does not arrive', () => {
  test.each(themes.flatMap((theme) => [320, 1400].map((width) => [theme, width] as const)))('has its cause and repairs, readable for all, in the %s theme at %i pixels', async (theme, width) => {
    const { page, complaints } = await panels.open('dropped', theme, width);
    const why = page.getByRole('region', { name: 'Why, and what mends it' });
    await why.waitFor();
    if (process.env['SHOTS'] !== undefined) await page.screenshot({ path: `${process.env['SHOTS']}/why-${theme}-${width}.png` });
    expect(await why.innerText()).toContain('host2 has the rule -A FORWARD -s 10.244.1.10/32 -j DROP');
    await page.evaluate(axe.source);
    const { violations } = await page.evaluate(() => (globalThis as unknown as { axe: typeof axe }).axe.run(document, { resultTypes: ['violations'] }));
    const serious = violations.filter((v) => v.impact === 'serious' || v.impact === 'critical');
    expect(serious.map((v) => `${v.id}: ${v.nodes.map((n) => `${n.html.slice(0, 120)} ${n.failureSummary ?? ''}`).join('\n')}`)).toEqual([]);
    expect(await why.evaluate((element) => element.scrollWidth - element.clientWidth)).toBeLessThanOrEqual(0);
    expect(complaints).toEqual([]);
    await page.close();
  });

  test('leads to the line of the cause, and asks the editor to apply a repair', async () => {
    const { page } = await panels.open('dropped', 'dark', 1000);
    const why = page.getByRole('region', { name: 'Why, and what mends it' });
    await why.getByRole('button', { name: 'examples/broken/drop-rule.k8snet:14' }).first().click();
    expect((await postedBy(page)).at(-1)).toEqual({ type: 'reveal', file: 'examples/broken/drop-rule.k8snet', line: 14 });
    await why.getByRole('button', { name: /^Apply: Remove the rule/ }).click();
    expect((await postedBy(page)).at(-1)).toMatchObject({ type: 'apply', revision: 1, repair: { edits: [{ kind: 'lines', block: 'iptables', table: 'filter', remove: [{ line: 14 }], add: [] }] } });
    await page.close();
  });

  test('is reached by the Tab key alone: its line, then what applies a repair', async () => {
    const { page } = await panels.open('dropped', 'light', 1000);
    await page.getByRole('region', { name: 'Why, and what mends it' }).waitFor();
    await page.getByRole('combobox', { name: 'to' }).focus();
    const focused = (): Promise<string> => page.evaluate(() => {
      let at = document.activeElement;
      for (let inner = at; inner !== null; inner = inner.shadowRoot?.activeElement ?? null) at = inner;
      return at?.getAttribute('aria-label') ?? at?.textContent ?? '';
    });
    const passed: string[] = [];
    for (let i = 0; i < 12 && !(passed.at(-1) ?? '').startsWith('Apply: '); i++) {
      await page.keyboard.press('Tab');
      passed.push(await focused());
    }
    expect(passed).toContain('examples/broken/drop-rule.k8snet:14');
    expect(passed.at(-1)).toMatch(/^Apply: Remove the rule/);
    await page.keyboard.press('Enter');
    expect((await postedBy(page)).at(-1)).toMatchObject({ type: 'apply', revision: 1 });
    await page.close();
  });

  test('of several causes has them in order', async () => {
    const { page } = await panels.open('two-causes', 'light', 1000);
    const why = page.getByRole('region', { name: 'Why, and what mends it' });
    await why.waitFor();
    if (process.env['SHOTS'] !== undefined) await page.screenshot({ path: `${process.env['SHOTS']}/two-causes.png` });
    expect(await why.getByRole('heading').first().innerText()).toBe('Why: 2 causes, one behind the other');
    const causes = await why.locator('ol > li').allInnerTexts();
    expect(causes[0]).toContain('lack flannel\'s route');
    expect(causes[1]).toContain('-j DROP');
    await page.close();
  });
});
