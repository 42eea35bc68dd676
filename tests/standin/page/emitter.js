// Observable things: emitters, models and collections, with the event names that wa-js listens to.

export class Emitter {
  #listeners = new Map();

  on(name, listener) {
    this.#of(name).add(listener);
    return this;
  }

  once(name, listener) {
    const wrapper = (...args) => {
      this.off(name, wrapper);
      listener(...args);
    };
    return this.on(name, wrapper);
  }

  off(name, listener) {
    this.#of(name).delete(listener);
    return this;
  }

  // One listener's error must not keep the others, or the page itself, from going on: it is reported and passed over.
  trigger(name, ...args) {
    for (const listener of [...this.#of(name)]) {
      try {
        listener(...args);
      } catch (error) {
        queueMicrotask(() => { throw error; });
      }
    }
  }

  #of(name) {
    if (!this.#listeners.has(name)) this.#listeners.set(name, new Set());
    return this.#listeners.get(name);
  }
}

// Attributes are plain properties; only `set` tells others, as `change:NAME` with (model, value) and one `change`.
export class Model extends Emitter {
  constructor(attributes = {}) {
    super();
    Object.assign(this, attributes);
  }

  set(first, value) {
    const wanted = typeof first === 'string' ? { [first]: value } : first;
    const changed = Object.keys(wanted).filter((name) => this[name] !== wanted[name]);
    // All attributes change before anybody hears of the first one: listeners never see half a step.
    for (const name of changed) this[name] = wanted[name];
    for (const name of changed) this.trigger(`change:${name}`, this, this[name]);
    if (changed.length) this.trigger('change', this);
    return this;
  }

  get attributes() {
    return { ...this };
  }

  unset(name) {
    return this.set(name, undefined);
  }
}

// Keys come as a model, as an id object with `_serialized`, or as a string.
const keyOf = (key) => String(key?.id?._serialized ?? key?._serialized ?? key?.id ?? key);

export class Collection extends Emitter {
  #models = new Map();
  #repeated;

  // `repeated`: attribute changes of members that the collection tells again as its own.
  constructor({ repeated = [] } = {}) {
    super();
    this.#repeated = repeated;
  }

  add(model) {
    const key = keyOf(model);
    if (this.#models.has(key)) return this.#models.get(key);
    this.#models.set(key, model);
    for (const name of this.#repeated) {
      model.on?.(`change:${name}`, (...args) => this.trigger(`change:${name}`, ...args));
    }
    this.trigger('add', model);
    return model;
  }

  remove(key) {
    const model = this.get(key);
    if (model && this.#models.delete(keyOf(model))) this.trigger('remove', model);
  }

  get(key) {
    return key == null ? undefined : this.#models.get(keyOf(key));
  }

  getModelsArray() {
    return [...this.#models.values()];
  }

  get length() {
    return this.#models.size;
  }

  find(wanted) {
    return Promise.resolve(this.get(wanted));
  }

  findFirst(condition) {
    return this.getModelsArray().find(condition);
  }

  map(transform) {
    return this.getModelsArray().map(transform);
  }

  filter(condition) {
    return this.getModelsArray().filter(condition);
  }

  forEach(visit) {
    this.getModelsArray().forEach(visit);
  }
}
