/** One version of a file: its declarations in order, each where it stands, and the objects that it names. */
import type { Diagnostic, Elsewhere, Range } from '../diagnostics/define.ts';
import { shifted } from '../diagnostics/define.ts';
import { missingStatement } from '../diagnostics/missing-statement.ts';
import type { FileNode, LineNode, StatementNode } from '../syntax/tree.ts';
import { keptMap } from '../../../../engine/src/kept.ts';
import type { ObjectModel } from '../kubernetes/assemble.ts';
import { assemble } from '../kubernetes/assemble.ts';
import type { FileLookup } from './capture-content.ts';
import type { TopLevel } from './declare.ts';
import { declare } from './declare.ts';
import type {
  ClusterDeclaration, Declaration, ExpectDeclaration, ExternalDeclaration, NamespaceDeclaration, NetworkDeclaration, NetworkPolicyDeclaration, NodeDeclaration, PodDeclaration, ServiceDeclaration,
} from './declarations.ts';
import type { NamedObjects } from './objects.ts';
import { completedBy, objectFilesOf, withObjects } from './objects.ts';
import { syntaxDiagnostics } from './syntax-problems.ts';

/** Where a declaration stands. */
export interface Place {
  /** Of its node: ranges inside it are relative to that. */
  readonly offset: number;
  /** Where the file names the Kubernetes objects that the declaration, or a part of it, comes from. */
  readonly objects?: Range;
  /** The object, where the whole declaration is one. */
  readonly elsewhere?: Elsewhere;
}

export interface Placed<D> extends Place {
  readonly declaration: D;
}

export interface FileModel {
  /** The file's own, in order. */
  readonly declarations: readonly Placed<Declaration>[];
  readonly clusters: readonly Placed<ClusterDeclaration>[];
  readonly networks: readonly Placed<NetworkDeclaration>[];
  readonly externals: readonly Placed<ExternalDeclaration>[];
  readonly nodes: readonly Placed<NodeDeclaration>[];
  readonly pods: readonly Placed<PodDeclaration>[];
  readonly services: readonly Placed<ServiceDeclaration>[];
  readonly namespaces: readonly Placed<NamespaceDeclaration>[];
  readonly policies: readonly Placed<NetworkPolicyDeclaration>[];
  readonly expectations: readonly Placed<ExpectDeclaration>[];
  /** The objects that the file names, and where; the lists above have them too. */
  readonly objects: ObjectModel;
  readonly objectFiles: readonly NamedObjects[];
  /** Syntax, shapes and values. */
  readonly diagnostics: readonly Diagnostic[];
}

/** A range inside a placed declaration, from the start of the file. */
export function rangeIn({ offset, objects, elsewhere }: Place, range: Range): Range {
  const object = range.elsewhere ?? elsewhere;
  if (object !== undefined && objects !== undefined) return { start: objects.start, end: objects.end, elsewhere: object };
  return { start: offset + range.start, end: offset + range.end };
}

/** Without those of objects: a cluster holds many a service that nobody uses, and whoever imports it did not write it. */
export const writtenHere = <D>(placed: readonly Placed<D>[]): readonly Placed<D>[] => (placed.some((p) => p.elsewhere !== undefined) ? placed.filter((p) => p.elsewhere === undefined) : placed);

/** The declarations that stand in files of objects only. */
export function* ofObjects(model: FileModel): Iterable<Placed<Declaration>> {
  for (const list of [model.nodes, model.pods, model.services, model.namespaces, model.policies]) for (const p of list) if (p.elsewhere !== undefined) yield p;
}

const keptTopLevels = keptMap<StatementNode | LineNode, TopLevel | null>();

export function fileModelOf(tree: FileNode, files: FileLookup): FileModel {
  const tops = keptTopLevels(tree.children, (node, before) => before ?? (node.kind === 'statement' ? declare(node) : null));
  const troubled: { readonly top: TopLevel; readonly offset: number }[] = [];
  const declarations: Placed<Declaration>[] = [];
  const byKind = new Map<Declaration['kind'], Placed<Declaration>[]>();
  let offset = 0;
  for (const [i, node] of tree.children.entries()) {
    const top = tops[i] ?? null;
    if (top !== null) {
      if (top.diagnostics.length > 0) troubled.push({ top, offset });
      if (top.declaration !== null) {
        const placed = { declaration: top.declaration, offset };
        declarations.push(placed);
        const alike = byKind.get(top.declaration.kind);
        if (alike === undefined) byKind.set(top.declaration.kind, [placed]);
        else alike.push(placed);
      }
    }
    offset += node.width;
  }
  const of = <K extends Declaration['kind']>(kind: K) => (byKind.get(kind) ?? []) as Placed<Extract<Declaration, { readonly kind: K }>>[];
  const objectFiles = objectFilesOf(of('objects'), files);
  const objects = assemble(objectFiles.map((f) => f.objects));
  const diagnostics = [...syntaxDiagnostics(tree), ...diagnosticsOf(troubled, completedBy(objects))];
  const own = {
    clusters: of('cluster'), networks: of('network'), nodes: of('node'), pods: of('pod'), services: of('service'), namespaces: of('namespace'), policies: of('network-policy'),
  };
  return { declarations, ...withObjects(own, objects, objectFiles), externals: of('external'), expectations: of('expect'), objects, objectFiles, diagnostics };
}

function* diagnosticsOf(read: readonly { readonly top: TopLevel; readonly offset: number }[], isCompleted: (d: Declaration) => boolean): Iterable<Diagnostic> {
  for (const { top, offset } of read) {
    const completed = top.declaration !== null && isCompleted(top.declaration);
    for (const d of top.diagnostics) if (!completed || d.code !== missingStatement.code) yield shifted(d, offset);
  }
}
