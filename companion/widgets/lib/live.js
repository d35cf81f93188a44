/**
 * Asks the model behind a widget: the kernel, or on the page ONNX (see page.js); which, the widget cannot tell.
 * `ask(inputs, onProgress)` takes and resolves to {name: {dtype, shape, data}}, `data` being a typed array;
 * `onProgress(share)` hears how much of the model has been loaded, from 0 to 1. Rejects with `Unanswered`, whose
 * message says why in words for the reader; any other error is a mistake of ours.
 */
export class Unanswered extends Error {}

const TYPES = { int64: BigInt64Array, float32: Float32Array };

export function asker(model) {
  const ask = messenger(model, "ask");
  return async (inputs, onProgress) => {
    const named = Object.entries(inputs).map(([name, { dtype, shape }]) => [name, dtype, shape]);
    const data = Object.values(inputs).map(({ data: { buffer } }) => buffer);
    const [{ outputs }, buffers] = await ask({ inputs: named }, data, onProgress);
    return Object.fromEntries(outputs.map(([name, dtype, shape], i) => [name, { dtype, shape, data: typed(dtype, buffers[i]) }]));
  };
}

/** The model's own tokenizer: `encode(text)` resolves to {ids, pieces}, the number and the text of each token. */
export function encoder(model) {
  const ask = messenger(model, "encode");
  return async (text) => {
    const [{ ids, pieces }] = await ask({ text }, []);
    return { ids, pieces };
  };
}

/** Sends questions, each with an id of its own, and resolves to [content, buffers] of its reply. */
function messenger(model, kind) {
  const waiting = new Map();
  let asked = 0;
  model.on("msg:custom", (content, buffers = []) => {
    const question = waiting.get(content.id);
    if (!question) return;
    if ("progress" in content) return question.onProgress(content.progress);
    waiting.delete(content.id);
    if ("error" in content) question.reject(new Unanswered(content.error));
    else question.resolve([content, buffers]);
  });
  return (content, buffers, onProgress = () => {}) =>
    new Promise((resolve, reject) => {
      const id = `${kind} ${++asked}`;
      waiting.set(id, { resolve, reject, onProgress });
      model.send({ id, model: model.get("live"), ...content }, buffers);
    });
}

/** Bytes as they come from a kernel (a DataView, anywhere in its buffer) or a worker (an ArrayBuffer). */
function typed(dtype, bytes) {
  const whole = ArrayBuffer.isView(bytes) ? bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) : bytes;
  return new TYPES[dtype](whole);
}
