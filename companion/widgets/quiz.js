import css from "./quiz.css";
import { h } from "./lib/dom.js";
import { defineWidget } from "./lib/widget.js";

export default defineWidget(css, ({ model, root }) => {
  const questions = model.get("questions");
  const name = `quiz-${Math.random().toString(36).slice(2)}`;
  let current = 0;

  const place = h("p", { class: "label number" });
  const legend = h("legend", {});
  const answers = h("div", { class: "answers" });
  const verdict = h("p", { class: "verdict", role: "status" });
  const back = h("button", { type: "button", onclick: () => go(current - 1) }, "Back");
  const next = h("button", { type: "button", onclick: () => go(current + 1) }, "Next");
  root.append(
    h("div", { class: "widget" }, place, h("fieldset", {}, legend, answers), verdict,
      h("div", { class: "controls" }, back, next)),
  );

  function go(number) {
    current = number;
    draw();
  }

  function draw() {
    const { question, answers: choices } = questions[current];
    const chosen = model.get("chosen")[current];
    legend.textContent = question;
    answers.replaceChildren(...choices.map((answer, i) => {
      const radio = h("input", { type: "radio", name, value: i, oninput: () => choose(i) });
      radio.checked = i === chosen;
      return h("label", { class: "answer" }, radio, h("span", {}, answer.text));
    }));
    back.disabled = current === 0;
    next.disabled = current === questions.length - 1;
    showScore();
  }

  function choose(i) {
    model.set("chosen", model.get("chosen").map((old, question) => (question === current ? i : old)));
  }

  function showScore() {
    const chosen = model.get("chosen");
    const right = questions.filter((question, i) => question.answers[chosen[i]]?.right).length;
    place.textContent = `Question ${current + 1} of ${questions.length} · ${right} right so far`;
    const answer = questions[current].answers[chosen[current]];
    verdict.className = answer ? (answer.right ? "verdict good" : "verdict bad") : "verdict";
    verdict.textContent = answer ? `${answer.right ? "✓ Right." : "✗ Not this one."} ${answer.why}` : "";
  }

  model.on("change:chosen", () => {
    answers.querySelectorAll("input").forEach((radio, i) => (radio.checked = i === model.get("chosen")[current]));
    showScore();
  });
  draw();
});
