// The page without the app: write an operation, run it as an account, and read the answer.

import { Accounts } from "./accounts.js";
import { explain, render } from "./result.js";
import { Made, person, steps } from "./tour.js";

const $ = (id) => document.getElementById(id);
const accounts = new Accounts();
const made = new Made();

let step = null; // the open step of the tour
let part = null; // of the tour; running the step creates its account
let last = null; // the last request with an answer, if it was a query
let turn = 0;

// ── Accounts

function showAccounts() {
  const current = accounts.current?.id ?? "";
  const nobody = { id: "", username: "Nobody", role: "" };
  const legend = $("accounts").querySelector("legend");
  $("accounts").replaceChildren(legend, ...[nobody, ...accounts.list].map((account) => pill(account, current)));
  $("accounts").querySelector(":checked").parentNode.scrollIntoView({ block: "nearest", inline: "nearest" });
  $("sign-out").disabled = !current;
}

function pill({ id, username, role }, current) {
  const radio = document.createElement("input");
  radio.type = "radio";
  radio.name = "account";
  radio.value = id;
  radio.checked = id === current;
  const label = document.createElement("label");
  const kind = document.createElement("small");
  kind.textContent = role.toLowerCase();
  label.dataset.role = role;
  label.append(radio, username, kind);
  return label;
}

// Choosing another account sends a query again, but not a mutation.
function switchAccount(event) {
  part = null;
  say("");
  accounts.choose(event.target.value || null);
  $("accounts").querySelector(":checked").focus();
  if (last && last.query === $("query").value) run();
}

function openDialog(name, send) {
  const dialog = $(name);
  const form = dialog.querySelector("form");
  const faults = form.querySelector(".faults");
  $(`open-${name}`).addEventListener("click", () => {
    faults.textContent = "";
    dialog.showModal();
  });
  form.querySelector(".cancel").addEventListener("click", () => dialog.close());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await send(Object.fromEntries(new FormData(form)));
      form.reset();
      dialog.close();
    } catch (fault) {
      faults.textContent = fault.message;
    }
  });
}

// ── Tour

function showTour() {
  $("tour").replaceChildren(
    ...steps.map((one) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = one.title;
      button.addEventListener("click", () => openStep(one));
      const item = document.createElement("li");
      item.append(button);
      one.item = item;
      return item;
    }),
  );
}

function openStep(one) {
  step?.item.firstChild.removeAttribute("aria-current");
  step = one;
  one.item.firstChild.setAttribute("aria-current", "step");
  $("query").value = one.query;
  $("variables").value = JSON.stringify(one.variables(made.records), null, 2);
  last = null;
  showAnswer(null);
  castFor(one);
}

// castFor chooses the account for the part. Without one, run creates it.
function castFor({ as, needs = [] }) {
  const missing = needs.filter((kind) => !made.records[kind]);
  const account = as && playing(as);
  part = as && !account ? as : null;
  if (account) accounts.choose(account.id);
  if (missing.length) say(`This needs a ${missing.join(" and a ")}: run the earlier steps first.`);
  else say(part ? `Run creates an account for the ${{ desk: "front desk" }[part] ?? part}.` : "");
}

// playing finds the account of a part; an account that signed in by hand is the front desk.
function playing(as) {
  return accounts.list.findLast((a) => a.part === as) ?? (as === "desk" ? accounts.list.findLast((a) => !a.part) : undefined);
}

// ── Run

async function run() {
  const mine = ++turn;
  say("");
  $("run").setAttribute("aria-busy", "true");
  try {
    const request = readRequest();
    if (part) await accounts.register(person(part), part);
    part = null;
    const who = accounts.current?.username ?? "nobody";
    const reply = await accounts.ask(request);
    if (mine !== turn) return;
    last = isMutation(request.query) ? null : request;
    showAnswer(reply, who);
    document.querySelector(".answer").scrollIntoView({ block: "nearest", behavior: "smooth" });
    await takeIn(request, reply.answer);
  } catch (fault) {
    if (mine === turn) showFault(fault);
  } finally {
    if (mine === turn) $("run").removeAttribute("aria-busy");
  }
}

const isMutation = (query) => /^\s*(mutation|subscription)\b/m.test(query);

function readRequest() {
  return { query: $("query").value, variables: readJSON("variables", "Variables"), headers: readJSON("headers", "Headers") };
}

function readJSON(id, name) {
  const text = $(id).value.trim();
  try {
    const value = text ? JSON.parse(text) : {};
    if (value === null || typeof value !== "object" || Array.isArray(value)) throw new Error("not an object");
    return value;
  } catch (fault) {
    $(id).focus();
    throw new Error(`${name} must be a JSON object: ${fault.message}`, { cause: fault });
  }
}

// takeIn signs in with the tokens of an answer, and keeps its ids for later steps.
async function takeIn(request, answer) {
  const payloads = Object.values(answer.data ?? {});
  const tokens = payloads.find((payload) => payload?.tokens?.refresh)?.tokens;
  if (tokens) {
    if (step?.makes) made.clear();
    await accounts.add(tokens, step?.makes);
  }
  made.learn(answer.data, isMutation(request.query));
  if (step?.query === request.query && answer.data && !payloads.some((payload) => payload?.userErrors?.length)) {
    step.item.classList.add("done");
  }
}

function showAnswer(reply, who) {
  $("result").replaceChildren(reply ? render(reply.answer) : "");
  $("result").scrollTop = 0;
  $("measure").textContent = reply ? `${reply.status} · ${Math.round(reply.took)} ms · ${size(reply.length)} · as ${who}` : "";
  showNotes(reply ? explain(reply.answer, who) : []);
}

function showFault(fault) {
  showAnswer(null);
  showNotes([fault.message]);
}

function showNotes(lines) {
  $("notes").replaceChildren(
    ...lines.map((line) => {
      const note = document.createElement("p");
      note.className = "note";
      note.textContent = line;
      return note;
    }),
  );
}

const size = (length) => (length < 1024 ? `${length} B` : `${(length / 1024).toFixed(1)} KB`);

function say(text) {
  $("before").textContent = text;
}

// ── All together

accounts.addEventListener("change", showAccounts);
$("accounts").addEventListener("change", switchAccount);
$("sign-out").addEventListener("click", () => accounts.signOut().catch(showFault));
openDialog("login", (input) => accounts.login(input));
openDialog("register", (input) => accounts.register(input));
$("run").addEventListener("click", run);
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    run();
  }
});
if (/Mac|iPhone|iPad/.test(navigator.platform)) $("shortcut").textContent = "⌘ Enter";
showAccounts();
showTour();
openStep(steps[0]);
