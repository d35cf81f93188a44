/** A conversation as it is read: turns, the model's own in words to tap. */
import { h, put, renew } from "./dom.js";
import { wordsIn } from "./chat.js";

const NEAR = 24; // pixels from its end within which the log goes along with what is written

/**
 * `draw(turns, {first, looks, chosen, writing})` shows turns: first, the first that is still read; looks[i], how much
 * of a look turn i got; chosen: {turn, word}; writing: whether the last is being written. `onPick(turn, token)` hears
 * which word is tapped. Among the words the arrow keys go, as they are one stop of the Tab key.
 */
export function chatLog({ names, user, percent, onPick }) {
  const list = h("ol", { class: "turns" });
  const element = h("div", {
    class: "log", role: "log", tabindex: "0", "aria-label": "The conversation", onkeydown: walk,
    onscroll: () => (stuck = element.scrollTop + element.clientHeight > element.scrollHeight - NEAR),
  }, list);
  let stuck = true; // whether the log is at its end
  const toEnd = () => stuck && (element.scrollTop = element.scrollHeight);
  const watcher = new ResizeObserver(toEnd);
  watcher.observe(list);
  const none = h("li", { class: "none" }, "Nothing said yet. Type something, or tap an opening.");
  let rows = []; // {row, who, share, said}

  function draw(turns, { first, looks = [], chosen, writing }) {
    while (rows.length > turns.length) rows.pop().row.remove();
    if (turns.length) none.remove();
    else list.append(none);
    while (rows.length < turns.length) {
      rows.push(emptyRow());
      list.append(rows.at(-1).row);
    }
    turns.forEach((turn, i) => {
      const { row, who, share, said } = rows[i];
      const gone = i < first;
      renew(who, `${turn.speaker === user ? "You" : "Model"}, turn ${i + 1}${gone ? ", no longer read" : ""}`);
      renew(share, looks[i] === undefined ? "" : `looked at ${percent(looks[i])}`);
      put(row, { class: `${turn.speaker === user ? "user" : "agent"}${gone ? " gone" : ""}`, style: `--look: ${(100 * (looks[i] ?? 0)).toFixed(1)}%` });
      if (turn.ids?.length) drawWords(said, turn, i, chosen?.turn === i ? chosen.word : undefined);
      else {
        const text = turn.text || (writing && i === turns.length - 1 ? "…" : "(nothing)");
        renew(said, text);
      }
    });
    element.setAttribute("aria-busy", String(writing));
    const words = tokens();
    const active = element.getRootNode().activeElement;
    const here = [active, words.find((each) => each.getAttribute("aria-pressed") === "true"), words.at(-1)].find((each) => words.includes(each));
    for (const each of words) put(each, { tabindex: each === here ? 0 : -1 });
  }

  /** The words of a reply as buttons; those that stand are kept, so that a tap while it writes finds its word. */
  function drawWords(said, turn, at, chosen) {
    if (!said.firstElementChild) said.replaceChildren();
    const words = wordsIn(turn.ids, names);
    while (said.children.length > words.length) said.lastChild.remove();
    while (said.children.length < words.length) said.append(h("button", { type: "button", class: "token", onclick: (event) => onPick(at, event.currentTarget.token) }));
    words.forEach(({ text, from, first, last }, i) => {
      const button = said.children[i];
      button.token = first;
      renew(button, text);
      const odds = turn.odds.slice(from, last + 1).reduce((a, b) => a * b, 1);
      put(button, { "aria-pressed": chosen?.first === first, style: `--sure: ${(100 * odds).toFixed(0)}%` });
    });
  }

  const tokens = () => [...list.querySelectorAll(".token")];

  function walk(event) {
    const all = tokens();
    const at = all.indexOf(event.target);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (at < 0 || !all[to]) return;
    event.preventDefault();
    all[at].tabIndex = -1;
    all[to].tabIndex = 0;
    all[to].focus();
  }

  return { element, draw, follow: () => (stuck = true) && toEnd(), stop: () => watcher.disconnect() };
}

function emptyRow() {
  const [who, share, said] = [h("span"), h("span", { class: "number" }), h("div", { class: "said" })];
  return { who, share, said, row: h("li", {}, h("div", { class: "meta" }, who, share), said) };
}
