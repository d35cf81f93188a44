/** Runs models with onnxruntime-web. Runtime and models are fetched once, and kept for all pages of the site. */
import * as ort from "./vendor/ort.mjs";

const listed = fetch(new URL("live.json", import.meta.url)).then((response) => response.json());
const sessions = new Map();
const tokenizers = new Map();
let runtime;

self.onmessage = async ({ data: { key, model, text, inputs, buffers } }) => {
  try {
    if (text !== undefined) {
      self.postMessage({ key, ...encode(await kept(tokenizers, model, openTokenizer), text) });
      return;
    }
    const session = await kept(sessions, model, (name) => open(name, (progress) => self.postMessage({ key, progress })));
    const feeds = Object.fromEntries(inputs.map(([name, dtype, shape], i) => [name, tensor(dtype, shape, buffers[i])]));
    const results = await session.run(feeds);
    const found = session.outputNames.map((name) => [name, results[name]]);
    const data = found.map(([, { data: values }]) => values.slice().buffer);
    self.postMessage({ key, outputs: found.map(([name, { type, dims }]) => [name, type, dims]), buffers: data }, data);
  } catch (error) {
    self.postMessage({ key, error: `The model could not answer: ${error.message}` });
  }
};

const tensor = (dtype, shape, buffer) =>
  new ort.Tensor(dtype, dtype === "int64" ? new BigInt64Array(buffer) : new Float32Array(buffer), shape);

/** What `make(name)` gives; asked for again, it is the same, even while it is still loading. */
function kept(all, name, make) {
  if (!all.has(name)) {
    const made = make(name);
    all.set(name, made);
    made.catch(() => all.delete(name)); // the next question tries again
  }
  return all.get(name);
}

async function openTokenizer(name) {
  const { tokenizer } = (await listed).models[name] ?? {};
  if (!tokenizer) throw new Error(`there is no tokenizer of “${name}” on this site`);
  const [{ Tokenizer }, file] = await Promise.all([import("./vendor/tokenizers.mjs"), load(tokenizer, () => {})]);
  return new Tokenizer(JSON.parse(new TextDecoder().decode(file)), {});
}

function encode(tokenizer, text) {
  const { ids } = tokenizer.encode(text);
  return { ids, pieces: ids.map((id) => tokenizer.decode([id])) };
}

async function open(name, tell) {
  const files = await listed;
  const wanted = [files.runtime, files.models[name]];
  if (!wanted[1]) throw new Error(`there is no model “${name}” on this site`);
  const all = wanted.reduce((sum, { bytes }) => sum + bytes, 0);
  let loaded = 0;
  const count = (bytes) => tell(Math.min(1, (loaded += bytes) / all));
  const [wasm, onnx] = await Promise.all(wanted.map((file) => load(file, count)));
  runtime ??= { wasm };
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmBinary = runtime.wasm;
  return ort.InferenceSession.create(new Uint8Array(onnx), { executionProviders: ["wasm"] });
}

async function load({ url, bytes }, count) {
  const address = new URL(url, import.meta.url).href;
  const cache = await self.caches?.open("companion-live");
  const found = await cache?.match(address);
  if (found) {
    count(bytes);
    return found.arrayBuffer();
  }
  await forget(cache);
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${url} could not be fetched (${response.status})`);
  const counted = response.body.pipeThrough(
    new TransformStream({
      transform(chunk, controller) {
        count(chunk.byteLength);
        controller.enqueue(chunk);
      },
    }),
  );
  const buffer = await new Response(counted).arrayBuffer();
  // A browser short of room may refuse to keep it: then the next page fetches it again.
  await cache?.put(address, new Response(buffer)).catch(() => {});
  return buffer;
}

/** Takes from the cache what an older version of the site has left there. */
async function forget(cache) {
  const { runtime: { url }, models } = await listed;
  const urls = [url, ...Object.values(models).flatMap(({ url, tokenizer }) => [url, tokenizer?.url ?? url])];
  const current = new Set(urls.map((each) => new URL(each, import.meta.url).href));
  for (const request of (await cache?.keys()) ?? []) if (!current.has(request.url)) await cache.delete(request);
}
