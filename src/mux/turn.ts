// Work that is done once per turn of the event loop however often it was asked for: writing to sockets.
// While a session deals with a message it waits for the message's end, else for the end of the turn.

/** Something that has gathered work in this turn. */
export interface TurnTask {
  /** @internal Does it. Must not throw. */
  _finishTurn(): void;
}

/** The tasks of one session. */
export class Turn {
  #tasks: TurnTask[] = [];
  #within = false;
  #scheduled = false;

  /** Asks for `task` at the end of this turn. The task sees to it that it asks only once. */
  add(task: TurnTask): void {
    this.#tasks.push(task);
    if (this.#within || this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(finish, this);
  }

  /** From now on tasks wait for {@link end}. */
  begin(): void {
    this.#within = true;
  }

  /** Runs what was asked for. */
  end(): void {
    this.#within = false;
    this._run();
  }

  /** @internal */
  _run(): void {
    if (this.#tasks.length === 0) return;
    const tasks = this.#tasks;
    this.#tasks = [];
    for (const task of tasks) task._finishTurn();
  }

  /** @internal */
  _finish(): void {
    this.#scheduled = false;
    this._run();
  }
}

function finish(turn: Turn): void {
  turn._finish();
}
