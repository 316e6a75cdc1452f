import { inflateRawSync } from 'node:zlib';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Diagnostic } from 'vscode-languageserver';
import { startClient } from './client.ts';
import type { TestClient } from './client.ts';

const URI = 'file:///cluster/article.k8snet';
const ARTICLE = readFileSync('examples/article.k8snet', 'utf8');

/** Line and character of a text in the article's file, from 0. */
function place(text: string): { readonly line: number; readonly character: number } {
  const before = ARTICLE.slice(0, ARTICLE.indexOf(text));
  return { line: before.split('\n').length - 1, character: before.length - before.lastIndexOf('\n') - 1 };
}

describe('the language server', () => {
  let client: TestClient;
  let version = 1;
  beforeEach(async () => {
    version = 1;
    client = await startClient({ pageUri: 'command:explain?{slug}' });
  });
  afterEach(async () => {
    await client.end();
    expect(client.errors).toEqual([]);
  });

  const change = (...contentChanges: readonly object[]): Promise<void> =>
    client.connection.sendNotification('textDocument/didChange', { textDocument: { uri: URI, version: ++version }, contentChanges });
  const replace = (text: string, by: string): object => {
    const start = place(text);
    return { range: { start, end: { line: start.line, character: start.character + text.length } }, text: by };
  };
  const errorsOf = (all: readonly Diagnostic[]): readonly Diagnostic[] => all.filter((d) => d.severity === 1);
  const published = (forVersion: number): Promise<readonly Diagnostic[]> =>
    vi.waitFor(() => {
      const last = client.published.filter((p) => p.version === forVersion).at(-1);
      expect(last).toBeDefined();
      return last!.diagnostics;
    });
  const ask = <R>(method: string, text: string, more: object = {}): Promise<R> =>
    client.connection.sendRequest<R>(method, { textDocument: { uri: URI }, position: place(text), ...more });

  test('publishes the article\'s one failing expectation, the excerpt that it was pasted from, and no error', async () => {
    await client.open(URI, ARTICLE);
    await vi.waitFor(() => { expect(client.published.at(-1)?.diagnostics).toHaveLength(2); }, 5000);
    expect(client.published.at(-1)?.diagnostics[0]?.range.start.line).toBe(place('expect pod1 -> qq.com').line);
  });

  test('publishes an error at its place as soon as it is typed, and takes it back', async () => {
    await client.open(URI, ARTICLE);
    await change(replace('kube-proxy', 'kube-prxoy'));
    const errors = errorsOf(await published(2));
    expect(errors).toHaveLength(1);
    const [error] = errors;
    expect(error?.range.start).toEqual(place('kube-proxy'));
    expect(error?.codeDescription?.href).toMatch(/^command:explain\?[a-z-]+$/);
    await change(replace('kube-proxy', 'kube-proxy'));
    expect(errorsOf(await published(3))).toEqual([]);
  });

  test('keeps the failing expectation in view while something else is typed', async () => {
    await client.open(URI, ARTICLE);
    await vi.waitFor(() => { expect(client.published.at(-1)?.diagnostics).toHaveLength(2); }, 5000);
    await change({ range: { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } }, text: '# a comment\n' });
    expect((await published(2)).map((d) => d.range.start.line)).toEqual([place('expect pod1 -> qq.com').line + 1, place('*nat').line + 1]);
  });

  test('understands several changes at once, each of the text that the one before left', async () => {
    await client.open(URI, ARTICLE);
    const edge = { line: 0, character: 0 };
    await change(replace('kube-proxy', 'kube-prxoy'), { range: { start: edge, end: edge }, text: '# one\n# two\n' });
    const errors = errorsOf(await published(2));
    expect(errors).toHaveLength(1);
    const [error] = errors;
    expect(error?.range.start).toEqual({ ...place('kube-proxy'), line: place('kube-proxy').line + 2 });
  });

  test('says when a version has been analysed, once the typing pauses', async () => {
    await client.open(URI, ARTICLE);
    await change(replace('demo', 'dem'));
    await change(replace('dem', 'de'));
    await vi.waitFor(() => { expect(client.changed).toEqual([{ uri: URI, version: 3 }]); }, 5000);
  });

  test('takes its diagnostics back when the file is closed, and then knows it no longer', async () => {
    await client.open(URI, ARTICLE);
    await client.connection.sendNotification('textDocument/didClose', { textDocument: { uri: URI } });
    await vi.waitFor(() => { expect(client.published.at(-1)).toEqual({ uri: URI, diagnostics: [] }); });
    expect(await ask('textDocument/documentSymbol', 'cluster')).toBeNull();
  });

  test('gives a lens to every pod, node, service and external, with what the command needs', async () => {
    await client.open(URI, ARTICLE);
    const lenses = await ask<{ command: { command: string; arguments: [{ kind: string; party: string }] } }[]>('textDocument/codeLens', 'cluster');
    expect(lenses).toHaveLength(8);
    expect(lenses.map((lens) => lens.command.arguments[0])).toContainEqual({ uri: URI, kind: 'service', party: 'kube-system/kube-dns' });
    expect(new Set(lenses.map((lens) => lens.command.command))).toEqual(new Set(['k8snet.traceTo']));
  });

  test('names the partners of a pod, kube-dns with its port among them', async () => {
    await client.open(URI, ARTICLE);
    const partners = await client.connection.sendRequest<{ party: string; role: string; partners: { to: string }[] }>('k8snet/partners', { uri: URI, kind: 'pod', party: 'default/pod1' });
    expect(partners.party).toBe('pod1');
    expect(partners.role).toBe('receiver');
    expect(partners.partners.map((partner) => partner.to)).toContain('kube-system/kube-dns:53/UDP');
  });

  test('names who can send and what can be sent to, with the kind where a name alone finds something else', async () => {
    await client.open(URI, `${ARTICLE}\nexternal pod1 203.0.113.9\n`);
    const { senders, receivers } = await client.connection.sendRequest<{ senders: { to: string }[]; receivers: { to: string }[] }>('k8snet/parties', { uri: URI });
    expect(senders.map((sender) => sender.to)).toEqual(['pod1', 'pod2', 'kube-system/kube-dns-1', 'host1', 'host2', 'host3', 'qq.com', 'external/pod1']);
    expect(receivers.map((receiver) => receiver.to)).toEqual(expect.arrayContaining(['kube-system/kube-dns:53/UDP', 'pod1', 'external/pod1:443/TCP']));
  });

  test('hands out what the newest version says', async () => {
    await client.open(URI, ARTICLE);
    const before = await client.connection.sendRequest<{ revision: number }>('k8snet/spec', { uri: URI });
    await change({ text: 'node only { }\n' });
    const answer = await client.connection.sendRequest<{ revision: number; said: string }>('k8snet/spec', { uri: URI });
    expect(answer.revision).toBeGreaterThan(before.revision);
    expect((JSON.parse(inflateRawSync(Buffer.from(answer.said, 'base64')).toString()) as { spec: { nodes: { name: string }[] } }).spec.nodes.map((node) => node.name)).toEqual(['only']);
  });

  test('answers hover, definition, references, completion, folding and formatting at positions', async () => {
    await client.open(URI, ARTICLE);
    const { line } = place('expect pod1 -> pod2');
    const at = (character: number): object => ({ textDocument: { uri: URI }, position: { line, character } });
    const hover = await client.connection.sendRequest<{ contents: { value: string } }>('textDocument/hover', at(8));
    expect(hover.contents.value).toContain('pod1');
    const definition = await client.connection.sendRequest<{ range: { start: object } }[]>('textDocument/definition', at(8));
    expect(definition.map((d) => d.range.start)).toEqual([{ line: place('pod pod1 on').line, character: 4 }]);
    const references = await client.connection.sendRequest<object[]>('textDocument/references', { ...at(8), context: { includeDeclaration: true } });
    const uses = await client.connection.sendRequest<object[]>('textDocument/references', { ...at(8), context: { includeDeclaration: false } });
    expect(references).toHaveLength(5);
    expect(uses).toHaveLength(4);
    const completion = await client.connection.sendRequest<{ label: string; textEdit: object }[]>('textDocument/completion', at(7));
    expect(completion.map((item) => item.label)).toContain('pod2');
    const folding = await ask<{ startLine: number; endLine: number }[]>('textDocument/foldingRange', 'cluster');
    expect(folding).toContainEqual({ startLine: 0, endLine: 5 });
    expect(await ask('textDocument/formatting', 'cluster', { options: { tabSize: 2, insertSpaces: true } })).toEqual([]);
  });

  test('offers the repair of the failing expectation: rules that belong into the captured table', async () => {
    await client.open(URI, ARTICLE);
    await vi.waitFor(() => { expect(client.published.at(-1)?.diagnostics).toHaveLength(2); }, 5000);
    const range = client.published.at(-1)!.diagnostics[0]!.range;
    const actions = await ask<{ kind: string; diagnostics: object[]; isPreferred: boolean }[]>('textDocument/codeAction', 'cluster', { range, context: { diagnostics: [] } });
    expect(actions).toHaveLength(1);
    expect(actions[0]).toMatchObject({ kind: 'quickfix', isPreferred: true });
    expect(actions[0]!.diagnostics).toHaveLength(1);
    const resolved = await client.connection.sendRequest<{ edit: { documentChanges: { textDocument: object; edits: { newText: string; range: { start: { line: number } } }[] }[] } }>('codeAction/resolve', actions[0]!);
    const [{ textDocument, edits }] = resolved.edit.documentChanges as [typeof resolved.edit.documentChanges[0]];
    expect(textDocument).toEqual({ uri: URI, version: 1 });
    expect(edits.map((edit) => edit.newText).join('')).toContain('MASQUERADE');
    for (const edit of edits) expect(edit.range.start.line).toBeGreaterThan(place('*nat').line);
  });

  test('has no edits for a fix that was offered before the file changed', async () => {
    await client.open(URI, ARTICLE.replace('kube-proxy', 'kube-prxoy'));
    const { line } = place('kube-proxy');
    const [action] = await client.connection.sendRequest<object[]>('textDocument/codeAction', { textDocument: { uri: URI }, range: { start: { line, character: 2 }, end: { line, character: 2 } }, context: { diagnostics: [] } });
    expect(await client.connection.sendRequest('codeAction/resolve', action!)).toHaveProperty('edit');
    await change({ range: { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } }, text: '# one line more\n' });
    expect(await client.connection.sendRequest('codeAction/resolve', action!)).not.toHaveProperty('edit');
  });
});
