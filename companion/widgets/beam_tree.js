import { readArray } from "./lib/array.js";
import { fromTable, search } from "./lib/beam.js";
import css from "./lib/beam_view.css";
import { beamView } from "./lib/beam_view.js";
import { guard, h, radios, renew, soon } from "./lib/dom.js";
import { defineWidget } from "./lib/widget.js";

export default defineWidget(css, ({ model, root }) => {
  const [words, ends, longest, firsts] = ["words", "ends", "longest", "firsts"].map((name) => model.get(name));
  const [rows, tokens, odds] = ["rows", "tokens", "log_probabilities"].map((name) => readArray(model.get(name)));
  // Whatever answers `next` will do: a table of each sentence here.
  const asks = firsts.map((first) => fromTable({ rows, tokens, odds, first }));
  const word = (token) => words[token];
  const view = beamView({
    model, root, word, join: (text) => text.map(word).join(" "),
    about: "Each box: a word, its probability here, the log-probability of the text up to it.",
  });
  const examples = radios("Sentence", model.get("labels"), (i) => view.choose("example", i));
  const source = h("p", { class: "source" });
  root.append(h("div", { class: "widget" }, examples.element, source, ...view.parts));

  let asked = 0;
  async function run() {
    const [i, mine] = [model.get("example"), ++asked];
    const levels = await search(asks[i], { ends: ends[i], longest: longest[i], ...view.settings() });
    if (mine !== asked) return; // another search has begun since
    examples.select(i);
    const about = model.get("sources")[i];
    source.hidden = !about;
    renew(source, `“${about}”`);
    view.show(levels);
  }

  const again = soon(root, () => run().catch(guard(root, (error) => { throw error; })));
  for (const name of ["example", "width", "alpha", "penalty"]) model.on(`change:${name}`, again);
  run().catch(guard(root, (error) => { throw error; }));
  return view.stop;
});
