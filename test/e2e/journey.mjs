// A person's way through the packaged extension, in a real browser: open the article's file, plant an error, see it in
// Problems, mend it, trace pod1 to kube-dns, read the chains and the DNAT, click a hop, land on its line.
// UPDATE_SCREENSHOTS=1 keeps the panel's picture for the README.
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { openWindow } from '../../scripts/editor-host/browser.mjs';
import { hostPaths } from '../../scripts/editor-host/install.mjs';
import { address, serve } from '../../scripts/editor-host/serve.mjs';
import { run } from '../../scripts/setup/step.mjs';

const WATCHDOG_MS = 180_000;
const STEP_MS = 30_000;
/** At most, in pixels. */
const LENS_HEIGHT = 24;
const CHAINS = ['PREROUTING', 'KUBE-SERVICES', 'KUBE-SVC-TCOU7JCQXEZGVUNU', 'KUBE-SEP-L5MHPWJPDKD7XIFG'];

const root = path.resolve(import.meta.dirname, '../..');
const shots = path.join(root, '.cache/e2e');
const { name, version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
const source = readFileSync(path.join(root, 'examples/article.k8snet'), 'utf8');
const lineOf = (text) => source.slice(0, source.indexOf(text)).split('\n').length;

/** The editor's extensions folder with the package in it, installed as a person installs it. */
async function install(base) {
  const { node, vscode } = hostPaths(root);
  await run(node, [
    path.join(vscode, 'out/server-main.js'), '--accept-server-license-terms', '--install-extension', path.join(root, `${name}-${version}.vsix`),
    '--extensions-dir', path.join(base, 'extensions'), '--server-data-dir', path.join(base, 'server'), '--user-data-dir', path.join(base, 'data'),
  ], { wayOut: 'Make the package first: npm run package' });
}

const panelOf = (page) => page.frameLocator('iframe.webview.ready').frameLocator('iframe#active-frame');

/** Types a line number into "Go to Line", which needs no line to be in view. */
async function goTo(page, line) {
  await page.keyboard.press('Control+g');
  await page.locator('.quick-input-widget input').fill(`:${line}`);
  await page.locator('.quick-input-widget .monaco-list-row', { hasText: `line ${line}` }).waitFor();
  await page.keyboard.press('Enter');
  await page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
  await page.locator('.statusbar-item', { hasText: `Ln ${line},` }).waitFor();
}

/** The lens on the line above a declaration; lenses and lines are laid out apart from each other, so only their places tell. */
async function lensAbove(page, declaration) {
  const end = Date.now() + STEP_MS;
  while (Date.now() < end) {
    const line = await page.locator('.view-line', { hasText: declaration }).boundingBox({ timeout: 1000 }).catch(() => null);
    for (const lens of await page.locator('.codelens-decoration a', { hasText: 'Trace to…' }).all()) {
      const box = await lens.boundingBox({ timeout: 1000 }).catch(() => null);
      const gap = line === null || box === null ? -1 : line.y - box.y;
      if (gap > 0 && gap < LENS_HEIGHT) return lens;
    }
    await page.waitForTimeout(200);
  }
  throw new Error(`no lens above ${declaration}`);
}

const focusEditor = (page) => page.locator('.editor-group-container .monaco-editor').first().click({ position: { x: 300, y: 8 } });

/** Both run in the page. A note is the content that a line's last part has behind it. */
const hasNote = (text) => [...document.querySelectorAll('.view-lines .view-line span')].some((span) => getComputedStyle(span, '::after').content.includes(text));
const hasNoNote = (text) => ![...document.querySelectorAll('.view-lines .view-line span')].some((span) => getComputedStyle(span, '::after').content.includes(text));

/** The journey, step by step; each is a test. */
const steps = {
  'the article\'s file opens, with "Trace to…" above its parts': async ({ page }) => {
    await page.locator('.tab[data-resource-name="article.k8snet"]').waitFor();
    await page.locator('.codelens-decoration a', { hasText: 'Trace to…' }).first().waitFor();
    await page.keyboard.press('Control+b');
  },
  'a planted error is underlined and stands in Problems': async ({ page }) => {
    await focusEditor(page);
    await goTo(page, lineOf('  service-cidr'));
    await page.keyboard.press('End');
    await page.keyboard.press('Enter');
    await page.keyboard.type('service-cird 10.17.0.0/16');
    await page.locator('.squiggly-error').first().waitFor();
    await page.keyboard.press('Control+Shift+M');
    await page.locator('.markers-panel .monaco-list-row', { hasText: 'service-cird' }).waitFor();
  },
  'mended, it goes from Problems': async ({ page }) => {
    const row = page.locator('.markers-panel .monaco-list-row', { hasText: 'service-cird' });
    // Not in the middle of the row, where its code is a link to the diagnostic's page.
    await row.click({ position: { x: 60, y: 8 } });
    await page.locator('.statusbar-item', { hasText: `Ln ${lineOf('  service-cidr') + 1},` }).waitFor();
    await page.keyboard.press('Control+1');
    await page.locator('.editor-instance .monaco-editor.focused').waitFor();
    await page.keyboard.press('Control+Shift+k');
    await row.waitFor({ state: 'detached' });
    await page.locator('.squiggly-error').first().waitFor({ state: 'detached' });
    await page.keyboard.press('Control+j');
  },
  'the lens of pod1 offers kube-dns, and the panel opens beside without taking the focus': async ({ page }) => {
    await goTo(page, lineOf('pod pod1 on host1'));
    await (await lensAbove(page, /pod\s+pod1\s+on\s+host1/)).click();
    await page.locator('.quick-input-widget .quick-input-list .monaco-list-row', { hasText: 'kube-dns' }).first().waitFor();
    await page.keyboard.type('kube-system/kube-dns:53');
    await page.locator('.quick-input-widget .quick-input-list .monaco-list-row', { hasText: 'kube-dns' }).first().click();
    await page.locator('.tab', { hasText: 'Trace: pod1' }).waitFor();
    assert.equal(await page.locator('.editor-group-container.active .tab.active').getAttribute('data-resource-name'), 'article.k8snet');
  },
  'the panel shows where the packet went': async ({ page }) => {
    await panelOf(page).getByText('kube-system/kube-dns-1').first().waitFor();
    assert.ok((await panelOf(page).locator('k8snet-hop').count()) >= 6);
  },
  'the lines that took part carry their hop numbers': async ({ page, keep }) => {
    await goTo(page, lineOf('-A KUBE-SEP-L5MHPWJPDKD7XIFG'));
    await page.waitForFunction(hasNote, '② DNAT → 10.0.0.46:53');
    await keep();
  },
  'the hop on cni0 names the four chains and the DNAT': async ({ page }) => {
    const hop = panelOf(page).locator('k8snet-hop', { hasText: 'DNAT' }).first();
    await hop.locator('.row').click();
    for (const chain of CHAINS) await hop.locator('k8snet-steps').getByText(`-A ${chain} `).first().waitFor();
    await hop.locator('k8snet-steps').getByText('10.0.0.46:53').first().waitFor();
  },
  'a click on a step lands on the line that caused it': async ({ page }) => {
    const step = panelOf(page).locator('k8snet-hop', { hasText: 'DNAT' }).first().locator('k8snet-steps').getByText(`article.k8snet:${lineOf('-A KUBE-SEP-L5MHPWJPDKD7XIFG')}`).first();
    await goTo(page, 1);
    await step.click();
    await page.locator('.statusbar-item', { hasText: `Ln ${lineOf('-A KUBE-SEP-L5MHPWJPDKD7XIFG')},` }).waitFor();
  },
  'the panel survives a reload of the window, and so do the notes': async ({ page }) => {
    // The command, not the browser's own reload, which gives the workbench no time to save its layout.
    await page.keyboard.press('F1');
    await page.locator('.quick-input-widget input').fill('>Developer: Reload Window');
    await page.locator('.quick-input-widget .monaco-list-row', { hasText: 'Reload Window' }).first().waitFor();
    const reloaded = page.waitForEvent('load');
    await page.keyboard.press('Enter');
    await reloaded;
    await page.locator('.tab', { hasText: 'Trace: pod1' }).waitFor();
    await panelOf(page).locator('k8snet-hop').first().waitFor();
    await page.waitForFunction(hasNote, '② DNAT → 10.0.0.46:53');
  },
  'a packet whose answer is lost has its cause, and a repair that is tried': async ({ page }) => {
    const to = panelOf(page).getByRole('combobox', { name: 'to' });
    await to.fill('qq.com:443/TCP');
    await to.press('Enter');
    const why = panelOf(page).getByRole('region', { name: 'Why, and what mends it' });
    await why.getByText('lacks flannel\'s rules for the masquerading of host1\'s pods').waitFor();
    await why.getByRole('button', { name: /^Apply: Add flannel's rules/ }).waitFor();
  },
  'the repair is applied in the file, and the answer arrives': async ({ page }) => {
    await panelOf(page).getByRole('button', { name: /^Apply: Add flannel's rules/ }).click();
    await panelOf(page).getByText(/^The receiver sees 192\.168\.93\.212:\d+ as the sender\. The reply arrives/).waitFor();
    await panelOf(page).getByRole('region', { name: 'Why, and what mends it' }).waitFor({ state: 'detached' });
    await page.locator('.view-line', { hasText: 'FLANNEL-POSTRTG' }).first().waitFor({ state: 'attached' });
  },
  'one undo takes the repair back, and the cause is there again': async ({ page }) => {
    await focusEditor(page);
    await page.keyboard.press('Control+z');
    await panelOf(page).getByRole('region', { name: 'Why, and what mends it' }).waitFor();
  },
  'the notes go when the panel closes': async ({ page }) => {
    await page.locator('.tab', { hasText: 'Trace: pod1' }).click({ button: 'middle' });
    await page.locator('.tab', { hasText: 'Trace: pod1' }).waitFor({ state: 'detached' });
    await page.waitForFunction(hasNoNote, 'DNAT →');
  },
};

async function walk(page) {
  let passed = 0;
  for (const [title, step] of Object.entries(steps)) {
    try {
      await step({ page, keep: () => keepPicture(page) });
    } catch (error) {
      console.log(`  ✗ ${title}\n${error.stack}`);
      await page.screenshot({ path: path.join(shots, 'journey-failed.png') });
      // The steps stand on each other: those behind a failed one have failed too.
      return { passed, failed: Object.keys(steps).length - passed };
    }
    passed++;
    console.log(`  ✓ ${title}`);
    await page.screenshot({ path: path.join(shots, `journey-${passed}.png`) });
  }
  return { passed, failed: 0 };
}

async function keepPicture(page) {
  if (process.env.UPDATE_SCREENSHOTS !== '1') return;
  mkdirSync(path.join(root, 'docs/images'), { recursive: true });
  // Scroll bars and hovers show while the mouse is near; away from it they fade.
  await page.mouse.move(700, 910);
  await page.waitForTimeout(1500);
  await page.screenshot({ path: path.join(root, 'docs/images/panel.png') });
}

mkdirSync(shots, { recursive: true });
const base = mkdtempSync(path.join(os.tmpdir(), 'k8snet-journey-'));
const workspace = path.join(base, 'workspace');
cpSync(path.join(root, 'examples'), workspace, { recursive: true });
let server;
let window;
let result = { passed: 0, failed: Object.keys(steps).length };
const watchdog = setTimeout(() => {
  void (async () => {
    await window?.page.screenshot({ path: path.join(shots, 'journey-timeout.png') }).catch(() => {});
    console.log(`  no end after ${WATCHDOG_MS / 1000} s\n0 passed, ${Object.keys(steps).length} failed`);
    await server?.stop();
    process.exit(1);
  })();
}, WATCHDOG_MS);
try {
  await install(base);
  server = await serve({ root, state: base });
  window = await openWindow();
  window.page.setDefaultTimeout(STEP_MS);
  await window.page.goto(address(server, { folder: workspace, file: path.join(workspace, 'article.k8snet') }));
  result = await walk(window.page);
} catch (error) {
  console.log(error.stack ?? error);
} finally {
  clearTimeout(watchdog);
  await window?.browser.close();
  await server?.stop();
  rmSync(base, { recursive: true, force: true, maxRetries: 5 });
}
console.log(`${result.passed} passed, ${result.failed} failed`);
process.exitCode = result.failed === 0 ? 0 : 1;
