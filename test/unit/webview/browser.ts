/** The panel in a real browser, under the content policy of the editor's page. */
import { existsSync } from 'node:fs';
import { chromium, type Browser, type Page } from 'playwright-core';
import type { Question } from '../../../webview/src/protocol.ts';
import type { Topology } from '../../../engine/src/topology/model.ts';
import type { Flow } from '../../../engine/src/trace/flow.ts';
import type { Trace } from '../../../engine/src/trace/model.ts';
// @ts-expect-error the development server is plain JavaScript
import { bundleOnce, serve } from '../../../webview/dev/serve.mjs';

export interface Scenario {
  readonly file: string;
  readonly question: Question;
  readonly topology?: Topology;
  readonly flow?: Flow;
  readonly trace?: Trace;
}

export type Theme = 'light' | 'dark' | 'high-contrast';

export interface Opened {
  readonly page: Page;
  /** What the page complained of: exceptions, and refusals of its content policy. */
  readonly complaints: string[];
}

export interface Stage {
  open(scenario: string, theme: Theme, width: number): Promise<Opened>;
  close(): Promise<void>;
}

const CHROMIUM = process.env['CHROMIUM'] ?? ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => existsSync(path));

type Serve = (port: number, scenarios: unknown, script: unknown) => Promise<{ url: string; close: () => Promise<void> }>;

const FLAGS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
];

export async function stage(scenarios: Readonly<Record<string, Scenario>>): Promise<Stage> {
  if (CHROMIUM === undefined) throw new Error('The panel is tested in Chromium: apt-get install chromium, or name one in CHROMIUM.');
  const server = await (serve as Serve)(0, scenarios, (bundleOnce as () => unknown)());
  const browser: Browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  return {
    async open(scenario, theme, width) {
      const page = await browser.newPage({ viewport: { width, height: 900 }, reducedMotion: 'reduce' });
      const complaints: string[] = [];
      page.on('pageerror', (error) => { complaints.push(error.message); });
      page.on('console', (message) => { if (message.type() === 'error' && !message.text().includes('404')) complaints.push(message.text()); });
      await page.goto(`${server.url}?scenario=${scenario}&theme=${theme}`);
      await page.locator('k8snet-panel header').waitFor();
      return { page, complaints };
    },
    async close() {
      await browser.close();
      await server.close();
    },
  };
}

/** What the editor received since the page was opened. */
export const postedBy = (page: Page): Promise<readonly { readonly type: string }[]> =>
  page.evaluate(() => (globalThis as unknown as { panel: { posted: { type: string }[] } }).panel.posted);

/** A message of the editor, or of whoever else. */
export const post = (page: Page, message: unknown): Promise<void> =>
  page.evaluate((data) => { window.postMessage(data, '*'); return new Promise<void>((done) => { setTimeout(done, 100); }); }, message);
