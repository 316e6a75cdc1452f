/** One version of a file: its declarations in order, each where it stands. */
import type { Diagnostic, Elsewhere, Range } from '../diagnostics/define.ts';
import { shifted } from '../diagnostics/define.ts';
import type { FileNode } from '../syntax/tree.ts';
import { declare } from './declare.ts';
import type {
  ClusterDeclaration, Declaration, ExpectDeclaration, ExternalDeclaration, NamespaceDeclaration, NetworkDeclaration, NetworkPolicyDeclaration, NodeDeclaration, PodDeclaration, ServiceDeclaration,
} from './declarations.ts';
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
  /** Syntax, shapes and values. */
  readonly diagnostics: readonly Diagnostic[];
}

/** A range inside a placed declaration, from the start of the file. */
export function rangeIn({ offset, objects, elsewhere }: Place, range: Range): Range {
  const object = range.elsewhere ?? elsewhere;
  if (object !== undefined && objects !== undefined) return { start: objects.start, end: objects.end, elsewhere: object };
  return { start: offset + range.start, end: offset + range.end };
}

export function fileModelOf(tree: FileNode): FileModel {
  const diagnostics: Diagnostic[] = [...syntaxDiagnostics(tree)];
  const declarations: Placed<Declaration>[] = [];
  let offset = 0;
  for (const node of tree.children) {
    if (node.kind === 'statement') {
      const top = declare(node);
      for (const d of top.diagnostics) diagnostics.push(shifted(d, offset));
      if (top.declaration !== null) declarations.push({ declaration: top.declaration, offset });
    }
    offset += node.width;
  }
  const of = <K extends Declaration['kind']>(kind: K) =>
    declarations.filter((p): p is Placed<Extract<Declaration, { readonly kind: K }>> => p.declaration.kind === kind);
  return {
    declarations,
    clusters: of('cluster'),
    networks: of('network'),
    externals: of('external'),
    nodes: of('node'),
    pods: of('pod'),
    services: of('service'),
    namespaces: of('namespace'),
    policies: of('network-policy'),
    expectations: of('expect'),
    diagnostics,
  };
}
