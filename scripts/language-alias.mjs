// For every bundle that holds the language: yaml's build for Node asks for node's modules, which the language does not
// know and an ES module cannot ask for.
import path from 'node:path';

export const languageAlias = { yaml: path.resolve(import.meta.dirname, '../node_modules/yaml/browser/index.js') };
