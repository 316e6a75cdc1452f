/** The layers of docs/architecture.md. Each rule gives its reason. */
const rule = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

module.exports = {
  forbidden: [
    rule('engine-stands-alone', 'The simulator runs in the server, the panel, the command line and a fuzzer: it imports nothing but itself.',
      { path: '^engine/' }, { pathNot: '^engine/' }),
    rule('language-imports-engine-only', 'The language knows neither LSP nor vscode nor node; ip-address validates what people type, yaml reads Kubernetes objects.',
      { path: '^server/src/language/' }, { pathNot: ['^server/src/language/', '^engine/', 'node_modules/(ip-address|yaml)/'] }),
    rule('lsp-sits-on-language', 'The server wires the language to the protocol; it never reaches into the programs beside it.',
      { path: '^server/src/lsp/' }, { path: '^(client|webview|cli)/' }),
    rule('cli-sits-on-language', 'The command line is a program of its own.',
      { path: '^cli/' }, { path: '^(client|webview|server/src/lsp)/' }),
    rule('webview-sits-on-engine', 'The panel runs the engine in a sandbox; it knows nothing of the server.',
      { path: '^webview/src/' }, { path: '^(client|cli|server)/' }),
    rule('client-speaks-protocols', 'The client talks to server and panel through their protocol.ts only.',
      { path: '^client/' }, { path: '^(server|webview|cli)/', pathNot: ['^server/src/lsp/protocol\\.ts$', '^webview/src/protocol\\.ts$'] }),
    rule('only-the-client-imports-vscode', 'Everything else runs where there is no editor.',
      { pathNot: ['^client/', '^test/e2e/'] }, { path: '^vscode$' }),
    rule('no-tests-in-programs', 'What ships imports nothing from test/.',
      { pathNot: '^test/' }, { path: '^test/' }),
    rule('no-cycles', 'A cycle hides which of two files stands on the other.', {}, { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } }),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.mjs', '.js', '.json'] },
    exclude: { path: '^(dist|out|\\.cache)/' },
  },
};
