import type { Severity } from './due-dates.ts';

export type Status = 'new' | 'assigned' | 'returned' | 'resolved' | 'dismissed';
export type Action = 'assign' | 'return' | 'resolve' | 'dismiss' | 'reopen';
export type Role = 'officer' | 'supervisor';

/** Who acts upon cases. */
export interface Actor {
  readonly name: string;
  readonly role: Role;
}

/** Why somebody acts, from a list. */
interface Reason {
  readonly code: string;
  readonly label: { readonly zh: string; readonly en: string };
  /** Whether it says that the rule was right: there was something to mend, or to know. */
  readonly confirms?: true;
}

/** One line of the table of transitions. */
interface Transition {
  readonly action: Action;
  readonly label: { readonly zh: string; readonly en: string };
  readonly from: readonly Status[];
  readonly to: Status;
  /** An officer acts upon cases that are nobody's or their own; a supervisor upon all. */
  readonly roles: readonly Role[];
  /** What must be said beside actor and reason. `department` may be left out where the case names one. */
  readonly asks: readonly ('owner' | 'department' | 'comment')[];
  readonly reasons: readonly Reason[];
}

const reason = (code: string, zh: string, en: string): Reason => ({ code, label: { zh, en } });
const confirming = (code: string, zh: string, en: string): Reason => ({
  ...reason(code, zh, en),
  confirms: true,
});

export const OPEN_STATUSES = ['new', 'assigned', 'returned'] as const satisfies readonly Status[];
export const CLOSED_STATUSES = ['resolved', 'dismissed'] as const satisfies readonly Status[];

/** Everything that people can do to a case. The night opens, heals, reopens and suppresses beside it. */
export const TRANSITIONS: readonly Transition[] = [
  {
    action: 'assign',
    label: { zh: '分派', en: 'assign' },
    from: OPEN_STATUSES,
    to: 'assigned',
    roles: ['officer', 'supervisor'],
    asks: ['owner'],
    reasons: [
      reason('by_division', '按辖区', 'by division'),
      reason('by_subject', '按业务', 'by subject'),
      reason('hand_over', '转办', 'handed over'),
    ],
  },
  {
    action: 'return',
    label: { zh: '退回部门', en: 'return to the department' },
    from: ['new', 'assigned'],
    to: 'returned',
    roles: ['officer', 'supervisor'],
    asks: ['department', 'comment'],
    reasons: [
      reason('correct_record', '请更正记录', 'correct the record'),
      reason('check_with_person', '请向本人核实', 'check with the person'),
      reason('check_on_site', '请实地核查', 'check on site'),
      reason('belongs_elsewhere', '归口其他部门', 'belongs to another department'),
    ],
  },
  {
    action: 'resolve',
    label: { zh: '办结', en: 'resolve' },
    from: OPEN_STATUSES,
    to: 'resolved',
    roles: ['officer', 'supervisor'],
    asks: ['comment'],
    reasons: [
      confirming('corrected_at_source', '已在源头更正', 'corrected at source'),
      confirming('confirmed_as_it_is', '情况属实，无需更正', 'confirmed as it is'),
      confirming('measures_taken', '已依规处理', 'dealt with under the regulations'),
      reason('handled_elsewhere', '另案处理', 'handled elsewhere'),
    ],
  },
  {
    action: 'dismiss',
    label: { zh: '排除', en: 'dismiss' },
    from: OPEN_STATUSES,
    to: 'dismissed',
    roles: ['officer', 'supervisor'],
    asks: ['comment'],
    reasons: [
      reason('not_a_fault', '不是问题', 'not a fault'),
      reason('duplicate', '重复疑点', 'duplicate'),
      reason('cannot_be_checked', '无法核实', 'cannot be checked'),
      reason('out_of_scope', '不属本县职责', 'not this county’s to settle'),
    ],
  },
  {
    action: 'reopen',
    label: { zh: '重新打开', en: 'reopen' },
    from: CLOSED_STATUSES,
    to: 'new',
    roles: ['officer', 'supervisor'],
    asks: ['comment'],
    reasons: [
      reason('new_evidence', '有新证据', 'new evidence'),
      reason('closed_in_error', '误办', 'closed in error'),
    ],
  },
];

/** The reasons that say that a rule was right. */
export const CONFIRMING_REASONS: readonly string[] = TRANSITIONS.flatMap(({ reasons }) =>
  reasons.filter(({ confirms }) => confirms).map(({ code }) => code),
);

/** What of a case says which actions it allows. */
export interface CaseState {
  readonly status: Status;
  readonly severity: Severity;
  readonly owner: string | null;
  /** Closed by the data themselves: there is nothing to look at until a rule finds it again. */
  readonly healed: boolean;
  /** Closed until a suppression ends. */
  readonly suppressed: boolean;
}

/** The actions that a case allows an actor, in the order of the table. */
export function actionsAllowed(state: CaseState, actor: Actor): readonly Transition[] {
  if (state.severity === 'info' || state.healed || state.suppressed) return [];
  const closed = state.status === 'resolved' || state.status === 'dismissed';
  const others = !closed && state.owner !== null && state.owner !== actor.name;
  if (others && actor.role !== 'supervisor') return [];
  return TRANSITIONS.filter(({ from, roles }) => from.includes(state.status) && roles.includes(actor.role));
}

/** The line of the table for an action. */
export function transitionOf(action: Action): Transition {
  const found = TRANSITIONS.find((transition) => transition.action === action);
  if (found === undefined) throw new Error(`no transition is named ${action}`);
  return found;
}
