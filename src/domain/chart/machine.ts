/**
 * Steps through a state machine by a table that is read off the machine once. xstate's own `transition()` builds an actor
 * and a dozen collections for each step, which was a quarter of all memory that the server went through; the charts here
 * are flat, so that a step is a look-up, a guard and some assignments. A test holds every chart to xstate's own answers.
 */
import {
  initialTransition,
  type AnyEventObject,
  type AnyStateMachine,
  type AnyStateNode,
  type ContextFrom,
  type EventFromLogic,
  type SnapshotFrom,
  type UnknownAction,
} from "xstate";

/** Where an actor stands in its chart, and what it knows. */
export type ChartState<Machine extends AnyStateMachine> = {
  readonly value: SnapshotFrom<Machine>["value"];
  readonly context: ContextFrom<Machine>;
};

/** An action that the chart asks for without carrying it out, with its parameters as they are at that point. */
export type Asked = { readonly type: string; readonly params: unknown };

export type Chart<Machine extends AnyStateMachine> = {
  /** Before the first event. */
  readonly initial: ChartState<Machine>;
  /** Whether the event may happen in this state. */
  readonly can: (state: ChartState<Machine>, event: EventFromLogic<Machine>) => boolean;
  /** The state after an event, and what it asks for. An event that may not happen leaves the very same state. */
  readonly step: (state: ChartState<Machine>, event: EventFromLogic<Machine>) => readonly [ChartState<Machine>, readonly Asked[]];
};

type Context = Readonly<Record<string, unknown>>;
type Scope = { readonly context: Context; readonly event: AnyEventObject };
/** Changes the context; what it asks for goes on the list. */
type Action = (scope: Scope, asked: Asked[]) => Context;
type Way = { readonly guard: ((scope: Scope) => boolean) | undefined; readonly target: string; readonly actions: readonly Action[] };

const unfit = (where: string, what: string): Error => new Error(`${where}: a chart here is flat and inert, this one has ${what}`);

const NOTHING: readonly Asked[] = [];

/** xstate's `assign` is a function that carries what it assigns: a function of the scope, or one value or function per field. */
const assignment = (action: UnknownAction): Action | undefined => {
  if (typeof action !== "function" || !("assignment" in action)) return undefined;
  const { assignment: assigned } = action as unknown as { assignment: ((scope: Scope) => Context) | Context };
  if (typeof assigned === "function") return (scope) => ({ ...scope.context, ...assigned(scope) });
  const fields = Object.entries(assigned);
  return (scope) => ({
    ...scope.context,
    ...Object.fromEntries(
      fields.map(([key, value]) => [key, typeof value === "function" ? (value as (scope: Scope) => unknown)(scope) : value]),
    ),
  });
};

const request = (where: string, action: UnknownAction): Action => {
  if (typeof action === "function") throw unfit(where, "an inline action");
  const { type, params } = typeof action === "string" ? { type: action, params: undefined } : (action as Asked);
  return (scope, asked) => {
    asked.push({ type, params: typeof params === "function" ? (params as (scope: Scope) => unknown)(scope) : params });
    return scope.context;
  };
};

const guardOf = (machine: AnyStateMachine, where: string, guard: unknown): Way["guard"] => {
  if (guard === undefined) return undefined;
  const check = typeof guard === "string" ? machine.implementations.guards[guard] : undefined;
  if (typeof check !== "function") throw unfit(where, "a guard that is not a name");
  return (scope) => (check as (scope: Scope, params: undefined) => boolean)(scope, undefined);
};

const checkFlat = (machine: AnyStateMachine): void => {
  const { root } = machine;
  if (root.type === "parallel") throw unfit(machine.id, "several states at once");
  if (root.transitions.size + root.entry.length + root.exit.length + root.invoke.length > 0)
    throw unfit(machine.id, "something above its states");
  for (const state of Object.values(root.states) as readonly AnyStateNode[]) {
    if (state.type !== "atomic" && state.type !== "final") throw unfit(state.id, "states within a state");
    if (state.always !== undefined && state.always.length > 0) throw unfit(state.id, "eventless transitions");
    // xstate leaves a final state as soon as it is entered.
    if (state.type === "final" && state.exit.length > 0) throw unfit(state.id, "actions behind its end");
    if (state.invoke.length > 0 || state.after.length > 0) throw unfit(state.id, "invoked or delayed work");
    if (state.key === root.config.initial && state.entry.length > 0) throw unfit(state.id, "actions before the first event");
  }
};

/** Ways out of a state by type of event, in the order in which their guards are asked. */
const waysOf = (machine: AnyStateMachine, state: AnyStateNode): ReadonlyMap<string, readonly Way[]> => {
  const actionsOf = (list: readonly UnknownAction[]) => list.map((action) => assignment(action) ?? request(state.id, action));
  const ways = new Map<string, readonly Way[]>();
  for (const [type, transitions] of state.transitions) {
    if (type.includes("*")) throw unfit(state.id, "transitions for any event");
    ways.set(
      type,
      transitions.map(({ guard, target, actions, reenter }) => {
        const [to = state] = target ?? [];
        // As in xstate, a transition without a target leaves and enters nothing.
        const crosses = to !== state || reenter;
        const around = crosses ? { before: state.exit, after: to.entry } : { before: [], after: [] };
        return {
          guard: guardOf(machine, state.id, guard),
          target: to.key,
          actions: actionsOf([...around.before, ...actions, ...around.after]),
        };
      }),
    );
  }
  return ways;
};

/**
 * Reads the table off a machine whose states hold no states and start nothing.
 *
 * @throws Error for a machine with more to it, when it is read and not when it is used.
 */
export const chartOf = <Machine extends AnyStateMachine>(machine: Machine): Chart<Machine> => {
  checkFlat(machine);
  const states = Object.values(machine.root.states) as readonly AnyStateNode[];
  const table = new Map(states.map((state) => [state.key, waysOf(machine, state)]));

  const wayFor = ({ value, context }: ChartState<Machine>, event: AnyEventObject): Way | undefined => {
    const ways = table.get(value)?.get(event.type);
    if (ways === undefined) return undefined;
    for (const way of ways) if (way.guard === undefined || way.guard({ context: context, event })) return way;
    return undefined;
  };

  const { value, context } = initialTransition(machine as AnyStateMachine)[0] as unknown as ChartState<Machine>;
  return {
    initial: { value, context },
    can: (state, event) => wayFor(state, event) !== undefined,
    step: (state, event) => {
      const way = wayFor(state, event);
      if (way === undefined) return [state, NOTHING];
      let current = state.context as Context;
      const asked: Asked[] = [];
      for (const action of way.actions) current = action({ context: current, event }, asked);
      return [{ value: way.target as typeof value, context: current as typeof context }, asked];
    },
  };
};
