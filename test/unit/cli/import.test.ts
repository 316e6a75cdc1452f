import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { builtCli, root } from './built-cli.ts';

const cli = builtCli();

describe('k8snet import', () => {
  beforeAll(() => {
    cpSync(path.join(root, 'test/fixtures/recorded'), path.join(cli.folder, 'recorded dump'), { recursive: true });
    mkdirSync(path.join(cli.folder, 'empty'));
  });

  it('makes a file that is clean, beside the dumps or above them', () => {
    for (const file of ['recorded dump/cluster.k8snet', 'above.k8snet']) {
      const made = cli.run(['import', 'recorded dump', '-o', file]);
      expect(made.code).toBe(0);
      expect(made.out).toContain(`${file} names the dumps of recorded dump`);
      expect(made.err).toContain("recorded dump/nodes/host1/bridge-link.txt: information: not used: 'ip -d link' says the same");
      expect(cli.run(['check', file])).toEqual({ code: 0, out: '', err: '' });
    }
    expect(readFileSync(path.join(cli.folder, 'above.k8snet'), 'utf8')).toContain('iptables from "recorded dump/nodes/host1/iptables-save.txt"');
  });

  it('traces what it made, with the dumps’ own lines', () => {
    const traced = cli.run(['trace', 'recorded dump/cluster.k8snet', '--from', 'pod1', '--to', 'pod2']);
    expect(traced.code).toBe(0);
    expect(traced.out).toMatch(/delivered to pod default\/pod2/);
    expect(traced.out).toContain('[recorded dump/nodes/host1/ip-route-all.txt:');
  });

  it('prints the file where no place is given', () => {
    const printed = cli.run(['import', 'recorded dump']);
    expect(printed.code).toBe(0);
    expect(printed.out).toContain('objects from "objects/*.json"');
  });

  it('never writes over a file', () => {
    writeFileSync(path.join(cli.folder, 'mine.k8snet'), '# mine\n');
    const refused = cli.run(['import', 'recorded dump', '-o', 'mine.k8snet']);
    expect(refused.code).toBe(2);
    expect(refused.err).toContain('cannot write mine.k8snet: it is there already');
    expect(readFileSync(path.join(cli.folder, 'mine.k8snet'), 'utf8')).toBe('# mine\n');
  });

  it.each([
    [['import'], 'one folder is imported'],
    [['import', 'a', 'b'], 'one folder is imported'],
    [['import', 'missing'], 'cannot read missing: there is no such file or folder'],
    [['import', 'empty'], 'there is nothing to import in empty'],
    [['import', 'recorded dump', '-o', 'empty/x.k8snet'], 'write the file into that folder, or above it'],
    [['collect', 'dump'], 'the script is printed'],
  ])('%j is wrong usage: exit 2, and a way out on stderr', (args, message) => {
    const run = cli.run(args);
    expect([run.code, run.out]).toEqual([2, '']);
    expect(run.err).toContain(message);
  });

  it('takes a hostile folder without harm: every file that is left out is named, once', () => {
    const folder = path.join(cli.folder, 'hostile');
    const put = (name: string, text: string | Buffer): void => {
      mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
      writeFileSync(path.join(folder, name), text);
    };
    put('nodes.json', readFileSync(path.join(root, 'test/fixtures/recorded/objects/nodes.json')));
    put('binary.yaml', Buffer.from([0, 1, 2, 255]));
    put('ünï cödé/x y.yaml', 'kind: Foo\n');
    put('1/2/3/4/5/6/7/8/9/deep.yaml', 'kind: Foo\n');
    put('huge.json', '');
    truncateSync(path.join(folder, 'huge.json'), 300 * 1024 * 1024);
    for (let i = 0; i < 30; i++) put(`logs/pod-${i}/current.log`, 'log\n');
    symlinkSync('nowhere', path.join(folder, 'broken.json'));
    symlinkSync('.', path.join(folder, 'again.yaml'));
    execFileSync('mkfifo', [path.join(folder, 'pipe.json')]);
    const made = cli.run(['import', 'hostile', '-o', 'hostile/cluster.k8snet']);
    expect(made.code).toBe(1);
    expect(made.err.trim().split('\n').map((l) => l.replace('hostile/', ''))).toEqual([
      '1/2/3/4/5/6/7/8/9/deep.yaml: warning: left out, as is all behind it: a dump has at most 100000 files and 8 folders inside each other',
      'again.yaml: error: left out: it is a link to a folder, and such links are not followed',
      'binary.yaml: error: left out: it is no text',
      'broken.json: error: left out: it is a link to nothing',
      'huge.json: error: left out: it is larger than 256 MB',
      'logs/pod-0/current.log: warning: not used: it is neither a dump of a node or pod by its place and name, nor YAML or JSON; so are 29 other files like it (*.log)',
      'pipe.json: error: left out: it is no file',
      'ünï cödé/x y.yaml:1: warning: objects of the kind Foo are not known here: what they do to packets is not simulated',
    ]);
    expect(cli.run(['check', 'hostile/cluster.k8snet']).err).toBe('');
  });

  it('follows no link out of the folder, and goes on where something was refused', () => {
    const folder = path.join(cli.folder, 'links');
    mkdirSync(path.join(folder, 'objects'), { recursive: true });
    cpSync(path.join(root, 'test/fixtures/recorded/objects/nodes.json'), path.join(folder, 'objects/nodes.json'));
    symlinkSync(path.join(root, 'test/fixtures/recorded/objects/pods.json'), path.join(folder, 'objects/pods.json'));
    symlinkSync('nowhere', path.join(folder, 'objects/broken.json'));
    symlinkSync('..', path.join(folder, 'objects/up'));
    const made = cli.run(['import', 'links', '-o', 'links/cluster.k8snet']);
    expect(made.code).toBe(1);
    expect(made.err).toContain('links/objects/pods.json: error: left out: it is a link that leaves the folder');
    expect(existsSync(path.join(folder, 'cluster.k8snet'))).toBe(true);
    expect(readFileSync(path.join(folder, 'cluster.k8snet'), 'utf8')).toContain('objects from "objects/nodes.json"');
  });
});

it('k8snet collect prints a shell script', () => {
  const printed = cli.run(['collect']);
  expect([printed.code, printed.err]).toEqual([0, '']);
  expect(printed.out).toMatch(/^#!\/bin\/sh\n/);
});
