/** The language server's process: it speaks LSP over the pipe, the socket or the IPC channel that its arguments name. */
import { createConnection, ProposedFeatures } from 'vscode-languageserver/node';
import { serve } from './server.ts';

const connection = createConnection(ProposedFeatures.all);
serve(connection);
connection.listen();
