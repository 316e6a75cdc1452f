/** Label selectors (apimachinery, pkg/labels/selector.go: Requirement.Matches). */
import type { Labels } from './model.ts';
import type { LabelExpression, LabelSelector } from './network-policy.ts';

export const matchesSelector = (selector: LabelSelector, labels: Labels): boolean =>
  Object.entries(selector.labels).every(([key, value]) => labelOf(labels, key) === value) && selector.expressions.every((e) => holds(e, labels));

/** NotIn holds of what has no such label. */
function holds(expression: LabelExpression, labels: Labels): boolean {
  const value = labelOf(labels, expression.key);
  switch (expression.operator) {
    case 'In':
      return value !== undefined && expression.values.includes(value);
    case 'NotIn':
      return value === undefined || !expression.values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
  }
}

const labelOf = (labels: Labels, key: string): string | undefined => (Object.hasOwn(labels, key) ? labels[key] : undefined);
