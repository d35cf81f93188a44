import css from "./translation_tree.css";
import { readArray } from "./lib/array.js";
import { fromTable, search } from "./lib/beam.js";
import viewCss from "./lib/beam_view.css";
import { beamView } from "./lib/beam_view.js";
import { join } from "./lib/byte_pieces.js";
import boxCss from "./lib/caption_box.css";
import { captionBox } from "./lib/caption_box.js";
import { h, renew } from "./lib/dom.js";
import { asker, encoder } from "./lib/live.js";
import { readCaption, remembered } from "./lib/translator.js";
import { defineWidget } from "./lib/widget.js";

const MOST = 10; // next tokens that the widest beam looks at

export default defineWidget(boxCss + viewCss + css, ({ model, root }) => {
  const [captions, names, sizes, ends, longest, firsts] = ["captions", "names", "sizes", "ends", "longest", "firsts"].map((name) => model.get(name));
  const [rows, tokens, odds] = ["rows", "tokens", "log_probabilities"].map((name) => readArray(model.get(name)));
  const [ask, encode] = [asker(model), encoder(model)];
  const prepared = new Map(captions.map((caption, i) => [caption, { next: fromTable({ rows, tokens, odds, first: firsts[i] }), ends: ends[i], longest: longest[i] }]));
  let own = {}; // what the model has read last; to go on from, it keeps a lot

  const piece = (token) => join([names[token]]);
  const over = (token) => token === sizes.end;
  const view = beamView({
    model, root,
    word: (token) => (over(token) ? "(end)" : piece(token).replace(/^ (?=.)/u, "")),
    spaced: (token) => /^ ./u.test(piece(token)),
    join: (text) => join(text.filter((token) => !over(token)).map((token) => names[token])).trim() || "(nothing)",
    about: "Each box: a word or a piece of one (␣: a space before it), its probability here, the log-probability of the text up to it.",
  });
  const box = captionBox({
    model, root, answer, captions, choose: view.choose, busy: "searching …",
    known: () => (prepared.has(box.text()) ? "all" : own.text === box.text() && "model"),
  });
  const source = h("p", { class: "source" });
  root.append(h("div", { class: "widget" }, box.element, source, ...view.parts));

  async function read(text, unlessLate, onProgress) {
    const { ids } = await unlessLate(encode(text));
    const { next, longest: most } = readCaption(ask, ids, MOST, sizes, onProgress);
    return { text, next: remembered(next), ends: [sizes.end], longest: most };
  }

  async function answer(unlessLate, onProgress) {
    const text = box.text();
    if (!prepared.has(text) && own.text !== text) own = await read(text, unlessLate, onProgress);
    const { next, ...limits } = prepared.get(text) ?? own;
    const levels = await search((texts) => unlessLate(next(texts)), { ...limits, ...view.settings() });
    renew(source, `“${text}”`);
    view.show(levels);
  }

  function ready() {
    box.ready();
    box.draw();
  }

  for (const trait of ["own", "example", "width", "alpha", "penalty"]) model.on(`change:${trait}`, ready);
  ready();
  view.redraw();
  return () => {
    box.stop();
    view.stop();
  };
});
