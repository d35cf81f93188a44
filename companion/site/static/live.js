/**
 * Answers widgets on the page: one worker for all of them, started by the first question.
 * `answer(content, buffers, reply)` replies as a kernel would: {id, outputs} with buffers, {id, ids, pieces} to a
 * text, {id, error}, and {id, progress} as often as there is news of the loading.
 */
const replies = new Map();
let worker;
let asked = 0;

export function answer(content, buffers, reply) {
  if (typeof WebAssembly !== "object" || typeof Worker !== "function") {
    reply({ id: content.id, error: "This browser cannot run models: it has no WebAssembly." });
    return;
  }
  worker ??= start();
  const key = ++asked;
  replies.set(key, { reply, id: content.id });
  // Handed over, not copied: the asker has no more use for them. One that comes twice is handed over once.
  worker.postMessage({ ...content, key, buffers }, [...new Set(buffers)]);
}

function start() {
  const started = new Worker(new URL("live_worker.js", import.meta.url), { type: "module" });
  started.onmessage = ({ data: { key, buffers, ...content } }) => {
    const question = replies.get(key);
    if (!question) return; // it failed, and news of what is still loading comes too late
    if (!("progress" in content)) replies.delete(key);
    question.reply({ id: question.id, ...content }, buffers);
  };
  started.onerror = (event) => {
    event.preventDefault();
    for (const { reply, id } of replies.values()) reply({ id, error: `The model could not be started: ${event.message || "the page's files are not within reach"}.` });
    replies.clear();
    worker = undefined;
  };
  return started;
}
