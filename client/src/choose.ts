/** Choosing a trace's parties: the names that the file offers, or whatever else is typed. */
import { QuickPickItemKind, window } from 'vscode';
import type { QuickPickItem } from 'vscode';
import type { PartnerItem } from '../../server/src/lsp/protocol.ts';

interface Choice extends QuickPickItem {
  readonly value: string;
}

const ICONS = { pod: 'package', node: 'server', service: 'layers', external: 'globe' } as const;
const HEADINGS = { pod: 'pods', node: 'nodes', service: 'services', external: 'outside the cluster' } as const;

export interface ChooseOptions {
  readonly title: string;
  readonly placeholder: string;
  readonly items: readonly PartnerItem[];
  /** Chosen the last time: stands first. */
  readonly last: string | undefined;
}

function choiceOf(item: PartnerItem, description: string): Choice {
  return { label: `$(${ICONS[item.kind]}) ${item.label}`, description, detail: item.detail, value: item.to };
}

function choicesOf({ items, last }: ChooseOptions): Choice[] {
  const choices: Choice[] = [];
  const remembered = items.find((item) => item.to === last);
  if (remembered !== undefined) choices.push(choiceOf(remembered, 'chosen last time'));
  else if (last !== undefined) choices.push({ label: `$(history) ${last}`, description: 'chosen last time', value: last });
  let heading: PartnerItem['kind'] | undefined;
  for (const item of items) {
    if (item === remembered) continue;
    if (item.kind !== heading) choices.push({ label: HEADINGS[item.kind], kind: QuickPickItemKind.Separator, value: '' });
    heading = item.kind;
    choices.push(choiceOf(item, ''));
  }
  return choices;
}

/** A whole address of either family, perhaps with port and protocol: `10.16.0.10`, `[fd00::1]:53/UDP`. */
const isAddress = (typed: string): boolean => /^(\d+(\.\d+){3}|[\da-f]*:[\da-f.]*:[\da-f:.]*|\[[\da-f:.]+\])(:\d*)?(\/\w*)?$/i.test(typed);

/** The chosen name, as a trace's `from` or `to` takes it; `undefined` when the person leaves. */
export function choose(options: ChooseOptions): Promise<string | undefined> {
  const known = choicesOf(options);
  const pick = window.createQuickPick<Choice>();
  pick.title = options.title;
  pick.placeholder = options.placeholder;
  pick.matchOnDetail = true;
  pick.items = known;
  pick.onDidChangeValue((value) => {
    const typed = value.trim();
    // The label matches nothing that is typed, so VS Code sorts it behind the names that do. Who typed an address means
    // it, though names whose details hold the address stay too.
    const other: Choice = { label: '$(edit) As typed', description: typed, value: typed, alwaysShow: true };
    pick.items = typed === '' || known.some((choice) => choice.value === typed) ? known : isAddress(typed) ? [other, ...known] : [...known, other];
  });
  return new Promise((resolve) => {
    pick.onDidAccept(() => {
      const value = pick.selectedItems[0]?.value;
      resolve(value === undefined || value === '' ? undefined : value);
      pick.hide();
    });
    pick.onDidHide(() => {
      resolve(undefined);
      pick.dispose();
    });
    pick.show();
  });
}
