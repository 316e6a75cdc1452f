/** What Wireshark's dissectors say of a capture. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const TSHARK = 'tshark';
const CHECKSUMS = ['ip.check_checksum:TRUE', 'udp.check_checksum:TRUE', 'tcp.check_checksum:TRUE', 'sctp.checksum:TRUE'];

/** The output of tshark over the capture; fails on a word on stderr. */
export function tshark(capture: Uint8Array, ...options: readonly string[]): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'k8snet-tshark-'));
  try {
    const file = path.join(folder, 'trace.pcapng');
    writeFileSync(file, capture);
    const preferences = CHECKSUMS.flatMap((each) => ['-o', each]);
    return execFileSync(TSHARK, ['-n', '-r', file, '-d', 'udp.port==8472,vxlan', ...preferences, ...options], { encoding: 'utf8', timeout: 20_000, stdio: ['ignore', 'pipe', 'pipe'] });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * One line for each packet that tshark finds anything wrong with. A retransmission, which it only notes, is the same
 * packet at the next interface; of every reset it warns.
 */
export const complaints = (capture: Uint8Array): string[] =>
  tshark(capture, '-Y', '_ws.malformed || _ws.expert.severity >= 0x600000', '-T', 'fields', '-e', 'frame.number', '-e', '_ws.expert.message')
    .split('\n').filter((line) => line !== '' && !line.endsWith('Connection reset (RST)'));

/** Rows of the fields, each with all its occurrences separated by commas. */
export const fields = (capture: Uint8Array, ...names: readonly string[]): string[][] =>
  tshark(capture, '-T', 'fields', ...names.flatMap((name) => ['-e', name])).trimEnd().split('\n').map((line) => line.split('\t'));
