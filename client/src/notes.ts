/** Notes at the ends of the lines that a shown trace passed through: "③ DNAT → 10.0.0.46:53". */
import { DecorationRangeBehavior, Disposable, MarkdownString, Range, ThemeColor, window, workspace } from 'vscode';
import type { DecorationOptions, TextDocument, TextDocumentContentChangeEvent, TextEditor, Uri } from 'vscode';
import type { Annotation } from '../../engine/src/trace/annotate.ts';
import { uriOf } from './files.ts';

export interface Notes {
  /** Replaces all notes by those of a trace of `document`. */
  show(document: Uri, annotations: readonly Annotation[]): void;
  clear(): void;
  dispose(): void;
}

interface Note {
  readonly uri: string;
  /** From 0. */
  readonly line: number;
  readonly text: string;
  readonly details: readonly string[];
}

/** Many fonts for code have circled numbers up to ten only. */
export const circled = (n: number): string => (n >= 1 && n <= 10 ? String.fromCodePoint(0x2460 + n - 1) : `(${n})`);

/** In a loop a packet comes by so often that its numbers alone would fill the note. */
const MOST_NUMBERS = 8;

const numbersOf = (hops: readonly number[]): string =>
  hops.length <= MOST_NUMBERS ? hops.map(circled).join('') : `${hops.slice(0, MOST_NUMBERS - 2).map(circled).join('')}…`;

/** In characters; the whole note is in the hover. */
const LONGEST = 60;

const shortened = (text: string): string => (text.length <= LONGEST ? text : `${text.slice(0, LONGEST - 1)}…`);

const noteOf = (document: Uri, annotation: Annotation): Note => ({
  uri: uriOf(document, annotation.file).toString(),
  line: annotation.line - 1,
  text: shortened(`${numbersOf(annotation.hops)} ${annotation.note}`.trim()),
  details: annotation.details,
});

function optionsFor(note: Note, document: TextDocument): DecorationOptions {
  const line = document.lineAt(note.line);
  const hover = new MarkdownString();
  for (const detail of note.details) hover.appendMarkdown('- ').appendText(detail).appendMarkdown('\n');
  return {
    range: new Range(note.line, line.firstNonWhitespaceCharacterIndex, note.line, line.text.length),
    hoverMessage: hover,
    renderOptions: { after: { contentText: note.text } },
  };
}

/** Where a line stands after an edit; `undefined` where the edit took it away. The panel sends new notes soon after. */
function moved(line: number, change: TextDocumentContentChangeEvent): number | undefined {
  const { start, end } = change.range;
  const added = change.text.split('\n').length - 1;
  if (line < start.line) return line;
  if (line > end.line) return line + added - (end.line - start.line);
  // What begins behind the edit moves with its end; what begins before it stays; the rest was replaced.
  if (start.character === 0) return line === end.line ? start.line + added : undefined;
  return line === start.line ? line : undefined;
}

export function createNotes(): Notes {
  const type = window.createTextEditorDecorationType({
    rangeBehavior: DecorationRangeBehavior.ClosedClosed,
    after: { margin: '0 0 0 3ch', color: new ThemeColor('editorCodeLens.foreground'), fontStyle: 'italic' },
  });
  let notes: readonly Note[] = [];

  const isWanted = (document: TextDocument): boolean => workspace.getConfiguration('k8snet', document.uri).get('inlineNotes', true);

  function draw(editor: TextEditor): void {
    const { document } = editor;
    const uri = document.uri.toString();
    const here = isWanted(document) ? notes.filter((note) => note.uri === uri && note.line < document.lineCount) : [];
    editor.setDecorations(type, here.map((note) => optionsFor(note, document)));
  }
  const drawAll = (): void => window.visibleTextEditors.forEach(draw);

  const subscriptions = Disposable.from(
    type,
    window.onDidChangeVisibleTextEditors(drawAll),
    workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration('k8snet.inlineNotes')) drawAll();
    }),
    // VS Code moves the drawn decorations itself; ours are moved for the next drawing.
    workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
      const uri = document.uri.toString();
      notes = notes.flatMap((note) => {
        if (note.uri !== uri) return [note];
        let line: number | undefined = note.line;
        for (const change of contentChanges) if (line !== undefined) line = moved(line, change);
        return line === undefined ? [] : [{ ...note, line }];
      });
    }),
  );
  return {
    show(document, annotations) {
      notes = annotations.map((annotation) => noteOf(document, annotation));
      drawAll();
    },
    clear() {
      notes = [];
      drawAll();
    },
    dispose: () => {
      subscriptions.dispose();
    },
  };
}
