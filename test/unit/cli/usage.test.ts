import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, cpSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { builtCli, root } from './built-cli.ts';

const cli = builtCli();

const SMALL = `network lan 192.168.93.0/24
node host1 { address 192.168.93.212/24 on lan; pod-cidr 10.244.1.0/24 }
pod a on host1 { ip 10.244.1.10 }
pod b on host1 { ip 10.244.1.11 }
`;

describe('k8snet', () => {
  it('helps on one screen, and says its version', () => {
    const help = cli.run(['--help']);
    expect(help).toMatchObject({ code: 0, err: '' });
    expect(help.out.split('\n').length).toBeLessThan(25);
    for (const command of ['check', 'trace', 'test', 'show', 'lab']) {
      expect(help.out).toContain(`k8snet ${command}`);
      const own = cli.run([command, '--help']);
      expect(own.code).toBe(0);
      expect(own.out).toContain(`k8snet ${command} FILE`);
      expect(own.out.split('\n').length).toBeLessThan(25);
      expect(Math.max(...own.out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(120);
    }
    const described = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { readonly version: string };
    expect(cli.run(['--version'])).toEqual({ code: 0, out: `${described.version}\n`, err: '' });
  });

  it.each([
    [[], 'k8snet check'],
    [['chek', 'a.k8snet'], 'did you mean \'check\'?'],
    [['--fast'], 'unknown option --fast'],
    [['check'], 'no file is named'],
    [['check', 'missing.k8snet'], 'cannot read missing.k8snet: there is no such file'],
    [['check', '.'], 'cannot read .: it is a folder'],
    [['check', 'small.k8snet', '--format', 'xml'], '--format is text or json, not "xml"'],
    [['check', 'small.k8snet', '--fast'], '--fast'],
    [['trace', 'small.k8snet'], '--from is missing'],
    [['trace', 'small.k8snet', '--from', 'a'], '--to is missing'],
    [['trace', 'small.k8snet', '--from', 'a', '--to'], '--to'],
    [['trace', 'small.k8snet', 'other.k8snet', '--from', 'a', '--to', 'b'], 'one file'],
    [['trace', 'small.k8snet', '--flows', 'f.jsonl', '--from', 'a'], '--flows stands for --from and --to'],
    [['trace', 'small.k8snet', '--flows', 'missing.jsonl'], 'cannot read missing.jsonl'],
    [['trace', 'missing.k8snet', '--from', 'a', '--to', 'b'], 'cannot read missing.k8snet'],
    [['trace', 'small.k8snet', '--from', 'a', '--to', 'b', '--pcap', 'no/such/folder.pcapng'], 'cannot write no/such/folder.pcapng'],
    [['test'], 'no file is named'],
    [['lab'], 'no file is named'],
    [['lab', 'small.k8snet', 'other.k8snet'], 'one file'],
    [['test', 'missing.k8snet'], 'cannot read missing.k8snet'],
    [['show', 'small.k8snet', 'host1'], 'routes, rules, neighbours, fdb, iptables, ip6tables'],
    [['show', 'small.k8snet', 'host1', 'route'], 'did you mean \'routes\'?'],
    [['show', 'small.k8snet', 'hots1', 'routes'], 'did you mean \'host1\'?'],
    [['show', 'small.k8snet', 'host1', 'routes', 'fdb'], 'are needed'],
  ])('%j is wrong usage: exit 2, and a way out on stderr', (args, message) => {
    cli.file('small.k8snet', SMALL);
    cli.file('f.jsonl', '');
    const result = cli.run(args);
    expect(result.err).toContain(message);
    expect(result).toMatchObject({ code: 2, out: '' });
  });

  it('names every file that cannot be read', () => {
    const { err, code } = cli.run(['check', 'one.k8snet', 'two.k8snet']);
    expect(code).toBe(2);
    expect(err).toContain('one.k8snet');
    expect(err).toContain('two.k8snet');
  });

  it('stays quiet when the reader of a long output goes away', () => {
    cli.file('small.k8snet', SMALL);
    cli.file('many.jsonl', '{"from":"a","to":"b"}\n'.repeat(300));
    const home = path.dirname(cli.folder);
    const piped = spawnSync('bash', ['-c', `"$0" cli/bin/k8snet.mjs trace work/small.k8snet --flows work/many.jsonl | head -c 100 > /dev/null`, process.execPath], { cwd: home, encoding: 'utf8', timeout: 20_000 });
    expect(piped.stderr).toBe('');
    expect(piped.status).toBe(0);
  });
});

describe('the k8snet wrapper', () => {
  const wrapper = path.join(root, 'cli/bin/k8snet.mjs');

  it('can be executed', () => {
    expect(execFileSync('test', ['-x', wrapper]).length).toBe(0);
  });

  it('says what to run where nothing is built', () => {
    const home = mkdtempSync(path.join(tmpdir(), 'k8snet-unbuilt-'));
    try {
      mkdirSync(path.join(home, 'cli/bin'), { recursive: true });
      cpSync(wrapper, path.join(home, 'cli/bin/k8snet.mjs'));
      const result = spawnSync(process.execPath, [path.join(home, 'cli/bin/k8snet.mjs'), '--help'], { encoding: 'utf8' });
      expect(result.status).toBe(2);
      expect(result.stderr).toContain('npm run build');
      expect(result.stderr).toContain(home);
    } finally {
      rmSync(home, { recursive: true });
    }
  });
});
