/**
 * Asks the model behind a widget: the kernel, or on the page ONNX (see page.js); which, the widget cannot tell.
 * `ask(inputs, onProgress)` takes and resolves to {name: {dtype, shape, data}}, `data` being a typed array;
 * `onProgress(share)` hears how much of the model has been loaded, from 0 to 1. Rejects with `Unanswered`, whose
 * message says why in words for the reader; any other error is a mistake of ours.
 */
export class Unanswered extends Error {}

const TYPES = { int64: BigInt64Array, float32: Float32Array };

export function asker(model) {
  const waiting = new Map();
  let asked = 0;
  model.on("msg:custom", (content, buffers = []) => {
    const question = waiting.get(content.id);
    if (!question) return;
    if ("progress" in content) return question.onProgress(content.progress);
    waiting.delete(content.id);
    if ("error" in content) return question.reject(new Unanswered(content.error));
    const outputs = content.outputs.map(([name, dtype, shape], i) => [name, { dtype, shape, data: typed(dtype, buffers[i]) }]);
    question.resolve(Object.fromEntries(outputs));
  });
  return (inputs, onProgress = () => {}) =>
    new Promise((resolve, reject) => {
      const id = ++asked;
      waiting.set(id, { resolve, reject, onProgress });
      const named = Object.entries(inputs).map(([name, { dtype, shape }]) => [name, dtype, shape]);
      model.send({ id, model: model.get("live"), inputs: named }, Object.values(inputs).map(({ data }) => data.buffer));
    });
}

/** Bytes as they come from a kernel (a DataView, anywhere in its buffer) or a worker (an ArrayBuffer). */
function typed(dtype, bytes) {
  const whole = ArrayBuffer.isView(bytes) ? bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) : bytes;
  return new TYPES[dtype](whole);
}
