// A device that keeps records and catches up with `changes`, over plain fetch.

const changes = `query ($after: String, $first: Int) { changes(after: $after, first: $first) { cursor reset hasMore gone
  nodes { __typename id ... on Patient { name mappings(first: 50, isActive: null) { nodes { id isActive doctor { id } } } } ... on Doctor { name isVerified } } } }`;

/** Thrown by a store that fails at the worst moment. */
export class Crash extends Error {}

export class Phone {
  records = new Map();
  cursor = null;
  /** The cursors that were sent, and the steps that were stored. */
  sent = [];
  steps = [];
  /** Called after the records of a step are stored, and before its cursor is. */
  beforeCursor = () => {};

  constructor(account, first = 50) {
    this.account = account;
    this.first = first;
  }

  /** Catches up, one step after the other. */
  async sync() {
    while (await this.page());
  }

  /** Asks for the next step, and stores it. Returns whether more is waiting. */
  async page() {
    this.sent.push(this.cursor);
    const { data, errors } = await this.account.ask(changes, { after: this.cursor, first: this.first });
    if (errors?.[0].extensions.code === 'INVALID_CURSOR') {
      this.cursor = null;
      return true;
    }
    if (errors) {
      throw new Error(JSON.stringify(errors));
    }
    this.apply(data.changes);
    return data.changes.hasMore;
  }

  /** Stores a step: a crash leaves its records with the cursor before it. */
  apply(step) {
    if (step.reset) {
      this.records.clear();
    }
    step.nodes.forEach(node => this.records.set(node.id, node));
    step.gone.forEach(id => this.records.delete(id));
    this.beforeCursor(step);
    this.cursor = step.cursor;
    this.steps.push(step);
  }
}
