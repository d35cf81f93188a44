import css from "./lsh_buckets.css";
import { readArray } from "./lib/array.js";
import { guard, h, radios, renew, soon, toggle } from "./lib/dom.js";
import { foundTable, keysTable, share } from "./lib/hash_found.js";
import { row } from "./lib/hash_row.js";
import { hue, letter, space } from "./lib/hash_space.js";
import {
  bucketOf, cutChunks, fullWeights, hangsOnLater, keysSeen, mean, meets, norm, normals, overBorder, range, reach, recall, scoresComputed, sectors, sortByBucket,
} from "./lib/hashing.js";
import { defineWidget } from "./lib/widget.js";
import { writeArray } from "./lib/write_array.js";

const STAGES = ["text", "hash", "sort", "cut", "look"];
const [HASH, SORT, CUT, LOOK] = [1, 2, 3, 4];
const CUTS = ["sorted", "bucket"];
const PAUSE = 1500; // milliseconds between the steps of play
const SETTINGS = ["vectors", "rotations", "n_buckets", "rounds", "chunk", "look_back", "causal", "cut", "scale"];
const number = (x) => x.toFixed(2).replace("-", "−");

export default defineWidget(css, ({ model, root, onTheme }) => {
  const get = (name) => model.get(name);
  const set = (name) => (value) => model.set(name, value);
  const [length, dimensions] = get("vectors").shape;
  const [mostRounds, , half] = get("rotations").shape;
  const labels = get("labels");
  const all = range(length);
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  let colours;
  let now; // what is computed from the state
  let marks = null; // who was given other keys by the last nudge, and in which state
  let before = get("stage");
  let timer = 0;

  const name = (i) => (labels.length ? `“${labels[i]}” (${i})` : `token ${i}`);
  const Name = (i) => name(i).replace(/^t/, "T");

  function compute() {
    const [given, turned] = ["vectors", "rotations"].map((array) => readArray(get(array)));
    const [nBuckets, rounds, chunk, cut, picked] = ["n_buckets", "rounds", "chunk", "cut", "picked"].map(get);
    const settings = { chunk, cut, causal: get("causal"), lookBack: get("look_back"), scale: get("scale") };
    const vectors = all.map((i) => given.at(i));
    const directions = range(mostRounds).map((r) => range(nBuckets / 2).map((k) => range(dimensions).map((axis) => turned.at(r, axis)[k])));
    const buckets = directions.map((round) => vectors.map((x) => bucketOf(x, round)));
    const places = buckets.map((round) => cutChunks(round, chunk, cut));
    const weights = fullWeights(vectors, settings);
    const seenIn = (count, how) => all.map((i) => keysSeen(places.slice(0, count), i, how));
    const recalls = (count, how) => seenIn(count, how).map((seen, i) => recall(weights[i], seen));
    const found = range(mostRounds).map((r) => {
      const [own, other] = [settings, { ...settings, lookBack: !settings.lookBack }].map((how) => recalls(r + 1, how));
      return { recalls: own, mean: mean(own), otherMean: mean(other), scores: scoresComputed(places.slice(0, r + 1), settings.lookBack) };
    });
    const met = (j) => range(rounds).flatMap((r) => (j !== picked && meets(places[r], picked, j, settings.lookBack) ? [r + 1] : []));
    const shown = Math.min(get("shown"), rounds) - 1;
    const key = JSON.stringify([vectors, buckets, settings, rounds]); // what decides who sees whom
    return { ...settings, settings, key, vectors, nBuckets, rounds, directions, buckets, places, weights, seen: seenIn(rounds, settings), found, met, shown, picked, name };
  }

  // 1: the space.
  function moveTo(i, direction) {
    const { data, shape } = readArray(get("vectors"));
    const long = norm(now.vectors[i]);
    direction.forEach((value, axis) => (data[i * dimensions + axis] = value * long));
    model.set("vectors", writeArray(data, shape));
  }
  const picture = space({ length, dimensions, onPick: set("picked"), onMove: moveTo, onTurn: set("view") });
  const counts = radios("buckets", range(half).map((k) => String(2 * k + 2)), (k) => model.set("n_buckets", 2 * k + 2));
  const roundNames = range(mostRounds).map((r) => String(r + 1));
  const shownRound = radios("hash round", roundNames, (r) => {
    if (r + 1 > get("rounds")) model.set("rounds", r + 1);
    model.set("shown", r + 1);
  });
  const button = (text, onclick) => h("button", { type: "button", onclick }, text);
  const first = button("The first again", () => turnTo(0));
  const along = h("p", { class: "reach number" });

  function turnTo(roll) {
    const { shape } = get("rotations");
    model.set("roll", roll);
    model.set("rotations", roll ? writeArray(normals(roll, shape.reduce((a, b) => a * b)), shape) : get("given"));
  }

  // 2: the sequence.
  const steps = radios("step", STAGES.map((text, k) => `${k + 1} ${text}`), (k) => {
    stop();
    model.set("stage", k);
  });
  const play = button("▶ play", start);
  const says = h("p", { class: "says" });
  const sequence = row({ length, labels, onPick: set("picked") });
  const legend = h("p", { class: "legend" });
  function slider(trait, label, bounds) {
    const input = h("input", { type: "range", ...bounds, "aria-label": trait, oninput: () => model.set(trait, Number(input.value)) });
    const text = h("span", { class: "number size" });
    return { element: h("label", { class: "controls" }, text, input), show() {
      input.value = get(trait);
      renew(text, `${label} ${get(trait)}`);
    } };
  }
  const sliders = [slider("chunk", "chunks of", { min: 2, max: Math.min(8, length) }), slider("scale", "scores ×", { min: 1, max: 20, step: 0.5 })];
  const rounds = radios("rounds", roundNames, (r) => {
    model.set("shown", Math.min(get("shown"), r + 1));
    model.set("rounds", r + 1);
  });
  const lookBack = toggle("look back", set("look_back"));
  const causal = toggle("causal", set("causal"));
  const cuts = radios("cut", ["equal chunks, as in the paper", "inside each bucket"], (k) => model.set("cut", CUTS[k]));
  const status = h("div", { class: "status", role: "status" });
  const nudge = button("Nudge the last token", nudgeLast);
  const leak = h("p", { role: "status" });

  function stop() {
    clearInterval(timer);
    timer = 0;
    play.textContent = "▶ play";
  }

  function start() {
    if (timer) return stop();
    if (still.matches) return model.set("stage", LOOK);
    if (get("stage") === LOOK) model.set("stage", 0);
    play.textContent = "❚❚ pause";
    timer = setInterval(guard(root, () => {
      model.set("stage", Math.min(LOOK, get("stage") + 1));
      if (get("stage") === LOOK) stop();
    }), PAUSE);
  }

  function nudgeLast() {
    const last = length - 1;
    const { vectors, seen, buckets, shown, directions } = now;
    moveTo(last, overBorder(vectors[last], directions[shown]));
    now = compute();
    const changed = all.slice(0, last).filter((i) => now.seen[i].join() !== seen[i].join());
    marks = { key: now.key, changed, from: buckets[shown][last], to: now.buckets[shown][last] };
  }

  // 3: what is found.
  const found = h("div", {});
  const verdict = h("p", {});
  const table = h("div", {});
  const details = h("details", { ontoggle: draw }, h("summary", {}, "The keys, as a table"), table);

  const title = (text) => h("p", { class: "title" }, text);
  root.append(h("div", { class: "widget" },
    h("section", {}, title("1 Which way does it point?"), h("div", { class: "split" }, picture.element, h("div", { class: "about" },
      h("p", {}, "Drag a dot, or choose one and press arrow keys: it turns, and keeps its length. It falls into the bucket of the arrow that it reaches furthest along. Dashed arrows are the opposites.", dimensions === 3 ? " Drag the sphere to turn it." : " Dots further out only make room."),
      counts.element, shownRound.element, h("div", { class: "controls" }, button("Roll new rotations", () => turnTo(get("roll") + 1)), first), along))),
    h("section", {}, title("2 Hash, sort, cut, look back"),
      h("div", { class: "controls" }, play, steps.element), says, sequence.element, legend,
      h("div", { class: "controls" }, sliders[0].element, rounds.element, lookBack.element, causal.element, cuts.element, sliders[1].element),
      status, h("div", { class: "leak" }, nudge, leak)),
    h("section", {}, title("3 How much of full attention is found?"), found, verdict, details)));

  function showSpace() {
    const { vectors, directions, buckets, shown, picked } = now;
    const round = directions[shown];
    picture.draw({ vectors, directions: round, buckets: buckets[shown], picked, view: get("view"), colours, names: all.map(name) });
    const chips = reach(vectors[picked], round).map((value, b) =>
      h("span", { class: b === buckets[shown][picked] ? "most" : "", style: hue(b), "data-exact": value }, h("b", {}, letter(b)), ` ${number(value)}`));
    const won = dimensions === 2 && sectors(round).map(({ bucket }) => bucket);
    const empty = range(2 * round.length).filter((b) => won && !won.includes(b));
    renew(along, `${Name(picked)} reaches`, ...chips, empty.length ? `${empty.map(letter).join(" and ")}: too short to win anywhere.` : "");
  }

  function stateOf(i) {
    const { buckets, shown, picked, weights, seen, met } = now;
    const stage = get("stage");
    const bucket = stage < HASH ? null : buckets[shown][i];
    const lost = marks?.changed.includes(i);
    let [kind, sign, said] = ["", "", ""];
    if (stage === LOOK) {
      const times = met(i);
      const near = times.includes(shown + 1);
      if (i === picked) [kind, sign, said] = ["", seen[i][i] ? "itself" : "asks", ", asks"];
      else if (seen[picked][i]) [kind, sign, said] = [near ? "" : "elsewhere", near ? "✓" : `r${times}`, `, met in round ${times.join(" and ")}`];
      else [kind, sign, said] = times.length ? ["hidden", "✕", ", may not be looked at"] : ["out", "", ", not met"];
    }
    return {
      bucket, kind: `${kind} ${i === picked ? "asks" : ""} ${lost ? "changed" : ""}`, sign: lost ? "≠" : sign,
      share: stage === LOOK ? weights[picked][i] / Math.max(...weights[picked]) : 0,
      name: name(i) + (bucket === null ? "" : `, bucket ${letter(bucket)}`) + said,
    };
  }

  function showSequence() {
    const { buckets, places, shown, picked, lookBack: back, cut, chunk } = now;
    const stage = get("stage");
    const sorted = sortByBucket(buckets[shown]);
    const place = places[shown];
    const chunks = [...new Set(sorted.map((i) => place[i]))];
    const role = (k) => stage === LOOK && { 0: "own", 1: back && "before" }[place[picked] - k];
    const cutUp = chunks.map((k) => sorted.filter((i) => place[i] === k));
    sequence.draw({ order: stage < SORT ? all : sorted, chunks: cutUp, frames: stage < CUT ? [] : chunks.map(role), states: all.map(stateOf), picked, moving: stage !== before });
    before = stage;
    const inside = cut === "bucket";
    renew(says, [
      "In the order of the text. Its one vector is a token’s query and, at length 1, its key.",
      `Each token gets the letter of its bucket in round ${shown + 1}. Vectors that point the same way mostly share one.`,
      "Sorted by bucket; within a bucket, in the order of the text.",
      inside ? `Each bucket is cut for itself, into chunks of at most ${chunk}.` : `Cut into chunks of ${chunk}, wherever that falls: a border can part a bucket.`,
      `${Name(picked)} looks at its own chunk${back ? (place.includes(place[picked] - 1) ? " and, dashed, at the one before: a border may have parted its bucket" : "; there is none before it") : " alone: what a border has parted stays apart"}.`,
    ][stage]);
    renew(legend, `${marks?.changed.length ? "≠ sees other keys · " : ""}${stage < LOOK ? "Tap a box: it asks." : "✓ met · r2 met in round 2 only · ✕ may not be looked at · pale: not met · bars: weight in full attention"}`);
  }

  function showStatus() {
    const { rounds: used, picked, seen, found: parts, met, shown } = now;
    const [here, other] = [true, false].map((inThis) => all.filter((j) => seen[picked][j] && met(j).includes(shown + 1) === inThis));
    const looks = seen[picked][picked] ? "may look at nobody it meets, so it looks at itself"
      : `looks at ${here.join(", ") || "nobody"}${other.length ? `; by ${used > 2 ? "other rounds" : "the other round"} at ${other.join(", ")}` : ""}`;
    renew(status, h("p", {}, h("b", {}, Name(picked)), ` ${looks}.`),
      h("p", {}, "These keys hold ", h("b", {}, share(parts[used - 1].recalls[picked])), " of its full attention."));
  }

  function showLeak() {
    nudge.disabled = !now.causal;
    leak.className = marks ? (marks.changed.length ? "bad" : "good") : "";
    renew(leak, leaks());
  }

  function leaks() {
    const { rounds: used, picked, buckets, nBuckets, settings } = now;
    if (!settings.causal) return "Causal is off: every token may look at later ones.";
    if (marks) {
      return `${Name(length - 1)} went from ${letter(marks.from)} to ${letter(marks.to)}: ${marks.changed.length
        ? `earlier tokens now see other keys (${marks.changed.join(", ")}). What comes later has leaked.` : "no earlier token sees other keys."}`;
    }
    if (settings.cut === "bucket") return "Inside a bucket only earlier tokens count: nothing that comes later can change these keys.";
    return hangsOnLater(buckets.slice(0, used), picked, nBuckets, settings)
      ? `Were a later token in another bucket, borders would shift, and ${name(picked)} could see other keys: a leak.`
      : `The keys of ${name(picked)} stay, wherever one later token falls.`;
  }

  function showFound() {
    const { chunk, rounds: used, lookBack: back } = now;
    renew(found, foundTable(now));
    renew(verdict, `Line across a bar: with look back ${back ? "off" : "on"}. A token computes at most ${(back ? 2 : 1) * chunk * used} scores (${back ? "2 × " : ""}chunk × rounds), however long the text; full attention one for each token, here ${length}.`);
    if (details.open) renew(table, keysTable(now));
  }

  function draw() {
    now = compute();
    if (marks?.key !== now.key) marks = null;
    counts.select(now.nBuckets / 2 - 1);
    shownRound.select(now.shown);
    rounds.select(now.rounds - 1);
    steps.select(get("stage"));
    sliders.forEach(({ show }) => show());
    lookBack.box.checked = now.lookBack;
    causal.box.checked = now.causal;
    cuts.select(CUTS.indexOf(now.cut));
    first.disabled = !get("roll");
    for (const show of [showSpace, showSequence, showStatus, showLeak, showFound]) show();
    tell();
  }

  /** Writes down, for a notebook, what was found. */
  function tell() {
    const seen = now.seen.map((keys) => keys.join(""));
    const average = now.found[now.rounds - 1].mean;
    if (seen.join() !== get("seen").join()) model.set("seen", seen);
    if (get("recall") === null || Math.abs(average - get("recall")) > 1e-9) model.set("recall", average);
  }

  const redraw = soon(root, draw);
  for (const trait of [...SETTINGS, "shown", "stage", "picked", "view"]) model.on(`change:${trait}`, redraw);
  onTheme((next) => {
    colours = next;
    draw();
  });
  const observer = new ResizeObserver(guard(root, ([{ contentRect }]) => sequence.resize(contentRect.width) && draw()));
  observer.observe(sequence.element);
  return () => {
    stop();
    observer.disconnect();
  };
});
