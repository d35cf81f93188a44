import css from "./dialogue_chat.css";
import { firstRead, oneLine, talker, wordsIn } from "./lib/chat.js";
import { join } from "./lib/byte_pieces.js";
import { guard, h, radios, renew, soon } from "./lib/dom.js";
import { chatLog } from "./lib/chat_log.js";
import { asker, encoder, Unanswered } from "./lib/live.js";
import { defineWidget } from "./lib/widget.js";

const ANSWERS = ["Yes, please.", "No, something else.", "That is all, thank you."];
const SHOWN = 3; // turns looked at most that are listed
const percent = (share) => `${(100 * share).toFixed(share > 0.0005 && share < 0.0095 ? 1 : 0)}\u00a0%`;
const off = (button, is) => button.setAttribute("aria-disabled", String(Boolean(is))); // keeps the focus

export default defineWidget(css, ({ model, root }) => {
  const names = model.get("names");
  const sizes = model.get("sizes");
  const { user, agent, most, longest, prefix } = sizes;
  const room = longest - most - prefix;
  const talk = talker({ ask: asker(model), encode: encoder(model), names, sizes });
  let writing; // {turns, reply, given, from, since, loading, halt}: what is being said, before it is part of the state
  let mine = false; // whether the state changes by our own hand
  let speed = "";

  const fail = guard(root, (error) => {
    throw error;
  });
  const run = (task) => task.catch(fail);

  // What is said
  const log = chatLog({ names, user, percent, onPick: pick });

  // What is explained
  const told = h("p", { class: "told", role: "status" });
  const pieces = h("div", { class: "controls pieces", role: "group", "aria-label": "Pieces of the word" });
  const likely = bars("What it might have said here");
  const looked = bars("Where it looked");
  const why = h("section", { class: "why", "aria-label": "What it thought of" }, told, pieces, likely.element, looked.element);

  // What the reader does
  const box = h("input", { class: "own", type: "text", autocomplete: "off", enterkeyhint: "send", "aria-label": "Say something", placeholder: "Say something …" });
  const send = h("button", { type: "submit", class: "main" }, "Send");
  const stop = h("button", { type: "button", onclick: () => writing?.halt() }, "Stop");
  const form = h("form", { class: "composer", onsubmit: (event) => {
    event.preventDefault();
    run(say(box.value));
  } }, box, send, stop);
  const hint = h("p", { class: "hint", role: "status" }, "Its model is loaded with your first words, and then answers in this page.");
  const bar = h("progress", { max: 1, hidden: true, "aria-label": "Loading the model" });
  const rate = h("span", { class: "number" });
  const meter = h("span", { class: "meter", "aria-hidden": "true" }, h("i"), h("i", { class: "kept", style: `width: ${100 * most / longest}%` }));
  const used = h("span", { class: "number" });
  const starts = taps("Start anew with", model.get("openings"), (text) => run(say(text, [])));
  const answers = taps("Or answer", ANSWERS, (text) => run(say(text)));
  const again = h("button", { type: "button", onclick: () => run(sayAgain()) }, "Say it again");
  const reset = h("button", { type: "button", onclick: startOver }, "Start over");
  const slider = h("input", { type: "range", min: 0, max: 1.5, step: 0.1, "aria-label": "Temperature", oninput: () => model.set("temperature", Number(slider.value)) });
  const warmth = h("span", { class: "number warmth" });
  const choices = sizes.rounds;
  const meets = radios("Hash rounds", choices.map((n) => (n === 0 ? "none" : n === sizes.all_pairs ? "all pairs" : `${n}`)), (i) => model.set("rounds", choices[i]));

  root.append(h("div", { class: "widget" },
    h("div", { class: "controls head" }, h("strong", {}, "Talk with a small Reformer"), h("span", { class: "controls" }, again, reset)),
    h("div", { class: "talk" },
      h("div", { class: "sides" }, log.element, h("div", { class: "context" }, meter, used, rate), form,
        h("div", { class: "news" }, hint, bar), answers.element, starts.element),
      h("div", { class: "aside" }, why, h("div", { class: "settings" },
        h("label", { class: "controls" }, h("span", { class: "label" }, "Temperature"), slider, warmth), meets.element))),
    h("p", { class: "honest" }, `A language model of ${(sizes.parameters / 1e6).toFixed(1)} million parameters that learned to go on with dialogues about errands. `,
      "It looks nothing up and books nothing: names, times and prices are made up.")));

  const shown = () => (writing ? [...writing.turns, ...(writing.reply ? [writing.reply] : [])] : model.get("turns"));

  /** The reply that is explained: {turn, said, word}, `word` being undefined where none is chosen. */
  function explained(turns) {
    const [at, token] = model.get("word");
    const chosen = turns[at]?.ids && token < turns[at].ids.length;
    const turn = chosen ? at : turns.findLastIndex(({ ids }) => ids?.length);
    if (turn < 0) return undefined;
    const said = turns[turn];
    return { turn, said, token: chosen ? token : undefined, word: chosen && wordsIn(said.ids, names).find(({ from, last }) => from <= token && token <= last) };
  }

  function update() {
    const turns = shown();
    const one = explained(turns);
    const looks = one && (one.token === undefined ? mean(one.said.looks) : one.said.looks[one.token]);
    log.draw(turns, { first: firstTurnRead(turns), looks, chosen: one, writing: Boolean(writing) });
    drawWhy(turns, one, looks);
    drawContext(turns);
    const temperature = model.get("temperature");
    slider.value = temperature;
    warmth.textContent = temperature === 0 ? "0: always the likeliest" : temperature.toFixed(1);
    slider.setAttribute("aria-valuetext", warmth.textContent);
    meets.select(choices.indexOf(model.get("rounds")));
    for (const button of [send, ...starts.buttons, ...answers.buttons]) off(button, writing);
    off(stop, !writing);
    off(again, writing || !turns.length);
    off(reset, !turns.length);
  }

  function pick(turn, token) {
    const now = explained(shown());
    const same = now?.word && now.turn === turn && now.word.first === token;
    model.set("word", same ? [] : [turn, token]);
  }

  function drawWhy(turns, one, looks) {
    const { said, token, word } = one ?? {};
    pieces.replaceChildren();
    if (!one) {
      renew(told, "Here you will see how sure it is of each word, and which turns it looks at.");
      likely.fill([]);
      looked.fill([]);
      return;
    }
    const rest = Math.max(0, 1 - looks.reduce((a, b) => a + b, 0));
    const order = [...looks.keys()].sort((a, b) => looks[b] - looks[a]).slice(0, SHOWN).sort((a, b) => a - b);
    looked.fill([...order.map((i) => [`turn ${i + 1}, ${turns[i].speaker === user ? "you" : "model"}`, looks[i]]), ["itself, its reply", rest, "own-words"]]);
    if (token === undefined) {
      const odds = mean(said.odds.map((p) => [p]))[0];
      if (!writing) renew(told, `The last reply: ${said.ids.length} tokens, on average ${percent(odds)} likely. `, h("em", {}, "Tap a word"), ": its underline is fuller the likelier it was.");
      likely.fill([]);
      return;
    }
    const best = order.reduce((a, b) => (looks[b] > looks[a] ? b : a), order[0]);
    renew(told, h("strong", {}, nameOf(said.ids[token])), ` was ${percent(said.odds[token])} likely. `,
      !(looks[best] > rest) ? "It looked mostly at its own reply" : `It looked mostly at turn ${best + 1}`, `: ${percent(Math.max(rest, looks[best] ?? 0))}.`);
    if (word && word.last > word.from) {
      for (let i = word.from; i <= word.last; i++) {
        pieces.append(h("button", { type: "button", "aria-pressed": String(i === token), onclick: () => {
          model.set("word", [one.turn, i]);
          queueMicrotask(() => pieces.children[i - word.from]?.focus());
        } }, nameOf(said.ids[i])));
      }
    }
    const rows = said.likely[token].map(([id, odds]) => [nameOf(id), odds, id === said.ids[token] ? "drawn" : ""]);
    if (!rows.some(([, , kind]) => kind)) rows.push([nameOf(said.ids[token]), said.odds[token], "drawn"]);
    likely.fill(rows);
  }

  function nameOf(id) {
    if (sizes.stops.includes(id)) return id === sizes.stops[0] ? "(end of the talk)" : "(end of the turn)";
    const text = join([names[id]]);
    return /^[\p{L}\p{M}]/u.test(text) ? `…${text}` : text.trim() || "(space)";
  }

  function firstTurnRead(turns) {
    const read = writing ? writing.turns : turns;
    return firstRead(read.map(({ length }) => length ?? 0), room);
  }

  function drawContext(turns) {
    const kept = turns.slice(firstTurnRead(turns)).reduce((sum, { length }) => sum + (length ?? 0), 0);
    const count = writing?.reply ? writing.given + writing.reply.ids.length : Math.min(kept, longest);
    used.textContent = `Context: ${count} of ${longest} tokens, ${most} kept for the reply`;
    meter.firstChild.style.width = `${100 * count / longest}%`;
    rate.textContent = speed;
  }

  // What happens
  async function say(typed, before = model.get("turns")) {
    const text = oneLine(typed);
    if (writing || !text) return;
    const turn = { speaker: user, text };
    if (box.value === typed) box.value = "";
    const giveBack = () => (box.value ||= typed);
    await answer([...before, turn], async () => {
      turn.length = await talk.lengthOf(turn);
      if (turn.length > room) throw new Unanswered(`That is ${turn.length} tokens, and at most ${room} fit: say it shorter.`);
    }, giveBack);
  }

  async function sayAgain() {
    const turns = model.get("turns");
    if (writing || !turns.length) return;
    const at = turns.at(-1).speaker === agent ? turns.length - 1 : turns.length;
    if (at) await answer(turns.slice(0, at));
  }

  /** Lets the model say something; what cannot be is undone by `giveBack`, and the reader told why. */
  async function answer(turns, check = async () => {}, giveBack = () => {}) {
    const now = (writing = { turns, from: performance.now() });
    const halted = new Promise((resolve) => (now.halt = () => resolve("stopped")));
    log.follow();
    speed = "";
    model.set("word", []);
    hint.textContent = "reading …";
    redraw();
    let news;
    try {
      news = await Promise.race([halted, check().then(() => talk.reply(turns, settings(), (reply) => hear(now, reply), (share) => load(now, share)))]);
      if (now !== writing) return;
      if (now.reply) await keep(now);
      else giveBack();
      news ??= `Read ${now.given} tokens${now.loading ? "" : ` in ${((now.since - now.from) / 1000).toFixed(1)} s`}, wrote ${now.reply.ids.length}${now.reply.ended ? "." : " and found no end."}`;
    } catch (error) {
      if (!(error instanceof Unanswered)) throw error;
      if (now === writing) giveBack();
      news = error.message;
    }
    if (now !== writing) return;
    rest(news);
  }

  const settings = () => ({ temperature: model.get("temperature"), rounds: model.get("rounds") });

  /** Shows what has been said so far; tells whether to go on. */
  function hear(now, { given, done, ...reply }) {
    if (now !== writing) return false;
    const time = performance.now();
    now.since ??= time;
    now.given = given;
    now.reply = { speaker: agent, ...reply, ids: [...reply.ids], odds: [...reply.odds], likely: [...reply.likely], looks: [...reply.looks] };
    const steps = reply.ids.length - (done ? 0 : 1); // since the first token, which waits for the reading
    if (steps > 0) speed = `${(1000 * steps / (time - now.since)).toFixed(0)} tokens/s`;
    hint.textContent = "writing …";
    redraw();
    return true;
  }

  function load(now, share) {
    if (now !== writing) return;
    now.loading = true; // the model had to start, so the time tells nothing of the reading
    hint.textContent = share < 1 ? "loading the model …" : "reading …";
    bar.hidden = share >= 1;
    bar.value = share;
  }

  /** Nothing is being written any more. */
  function rest(news) {
    writing = undefined;
    bar.hidden = true;
    hint.textContent = news;
    redraw();
  }

  /** Makes what was said part of the state. */
  async function keep(now) {
    const whole = { ...now.reply, length: await talk.lengthOf(now.reply) };
    if (now !== writing) return;
    mine = true;
    model.set("turns", [...now.turns, whole]);
    mine = false;
  }

  function startOver() {
    if (!shown().length) return;
    model.set("word", []);
    model.set("turns", []);
    speed = "";
    rest("");
  }

  const redraw = soon(root, update);
  model.on("change:turns", () => {
    if (!mine && writing) rest(""); // someone else, such as a kernel, has set them
    redraw();
  });
  for (const name of ["word", "temperature", "rounds"]) model.on(`change:${name}`, redraw);
  update();
  return () => {
    writing = undefined; // so that nothing more is asked
    log.stop();
  };
});

/** Small bars in rows: `fill([[name, share, class], …])`. */
function bars(label) {
  const rows = h("ul", { "aria-label": label });
  const element = h("div", { class: "bars" }, h("p", { class: "label" }, label), rows);
  return {
    element,
    fill(all) {
      element.hidden = !all.length;
      renew(rows, ...all.map(([name, share, kind]) => h("li", { class: kind },
        h("span", { class: "name", title: name }, name), h("span", { class: "rail" }, h("i", { style: `width: ${(100 * share).toFixed(1)}%` })), h("span", { class: "number" }, percent(share)))));
    },
  };
}

/** Texts to tap instead of typing. */
function taps(label, texts, onTap) {
  const buttons = texts.map((text) => h("button", { type: "button", onclick: () => onTap(text) }, text));
  return { buttons, element: h("div", { class: "controls taps", role: "group", "aria-label": label }, h("span", { class: "label" }, label), ...buttons) };
}

const mean = (rows) => rows[0].map((_, j) => rows.reduce((sum, row) => sum + row[j], 0) / rows.length);
