// The system's Chromium, as the window of the editor in tests.
import { chromium } from 'playwright-core';

const FLAGS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update',
  '--disable-sync',
];

/**
 * A page on which nothing leaves the machine. A webview's files come from *.vscode-cdn.net, which VS Code's own
 * service worker answers, so these pass.
 */
export async function openWindow() {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS });
  const context = await browser.newContext({ viewport: { width: 1720, height: 920 } });
  const outside = (url) => url.protocol.startsWith('http') && url.hostname !== '127.0.0.1' && !url.hostname.endsWith('.vscode-cdn.net');
  await context.route(outside, (route) => route.abort());
  return { browser, page: await context.newPage() };
}
